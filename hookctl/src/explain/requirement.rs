//! Whether a requirement would be met, by the grammar of `nvidia-container-cli`: alternatives between spaces, terms
//! between commas, `NAME OP VALUE` with the names cuda, driver, arch and brand. What depends on the GPU is unknown here.

use std::cmp::Ordering;

use super::report::Met;
use crate::driver;

/// What is known of the driver that is to meet it.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// Its version.
    pub driver: Option<&'k str>,
    /// The newest CUDA that it serves.
    pub cuda: Option<&'k str>,
}

/// Evaluates an expression.
#[must_use]
pub fn evaluate(expression: &str, known: Known<'_>) -> Met {
    let mut result = None;
    for alternative in expression.split(' ').filter(|alternative| terms(alternative).next().is_some()) {
        match all(terms(alternative).map(|term| evaluate_term(term, known))) {
            Met::No => result = Some(result.unwrap_or(Met::No)),
            // Whether the rest is looked at depends on what is not known.
            Met::Unknown => result = Some(Met::Unknown),
            Met::Yes | Met::Invalid if result == Some(Met::Unknown) => {}
            decided => return decided,
        }
    }
    result.unwrap_or(Met::Yes)
}

/// Whether no driver that is known here can meet an expression, however it comes to be installed.
#[must_use]
pub fn is_unmeetable(expression: &str) -> bool {
    let known = driver::cuda_releases().map(|cuda| Known { driver: None, cuda: Some(cuda) });
    expression.contains("cuda") && known.map(|known| evaluate(expression, known)).all(|met| met == Met::No)
}

/// The oldest driver with the CUDA that an expression asks for first.
#[must_use]
pub fn needed_driver(expression: &str) -> Option<&'static str> {
    let first = expression.split(' ').find(|alternative| terms(alternative).next().is_some())?;
    terms(first).filter_map(split).find_map(|(name, operator, value)| match operator {
        ">=" | "=" | ">" if name.eq_ignore_ascii_case("cuda") => driver::oldest_for_cuda(value),
        _ => None,
    })
}

fn terms(alternative: &str) -> impl Iterator<Item = &str> {
    alternative.split(',').filter(|term| !term.is_empty())
}

/// The first term that is not true decides; one that is unknown may hide what stands behind it.
fn all(terms: impl Iterator<Item = Met>) -> Met {
    let mut result = Met::Yes;
    for term in terms {
        match term {
            Met::Yes => {}
            Met::Unknown => result = Met::Unknown,
            Met::No => return Met::No,
            Met::Invalid if result == Met::Unknown => {}
            Met::Invalid => return Met::Invalid,
        }
    }
    result
}

fn evaluate_term(term: &str, known: Known<'_>) -> Met {
    let Some((name, operator, value)) = split(term) else { return Met::Invalid };
    match name.to_ascii_lowercase().as_str() {
        "cuda" => versions(known.cuda, operator, value),
        "driver" => versions(known.driver, operator, value),
        "arch" if is_version(value) => Met::Unknown,
        "brand" if matches!(operator, "=" | "!=" | "!") => Met::Unknown,
        _ => Met::Invalid,
    }
}

/// Name, operator and value, none of them empty, of a known operator.
fn split(term: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| "<>=!".contains(c);
    let start = term.find(is_operator)?;
    let (name, rest) = term.split_at(start);
    let (operator, value) = rest.split_at(rest.find(|c| !is_operator(c))?);
    let known = ["=", "!=", "!", "<", "<=", ">", ">="].contains(&operator);
    (known && !name.is_empty()).then_some((name, operator, value))
}

fn versions(ours: Option<&str>, operator: &str, value: &str) -> Met {
    if !is_version(value) {
        return Met::Invalid;
    }
    let Some(ours) = ours else { return Met::Unknown };
    let order = driver::compare(ours, value);
    let met = match operator {
        "=" => order == Ordering::Equal,
        "!=" | "!" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    };
    if met { Met::Yes } else { Met::No }
}

fn is_version(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit()) && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_and_terms_follow_the_programs_grammar() {
        let known = Known { driver: Some("550.54.14"), cuda: Some("12.4") };
        for (expression, met) in [
            ("cuda>=12.4", Met::Yes),
            ("cuda>=12.8", Met::No),
            ("cuda>=12.8 driver>=550", Met::Yes),
            ("cuda>=12.8 brand=tesla,driver>=470,driver<471", Met::No),
            ("cuda>=12.8 brand=tesla,driver>=550", Met::Unknown),
            ("cuda>=12 bogus", Met::Yes),
            ("cuda>=99 bogus", Met::Invalid),
            ("cuda>=99,bogus", Met::No),
            ("cuda==12", Met::Invalid),
            ("CUDA!12.4.0", Met::No),
            ("cuda>=99 ,", Met::No),
            ("", Met::Yes),
            (" , ", Met::Yes),
            ("brand<x", Met::Invalid),
            ("arch>=8.0", Met::Unknown),
        ] {
            assert_eq!(evaluate(expression, known), met, "{expression}");
        }
        assert_eq!(evaluate("cuda>=12", Known { driver: None, cuda: None }), Met::Unknown);
    }

    #[test]
    fn a_requirement_beyond_every_known_release_is_unmeetable() {
        assert!(is_unmeetable("cuda>=99.0"));
        assert!(
            !is_unmeetable("cuda>=12.8") && !is_unmeetable("driver>=999") && !is_unmeetable("cuda>=99 brand=tesla")
        );
        assert_eq!(needed_driver("brand=tesla,cuda>=12.8"), Some("570.26"));
        assert_eq!(needed_driver("driver>=470"), None);
    }
}
