//! Tests the requirement language against a second evaluator, written here directly from the rules and sharing no code,
//! and the order of versions on any input.

use nvidia_simulated_machine::requirement::{DeviceFacts, Facts, Verdict, compare, evaluate};
use nvidia_simulated_machine::text::Text;
use proptest::prelude::*;
use std::cmp::Ordering;

/// A version as a list of numbers without trailing zeros, if every part is a number.
fn naive_version(text: &str) -> Option<Vec<u64>> {
    if !text.chars().all(|c| c == '.' || c.is_ascii_digit()) || text.starts_with('.') || text.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    for part in text.split('.').filter(|p| !p.is_empty()) {
        parts.push(part.parse::<u64>().ok().filter(|n| *n < u64::MAX)?);
    }
    while parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}

/// One term: true, false, or `None` if it is not a term.
fn naive_term(term: &str, facts: Facts<'_>) -> Option<bool> {
    let symbols = "<>=!";
    let name: String = term.chars().take_while(|c| !symbols.contains(*c)).collect();
    let operator: String = term.chars().skip(name.chars().count()).take_while(|c| symbols.contains(*c)).collect();
    let value = &term[name.len() + operator.len()..];
    if name.is_empty() || value.is_empty() || !["=", "!=", "!", "<", "<=", ">", ">="].contains(&operator.as_str()) {
        return None;
    }
    let ordered = |actual: &str| {
        let (left, right) = (naive_version(actual)?, naive_version(value)?);
        Some(match operator.as_str() {
            "=" => left == right,
            "<" => left < right,
            "<=" => left <= right,
            ">" => left > right,
            ">=" => left >= right,
            _ => left != right,
        })
    };
    let truth = match (name.to_lowercase().as_str(), facts.device) {
        ("cuda", _) => ordered(facts.cuda),
        ("driver", _) => ordered(facts.driver),
        ("arch" | "brand", None) => return Some(true),
        ("arch", Some(device)) => ordered(device.arch),
        ("brand", Some(device)) if operator == "=" => Some(device.brand.to_lowercase() == value.to_lowercase()),
        ("brand", Some(device)) if operator.starts_with('!') => {
            Some(device.brand.to_lowercase() != value.to_lowercase())
        }
        _ => None,
    };
    let shown = if operator == "!" { "!=" } else { &operator };
    if truth == Some(false) && format!("{name} {shown} {value}").len() >= 128 { None } else { truth }
}

/// All alternatives, one by one.
fn naive(expression: &str, facts: Facts<'_>) -> Verdict {
    let mut failed = false;
    for alternative in expression.split(' ') {
        let terms: Vec<&str> = alternative.split(',').filter(|t| !t.is_empty()).collect();
        if terms.is_empty() && !alternative.is_empty() {
            break;
        }
        let mut all = !terms.is_empty();
        for term in terms {
            match naive_term(term, facts) {
                None => return Verdict::Invalid,
                Some(true) => {}
                Some(false) => {
                    (all, failed) = (false, true);
                    break;
                }
            }
        }
        if all {
            return Verdict::Satisfied;
        }
    }
    if failed { Verdict::Unsatisfied } else { Verdict::Satisfied }
}

const T4: Facts<'_> =
    Facts { cuda: "12.4", driver: "550.54.15", device: Some(DeviceFacts { arch: "7.5", brand: "Tesla" }) };
const NOTHING: Facts<'_> = Facts { device: None, ..T4 };

/// Text that is often a requirement, and often nearly one.
fn expression() -> impl Strategy<Value = String> {
    let name = prop_oneof!["cuda", "driver", "arch", "brand", "CUDA", "Brand", "x", ""];
    let operator = prop_oneof!["=", "!=", "!", "<", "<=", ">", ">=", "==", "=>", ""];
    let value = prop_oneof![
        "12",
        "12.4",
        "12.4.0",
        "550.54",
        "7.5",
        "7",
        "tesla",
        "Tesla",
        "geforce",
        "",
        ".5",
        "12.",
        "[0-9.]{0,6}",
        "x{110,130}"
    ];
    let term = (name, operator, value).prop_map(|(n, o, v)| format!("{n}{o}{v}"));
    let separator = prop_oneof![" ", ",", "  ", ",,", " ,"];
    prop::collection::vec((term, separator), 0..5)
        .prop_map(|parts| parts.into_iter().map(|(term, separator)| term + &separator).collect::<String>())
}

fn version() -> impl Strategy<Value = String> {
    "[0-9]{1,3}(\\.{1,2}[0-9]{1,3}){0,3}\\.?"
}

proptest! {
    #[test]
    fn both_evaluators_agree(expression in expression()) {
        for facts in [T4, NOTHING] {
            prop_assert_eq!(evaluate(&expression, facts), naive(&expression, facts), "{:?}", expression);
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        for facts in [T4, NOTHING] {
            let _ = evaluate(&Text::new(&bytes), facts);
        }
    }

    #[test]
    fn valid_versions_are_totally_ordered(a in version(), b in version(), c in version()) {
        let order = |x: &str, y: &str| compare(x, y).unwrap();
        prop_assert_eq!(order(&a, &a), Ordering::Equal);
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        if order(&a, &b) != Ordering::Greater && order(&b, &c) != Ordering::Greater {
            prop_assert_ne!(order(&a, &c), Ordering::Greater);
        }
        prop_assert_eq!(order(&a, &b), naive_version(&a).unwrap().cmp(&naive_version(&b).unwrap()));
    }

    #[test]
    fn adding_an_alternative_before_never_unsatisfies_without_making_it_invalid(a in expression(), b in expression()) {
        let ends_early = |text: &str| text.split(' ').any(|part| !part.is_empty() && part.trim_matches(',').is_empty());
        if evaluate(&b, T4) == Verdict::Satisfied && !ends_early(&a) && !ends_early(&b) && !b.trim().is_empty() {
            let both = format!("{a} {b}");
            prop_assert_ne!(evaluate(&both, T4), Verdict::Unsatisfied);
        }
    }
}
