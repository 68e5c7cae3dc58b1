//! What a reading shows at a moment: a constant, a ramp or noise.
//!
//! `ramp:30..90:60` goes from 30 to 90 in 60 seconds: again and again if it stands in a topology, once if it was set.
//! `noise:10..90:7` is another number each second, the same at the same second for the same seed (`:7`, 0 if left out).

use super::figures::thousandths;

/// A number that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moving {
    from: i64,
    to: i64,
    /// The seconds of a ramp, or the seed of noise.
    by: u64,
}

/// What is wrong with a reading, if anything: nothing but a moving number can be.
pub(super) fn check(text: &str) -> Result<(), String> {
    match split(text) {
        None => Ok(()),
        Some((kind, rest)) => match moving(rest) {
            Some(moving) if kind == "noise" || moving.by > 0 => Ok(()),
            _ => Err(format!("`{text}` is not like ramp:30..90:60 or noise:10..90:7")),
        },
    }
}

/// What it shows at a time in ms; `since` is when it was set.
pub(super) fn show(text: &str, key: &str, now: u64, since: Option<u64>) -> String {
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
            i128::from(moving.from) + i128::from(span) * i128::from(gone) / i128::from(length)
        }
        _ => {
            let steps = (span.unsigned_abs() / 1000).saturating_add(1);
            let step = i64::try_from(scramble(key, moving.by, now / 1000) % steps).unwrap_or_default();
            i128::from(moving.from) + i128::from(step * 1000 * span.signum())
        }
    };
    decimal(value)
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once(':').filter(|(kind, _)| ["ramp", "noise"].contains(kind))
}

fn moving(rest: &str) -> Option<Moving> {
    let (range, by) = rest.split_once(':').unwrap_or((rest, "0"));
    let (from, to) = range.split_once("..")?;
    Some(Moving { from: thousandths(from)?, to: thousandths(to)?, by: by.parse().ok()? })
}

/// Thousandths as a number with as many places as it needs.
fn decimal(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / 1000, value.unsigned_abs() % 1000);
    let text = format!("{sign}{whole}.{rest:03}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number that looks like chance, the same for the same key, seed and second.
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
        let at = |now, since| show("ramp:30..90:60", "temperature.gpu", now, since);
        assert_eq!((at(0, None), at(30_000, None), at(61_000, None)), ("30".into(), "60".into(), "31".into()));
        assert_eq!((at(1_015_000, Some(1_000_000)), at(9_000_000, Some(1_000_000))), ("45".into(), "90".into()));
        assert_eq!(show("ramp:90..30:60", "x", 30_000, None), "60");
        assert_eq!(show("ramp:0..1:4", "x", 1_000, None), "0.25");
    }

    #[test]
    fn noise_stays_in_its_range_and_repeats() {
        let at = |now| show("noise:10..13:7", "utilization.gpu", now, None);
        let seen: Vec<String> = (0..200).map(|second| at(second * 1000)).collect();
        assert!(seen.iter().all(|v| ["10", "11", "12", "13"].contains(&v.as_str())), "{seen:?}");
        assert!(["10", "11", "12", "13"].iter().all(|v| seen.iter().any(|s| s == v)));
        assert_eq!(at(5_999), at(5_000));
        assert_ne!(
            seen,
            (0..200).map(|s| show("noise:10..13:8", "utilization.gpu", s * 1000, None)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_does_not_move_is_itself_and_what_cannot_is_refused() {
        assert_eq!(show("Not Active", "x", 5, None), "Not Active");
        for wrong in ["ramp:1", "ramp:1..2", "ramp:1..2:0", "ramp:a..b:3", "noise:1", "noise:1..2:x"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        for right in ["", "38", "ramp:1..2:3", "noise:1..2", "noise:-1..2:9", "N/A", "a:b"] {
            assert!(check(right).is_ok(), "{right}");
        }
    }
}
