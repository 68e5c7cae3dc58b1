//! What a reading shows at a moment: a constant, a ramp, noise, or one value until a call and another from then on.
//!
//! `ramp:30..90:60` goes from 30 to 90 in 60 seconds: repeatedly if it is in a topology, once if it was set. It shows as
//! many decimal places as its ends are written with: `ramp:30.0..90:60` moves in tenths.
//! `noise:10..90:7` is a different number each second, the same at the same second for the same seed (`:7`, 0 if left
//! out). `call:0..79:100` is 0 until a program's hundredth call and 79 from then on; the value after the dots can move
//! too.

use super::figures::thousandths;

/// A moment, as a reading needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// In ms since 1970.
    pub now: u64,
    /// The number of the program's call, from 1.
    pub call: u64,
}

impl From<u64> for When {
    /// A program's first call, at this time.
    fn from(now: u64) -> Self {
        Self { now, call: 1 }
    }
}

/// A number that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moving {
    from: i64,
    to: i64,
    /// The seconds of a ramp, or the seed of noise.
    by: u64,
    /// The step of a ramp: 1000 thousandths, or less if an end is written with decimal places.
    step: i64,
}

/// What is wrong with a reading, if anything: only one that moves or steps can be wrong.
pub(super) fn check(text: &str) -> Result<(), String> {
    if let Some(steps) = text.strip_prefix("call:") {
        let wrong = || format!("`{text}` is not like call:0..79:100");
        return check(step(steps).ok_or_else(wrong)?.1);
    }
    match split(text) {
        None => Ok(()),
        Some((kind, rest)) => match moving(rest) {
            Some(moving) if kind == "noise" || moving.by > 0 => Ok(()),
            _ => Err(format!("`{text}` is not like ramp:30..90:60 or noise:10..90:7")),
        },
    }
}

/// The values that a reading steps through; itself, if it does not step.
pub(super) fn ends(text: &str) -> Vec<&str> {
    let (mut text, mut all) = (text, Vec::new());
    while let Some((before, after, _)) = text.strip_prefix("call:").and_then(step) {
        all.push(before);
        text = after;
    }
    all.push(text);
    all
}

/// What a reading shows; `since` is when it was set, in ms since 1970.
pub(super) fn show(text: &str, key: &str, when: When, since: Option<u64>) -> String {
    let (mut text, now) = (text, when.now);
    while let Some((before, after, number)) = text.strip_prefix("call:").and_then(step) {
        if when.call < number {
            return before.to_owned();
        }
        text = after;
    }
    let Some((kind, moving)) = split(text).and_then(|(kind, rest)| Some((kind, moving(rest)?))) else {
        return text.to_owned();
    };
    let span = moving.to - moving.from;
    let value = match kind {
        "ramp" => {
            let length = i64::try_from(moving.by.max(1).saturating_mul(1000)).unwrap_or(i64::MAX);
            let gone = match since {
                Some(since) => i64::try_from(now.saturating_sub(since)).unwrap_or(i64::MAX).min(length),
                None => i64::try_from(now).unwrap_or_default() % length,
            };
            let way = i128::from(span) * i128::from(gone) / i128::from(length);
            i128::from(moving.from) + way - way % i128::from(moving.step)
        }
        _ => {
            let steps = (span.unsigned_abs() / 1000).saturating_add(1);
            let step = i64::try_from(scramble(key, moving.by, now / 1000) % steps).unwrap_or_default();
            i128::from(moving.from) + i128::from(step * 1000 * span.signum())
        }
    };
    decimal(value)
}

/// The text before, the text after, and the number of the call between them.
fn step(steps: &str) -> Option<(&str, &str, u64)> {
    let (range, number) = steps.rsplit_once(':')?;
    let (before, after) = range.split_once("..")?;
    Some((before, after, number.parse().ok()?))
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(':').filter(|(kind, _)| ["ramp", "noise"].contains(kind))
}

fn moving(rest: &str) -> Option<Moving> {
    let (range, by) = rest.split_once(':').unwrap_or((rest, "0"));
    let (from, to) = range.split_once("..")?;
    let step = resolution(from).min(resolution(to));
    Some(Moving { from: thousandths(from)?, to: thousandths(to)?, by: by.parse().ok()?, step })
}

/// The smallest difference, in thousandths, that a number with these decimal places shows.
fn resolution(text: &str) -> i64 {
    match text.split_once('.').map_or(0, |(_, places)| places.len()) {
        0 => 1000,
        1 => 100,
        2 => 10,
        _ => 1,
    }
}

/// Thousandths as a number with as many places as it needs.
fn decimal(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / 1000, value.unsigned_abs() % 1000);
    let text = format!("{sign}{whole}.{rest:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number that looks random but is the same for the same key, seed and second.
fn scramble(key: &str, seed: u64, second: u64) -> u64 {
    let bytes = key.bytes().chain(seed.to_le_bytes()).chain(second.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_of_a_topology_starts_again_and_one_that_was_set_stays() {
        let at = |now: u64, since| show("ramp:30..90:60", "temperature.gpu", now.into(), since);
        assert_eq!((at(0, None), at(30_000, None), at(61_000, None)), ("30".into(), "60".into(), "31".into()));
        assert_eq!((at(1_015_000, Some(1_000_000)), at(9_000_000, Some(1_000_000))), ("45".into(), "90".into()));
        assert_eq!(show("ramp:90..30:60", "x", 30_000.into(), None), "60");
        let quarter = |ends| show(&format!("ramp:{ends}:4"), "x", 1_000.into(), None);
        assert_eq!([quarter("0..1"), quarter("0..1.0"), quarter("0.00..1")], ["0", "0.2", "0.25"]);
        assert_eq!([quarter("1..0"), quarter("-1.0..0"), quarter("0.0000..1")], ["1", "-0.8", "0.25"]);
    }

    #[test]
    fn noise_stays_in_its_range_and_repeats() {
        let at = |now: u64| show("noise:10..13:7", "utilization.gpu", now.into(), None);
        let seen: Vec<String> = (0..200).map(|second| at(second * 1000)).collect();
        assert!(seen.iter().all(|v| ["10", "11", "12", "13"].contains(&v.as_str())), "{seen:?}");
        assert!(["10", "11", "12", "13"].iter().all(|v| seen.iter().any(|s| s == v)));
        assert_eq!(at(5_999), at(5_000));
        assert_ne!(
            seen,
            (0..200_u64)
                .map(|s| show("noise:10..13:8", "utilization.gpu", (s * 1000).into(), None))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_step_is_taken_at_a_call_and_another_after_it() {
        let at = |text: &str, call| show(text, "xid", When { now: 500, call }, None);
        let two = "call:0..call:31..ramp:0..2:1:20:10";
        assert_eq!(
            (at(two, 9), at(two, 10), at(two, 19), at(two, 20)),
            ("0".into(), "31".into(), "31".into(), "1".into())
        );
        assert_eq!((at("call:P0..P8:2", 1), at("call:P0..P8:2", u64::MAX)), ("P0".into(), "P8".into()));
        assert_eq!(at("call:1..2:x", 5), "call:1..2:x");
    }

    #[test]
    fn what_does_not_move_is_itself_and_what_cannot_is_refused() {
        assert_eq!(show("Not Active", "x", 5.into(), None), "Not Active");
        for wrong in [
            "ramp:1",
            "ramp:1..2",
            "ramp:1..2:0",
            "ramp:a..b:3",
            "noise:1",
            "noise:1..2:x",
            "call:1",
            "call:1..2",
            "call:1..2:x",
            "call:1..ramp:2..3:4",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        for right in [
            "",
            "38",
            "ramp:1..2:3",
            "noise:1..2",
            "noise:-1..2:9",
            "N/A",
            "a:b",
            "call:false..true:3",
            "call:0..ramp:2..3:4:5",
        ] {
            assert!(check(right).is_ok(), "{right}");
        }
    }
}
