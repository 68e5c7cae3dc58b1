//! The requirement language of `--require`: alternatives of terms, evaluated left to right with short circuit.
//!
//! A self-contained library: it knows a driver, a device and a text, but not where they come from. Evaluation keeps its
//! trace, to show what decided; the verdict is part of the trace.

mod version;

pub use version::compare;

use crate::text::byte_len;
use std::cmp::Ordering;

/// A false term whose rendering has this many bytes or more is invalid: the real program's buffer is that small.
const RENDER_LIMIT: usize = 128;

/// The facts that a requirement is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The CUDA version of the driver.
    pub cuda: &'a str,
    /// The version of the driver.
    pub driver: &'a str,
    /// The device, if one is selected.
    pub device: Option<DeviceFacts<'a>>,
}

/// What a requirement can ask of a device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFacts<'a> {
    /// The compute capability, `M.m`.
    pub arch: &'a str,
    /// The brand word, e.g. `Tesla`.
    pub brand: &'a str,
}

/// The verdict on a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds on this machine.
    Satisfied,
    /// It does not hold on this machine.
    Unsatisfied,
    /// It is not a requirement, as far as it was read.
    Invalid,
}

/// The result of one term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermResult {
    /// It holds on this machine.
    True,
    /// It asks for a device's property while no device is selected, and so holds whatever it says.
    TrueWithoutDevice,
    /// It does not hold.
    False,
    /// It is not a term, or it is false and too long.
    Invalid,
    /// It was never read.
    NotReached,
}

/// A term and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermTrace<'a> {
    /// The term as written.
    pub text: &'a str,
    /// Its result.
    pub result: TermResult,
}

/// The evaluation: the terms of each alternative, and the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    /// All alternatives that have terms.
    pub alternatives: Vec<Vec<TermTrace<'a>>>,
    /// The verdict on the whole requirement.
    pub verdict: Verdict,
}

/// The verdict on a requirement, without the trace.
#[must_use]
pub fn evaluate(expression: &str, facts: Facts<'_>) -> Verdict {
    trace(expression, facts).verdict
}

/// Evaluates a requirement and keeps the result of each term.
#[must_use]
pub fn trace<'a>(expression: &'a str, facts: Facts<'_>) -> Trace<'a> {
    let mut verdict = None;
    let mut any_false = false;
    let mut alternatives = Vec::new();
    for alternative in expression.split(' ') {
        let mut terms = Vec::new();
        let mut open = verdict.is_none();
        for text in alternative.split(',').filter(|t| !t.is_empty()) {
            let result = if open { term(text, facts) } else { TermResult::NotReached };
            terms.push(TermTrace { text, result });
            match result {
                TermResult::False => (open, any_false) = (false, true),
                TermResult::Invalid => (open, verdict) = (false, Some(Verdict::Invalid)),
                _ => {}
            }
        }
        let only_commas = terms.is_empty() && !alternative.is_empty();
        if open && only_commas && any_false {
            // An alternative of only commas ends the reading, and does not make up for a false term.
            verdict = Some(Verdict::Unsatisfied);
        } else if open && (only_commas || !terms.is_empty()) {
            verdict = Some(Verdict::Satisfied);
        }
        if !terms.is_empty() {
            alternatives.push(terms);
        }
    }
    let otherwise = if any_false { Verdict::Unsatisfied } else { Verdict::Satisfied };
    Trace { alternatives, verdict: verdict.unwrap_or(otherwise) }
}

/// The detail of the error about a requirement that does not hold.
///
/// It names the text up to the first space, not the term that failed; the advice depends on the first six characters.
#[must_use]
pub fn unsatisfied(expression: &str) -> String {
    let group = expression.split(' ').next().unwrap_or_default();
    let advice = if group.starts_with("cuda>=") {
        ", please update your driver to a newer version, or use an earlier cuda container"
    } else {
        ""
    };
    format!("unsatisfied condition: {group}{advice}")
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Differ,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Operator {
    /// The six operators; a lone `!` counts as `!=`, since `!=` begins with it.
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "=" => Self::Equal,
            "!=" | "!" => Self::Differ,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::More,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Differ => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

fn term(text: &str, facts: Facts<'_>) -> TermResult {
    let Some((name, operator, value)) = split(text) else { return TermResult::Invalid };
    let Some(op) = Operator::named(operator) else { return TermResult::Invalid };
    let truth = match name.to_ascii_lowercase().as_str() {
        "cuda" => compare(facts.cuda, value).map(|order| op.holds(order)),
        "driver" => compare(facts.driver, value).map(|order| op.holds(order)),
        "arch" | "brand" if facts.device.is_none() => return TermResult::TrueWithoutDevice,
        "arch" => facts.device.and_then(|d| compare(d.arch, value)).map(|order| op.holds(order)),
        "brand" => facts.device.and_then(|d| brand(d.brand, op, value)),
        _ => None,
    };
    match truth {
        Some(true) => TermResult::True,
        // Rendered with a blank on both sides of the operator, and a lone `!` as `!=`.
        Some(false) if byte_len(text) + 2 + usize::from(operator == "!") >= RENDER_LIMIT => TermResult::Invalid,
        Some(false) => TermResult::False,
        None => TermResult::Invalid,
    }
}

/// Name, operator and value; `None` if the operator or the value is missing. An empty name is an unknown name.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    const OPERATORS: [char; 4] = ['<', '>', '=', '!'];
    let (name, rest) = text.split_at_checked(text.find(OPERATORS)?)?;
    let end = rest.find(|c| !OPERATORS.contains(&c))?;
    let (operator, value) = rest.split_at_checked(end)?;
    Some((name, operator, value))
}

fn brand(brand: &str, op: Operator, value: &str) -> Option<bool> {
    match op {
        Operator::Equal => Some(brand.eq_ignore_ascii_case(value)),
        Operator::Differ => Some(!brand.eq_ignore_ascii_case(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T4: Facts<'_> =
        Facts { cuda: "12.4", driver: "550.54.15", device: Some(DeviceFacts { arch: "7.5", brand: "Tesla" }) };

    #[test]
    fn the_first_alternative_that_holds_hides_the_rest() {
        assert_eq!(evaluate("cuda>=12 bogus", T4), Verdict::Satisfied);
        assert_eq!(evaluate("cuda>=99 bogus", T4), Verdict::Invalid);
        assert_eq!(evaluate("cuda>=99,bogus", T4), Verdict::Unsatisfied);
        let trace = trace("cuda>=99,bogus cuda>=12 more", T4);
        let results: Vec<_> = trace.alternatives.iter().flatten().map(|t| t.result).collect();
        use TermResult::{False, NotReached, True};
        assert_eq!(results, [False, NotReached, True, NotReached]);
    }

    #[test]
    fn nothing_to_ask_passes_and_rescues_nothing() {
        for empty in ["", " ", ",", " , ,"] {
            assert_eq!(evaluate(empty, T4), Verdict::Satisfied, "{empty:?}");
        }
        assert_eq!(evaluate("cuda>=99  ", T4), Verdict::Unsatisfied);
        assert_eq!(evaluate("cuda>=99 ,", T4), Verdict::Unsatisfied);
    }

    #[test]
    fn an_alternative_of_commas_alone_ends_the_reading() {
        assert_eq!(evaluate("cuda>=99 , cuda>=1", T4), Verdict::Unsatisfied);
        assert_eq!(evaluate(",, bogus", T4), Verdict::Satisfied);
        assert_eq!(evaluate("  cuda>=1 , bogus", T4), Verdict::Satisfied);
    }

    #[test]
    fn without_a_device_arch_and_brand_hold_whatever_they_say() {
        let nothing = Facts { device: None, ..T4 };
        for term in ["arch>=abc", "brand<x", "ARCH=1"] {
            assert_eq!(evaluate(term, nothing), Verdict::Satisfied, "{term}");
        }
        assert_eq!(evaluate("arch==1", nothing), Verdict::Invalid);
        assert_eq!(evaluate("cuda<1", nothing), Verdict::Unsatisfied);
    }

    #[test]
    fn a_long_false_term_is_invalid_and_a_long_true_one_is_not() {
        let long = |op: &str, length: usize| format!("brand{op}{}", "x".repeat(length));
        assert_eq!(evaluate(&long("=", 119), T4), Verdict::Unsatisfied);
        assert_eq!(evaluate(&long("=", 120), T4), Verdict::Invalid);
        assert_eq!(evaluate(&long("!=", 500), T4), Verdict::Satisfied);
        let bang = |length: usize| format!("cuda!{}12.4", "0".repeat(length));
        assert_eq!(evaluate(&bang(115), T4), Verdict::Unsatisfied);
        assert_eq!(evaluate(&bang(116), T4), Verdict::Invalid);
    }

    #[test]
    fn the_message_names_the_text_before_the_first_space() {
        assert!(unsatisfied("cuda>=99 x").starts_with("unsatisfied condition: cuda>=99, please update"));
        assert_eq!(unsatisfied(" cuda>=99"), "unsatisfied condition: ");
        assert_eq!(unsatisfied("CUDA>=99"), "unsatisfied condition: CUDA>=99");
    }
}
