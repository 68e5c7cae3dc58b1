//! `--user`: numbers or names for a user and a group. This is the only part of parsing that asks the machine.
//!
//! It reads /etc/passwd and /etc/group itself: the C library would load modules for this, which a static program cannot
//! do.

use crate::outcome::Stop;
use nvidia_simulated_machine::number::{BadNumber, scan};

/// The error for a name that the databases do not have.
const MISSING: &str = "no such file or directory";

/// Reads the value of `--user`: a user, and a group after a colon.
pub(super) fn parse(value: &str) -> Result<(i64, i64), Stop> {
    read(value, &|database| std::fs::read(database).ok())
        .map_err(|why| Stop::error("input error", format!("parse user/group failed: {why}")))
}

/// The content of a file of the machine, by its path.
type Files<'f> = &'f dyn Fn(&str) -> Option<Vec<u8>>;

fn read(value: &str, files: Files<'_>) -> Result<(i64, i64), &'static str> {
    let (user, group) = user_part(value, files)?;
    let gid = match group {
        Some(word) if !word.is_empty() => group_part(word, files)?,
        _ => primary_group(user, files)?,
    };
    Ok((user, gid))
}

/// A word that starts like a number is one, up to a colon; anything else up to the first colon is a name.
fn user_part<'v>(value: &'v str, files: Files<'_>) -> Result<(i64, Option<&'v str>), &'static str> {
    if scan(value).is_some() {
        let (uid, rest) = number(value)?;
        return match rest.strip_prefix(':') {
            Some(group) => Ok((uid, Some(group))),
            None if rest.is_empty() => Ok((uid, None)),
            None => Err(BadNumber::Invalid.text()),
        };
    }
    let (name, group) = value.split_once(':').map_or((value, None), |(n, g)| (n, Some(g)));
    let uid = entry(files, "/etc/passwd", |fields| fields.first() == Some(&name), 2).ok_or(MISSING)?;
    Ok((uid, group))
}

fn group_part(word: &str, files: Files<'_>) -> Result<i64, &'static str> {
    if scan(word).is_some() {
        let (gid, rest) = number(word)?;
        return if rest.is_empty() { Ok(gid) } else { Err(BadNumber::Invalid.text()) };
    }
    entry(files, "/etc/group", |fields| fields.first() == Some(&word), 2).ok_or(MISSING)
}

fn primary_group(uid: i64, files: Files<'_>) -> Result<i64, &'static str> {
    let uid = uid.to_string();
    entry(files, "/etc/passwd", |fields| fields.get(2) == Some(&uid.as_str()), 3).ok_or(MISSING)
}

/// A numeric field of the first matching line of a database.
fn entry(files: Files<'_>, database: &str, wanted: impl Fn(&[&str]) -> bool, number: usize) -> Option<i64> {
    let text = files(database)?;
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| wanted(fields))?.get(number)?.parse().ok()
}

/// A 32-bit number at the start of a word. The largest means "no user" to the system, and is -1 in a record.
fn number(word: &str) -> Result<(i64, &str), &'static str> {
    let (negative, digits, rest) = scan(word).ok_or_else(|| BadNumber::Invalid.text())?;
    let value = digits.parse::<u32>().ok().filter(|v| !negative || *v == 0).ok_or_else(|| BadNumber::Range.text())?;
    Ok((if value == u32::MAX { -1 } else { i64::from(value) }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn files(path: &str) -> Option<Vec<u8>> {
        let text = match path {
            "/etc/passwd" => "daemon:x:1:1::/:/bin/false\nroot:x:0:0::/root:/bin/sh\n",
            "/etc/group" => "root:x:0:\nvideo:x:44:\n",
            _ => return None,
        };
        Some(text.as_bytes().to_vec())
    }

    #[test]
    fn users_are_read_as_the_real_program_reads_them() {
        let invalid = Err(BadNumber::Invalid.text());
        let range = Err(BadNumber::Range.text());
        let cases = [
            ("0:0", Ok((0, 0))),
            ("1:2", Ok((1, 2))),
            ("root", Ok((0, 0))),
            ("root:7", Ok((0, 7))),
            ("root:video", Ok((0, 44))),
            ("daemon", Ok((1, 1))),
            ("0:", Ok((0, 0))),
            ("1:2:3", invalid),
            ("1x", invalid),
            ("1:2x", invalid),
            ("-1:0", range),
            ("4294967295:0", Ok((-1, 0))),
            ("4294967295", Err(MISSING)),
            ("4294967296:0", range),
            ("99999999999999999999:0", range),
            ("", Err(MISSING)),
            (":0", Err(MISSING)),
            ("nosuchuser", Err(MISSING)),
            ("0:nosuchgroup", Err(MISSING)),
        ];
        for (word, expected) in cases {
            assert_eq!(read(word, &files), expected, "{word:?}");
        }
    }

    proptest! {
        #[test]
        fn no_word_panics(word: String) {
            let _ = read(&word, &files);
        }
    }
}
