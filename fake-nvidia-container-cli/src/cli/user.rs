//! `--user`: numbers or names for a user and a group. The one part of parsing that asks the machine (its passwd).

use super::numbers::{BadNumber, scan};
use crate::outcome::Stop;
use nix::unistd::{Gid, Group, Uid, User};

/// A name that the databases do not have.
const MISSING: &str = "no such file or directory";

/// Reads `USER[:GROUP]`.
pub(super) fn parse(value: &str) -> Result<(i64, i64), Stop> {
    read(value).map_err(|why| Stop::error("input error", format!("parse user/group failed: {why}")))
}

fn read(value: &str) -> Result<(i64, i64), &'static str> {
    let (user, group) = user_part(value)?;
    let gid = match group {
        Some(word) if !word.is_empty() => group_part(word)?,
        _ => i64::from(user_by_id(user)?.gid.as_raw()),
    };
    Ok((user, gid))
}

/// A word that starts like a number is one, up to a colon; anything else up to the first colon is a name.
fn user_part(value: &str) -> Result<(i64, Option<&str>), &'static str> {
    if scan(value).is_some() {
        let (uid, rest) = number(value)?;
        return match rest.strip_prefix(':') {
            Some(group) => Ok((uid, Some(group))),
            None if rest.is_empty() => Ok((uid, None)),
            None => Err(BadNumber::Invalid.text()),
        };
    }
    let (name, group) = value.split_once(':').map_or((value, None), |(n, g)| (n, Some(g)));
    let user = User::from_name(name).ok().flatten().ok_or(MISSING)?;
    Ok((i64::from(user.uid.as_raw()), group))
}

fn group_part(word: &str) -> Result<i64, &'static str> {
    if scan(word).is_some() {
        let (gid, rest) = number(word)?;
        return if rest.is_empty() { Ok(gid) } else { Err(BadNumber::Invalid.text()) };
    }
    let group = Group::from_name(word).ok().flatten().ok_or(MISSING)?;
    Ok(i64::from(Gid::as_raw(group.gid)))
}

fn user_by_id(uid: i64) -> Result<User, &'static str> {
    let raw = u32::try_from(uid).map_err(|_| BadNumber::Range.text())?;
    User::from_uid(Uid::from_raw(raw)).ok().flatten().ok_or(MISSING)
}

/// A number at the start of a word: 32 bits, and not the largest, which means "no user" to the system.
fn number(word: &str) -> Result<(i64, &str), &'static str> {
    let (negative, digits, rest) = scan(word).ok_or_else(|| BadNumber::Invalid.text())?;
    let value = digits.parse::<u32>().ok().filter(|v| *v != u32::MAX && !(negative && *v != 0));
    let value = value.ok_or_else(|| BadNumber::Range.text())?;
    Ok((i64::from(value), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn users_are_read_as_the_real_program_reads_them() {
        let invalid = Err(BadNumber::Invalid.text());
        let range = Err(BadNumber::Range.text());
        let cases = [
            ("0:0", Ok((0, 0))),
            ("1:2", Ok((1, 2))),
            ("root", Ok((0, 0))),
            ("root:7", Ok((0, 7))),
            ("0:", Ok((0, 0))),
            ("1:2:3", invalid),
            ("1x", invalid),
            ("1:2x", invalid),
            ("-1:0", range),
            ("4294967295:0", range),
            ("4294967296:0", range),
            ("99999999999999999999:0", range),
            ("", Err(MISSING)),
            (":0", Err(MISSING)),
            ("nosuchuser", Err(MISSING)),
            ("0:nosuchgroup", Err(MISSING)),
        ];
        for (word, expected) in cases {
            assert_eq!(read(word), expected, "{word:?}");
        }
    }

    proptest! {
        #[test]
        fn no_word_panics(word: String) {
            let _ = read(&word);
        }
    }
}
