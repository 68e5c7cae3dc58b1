//! Every fuzz target without a fuzzer: on the inputs of the cases, and on randomly changed ones.
//!
//! `NVIDIA_HOOK_RANDOM_RUNS` sets how many changed inputs each target gets, 100 by default, and
//! `NVIDIA_HOOK_RANDOM_SEED` the first seed. A failure names target and seed.

use hook_properties::draw::Dice;
use hook_properties::{Property, TARGETS, seeds};
use libtest_mimic::{Arguments, Failed, Trial};

const RUNS: u64 = 100;

fn main() {
    libtest_mimic::run(&Arguments::from_args(), trials()).exit();
}

/// The same for build rules that run every test under Rust's own harness, which finds nothing else here.
#[test]
fn all() {
    assert!(!libtest_mimic::run(&Arguments::default(), trials()).has_failed());
}

fn trials() -> Vec<Trial> {
    TARGETS.map(|(name, property)| Trial::test(name, move || holds(name, property))).into()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn holds(name: &str, property: Property) -> Result<(), Failed> {
    let first = number("NVIDIA_HOOK_RANDOM_SEED", 1);
    let known = seeds::of(name);
    for input in &known {
        check(property, input, "a seed")?;
    }
    for seed in first..first + number("NVIDIA_HOOK_RANDOM_RUNS", RUNS) {
        check(property, &changed(&known, &mut Dice::new(seed)), &format!("NVIDIA_HOOK_RANDOM_SEED={seed}"))?;
    }
    Ok(())
}

fn check(property: Property, input: &[u8], whence: &str) -> Result<(), Failed> {
    std::panic::catch_unwind(|| property(input)).map_err(|_| format!("{whence}: {}", input.escape_ascii()).into())
}

/// An input with some changes: bytes changed, removed, repeated or inserted, and pieces of another input.
fn changed(known: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const ODD: &[u8] = b"\0\x1b\xff\n\"\\{}[],:=/.-0a9_#' \t\xc3\x80";
    let mut input = known[dice.below(known.len())].clone();
    for _ in 0..=dice.below(8) {
        let at = dice.below(input.len() + 1);
        let end = (at + dice.below(8)).min(input.len());
        match dice.below(6) {
            0 => input.insert(at, dice.pick(ODD)),
            1 => drop(input.drain(at..end)),
            2 => {
                let piece = input[at..end].repeat(1 + dice.below(4));
                input.splice(at..at, piece);
            }
            3 => input.truncate(at),
            4 => {
                let other = &known[dice.below(known.len())];
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(64)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            _ => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
        }
    }
    input
}
