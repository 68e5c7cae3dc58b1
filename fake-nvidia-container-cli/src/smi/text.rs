//! Templates of lines: text with placeholders for values, as in `data/layouts.toml`.
//!
//! It knows no value and no program.

/// Fills a template. `{key:>8}` is the value of a key, right-aligned in eight columns; `<` aligns left. After the
/// width, `!` cuts the end of a longer text and `^` its beginning, and puts three dots there. A key without a value
/// stays empty.
pub(super) fn fill(template: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (place, behind) = after.split_once('}').unwrap_or((after, ""));
        let (key, form) = place.split_once(':').unwrap_or((place, ""));
        out.push_str(&aligned(&value(key).unwrap_or_default(), form));
        rest = behind;
    }
    out + rest
}

fn aligned(text: &str, form: &str) -> String {
    let width: String = form.chars().filter(char::is_ascii_digit).collect();
    let width: usize = width.parse().unwrap_or_default();
    let length = text.chars().count();
    let text = match form.chars().last() {
        Some('!') if length > width => text.chars().take(width.saturating_sub(3)).chain("...".chars()).collect(),
        Some('^') if length > width => {
            "...".chars().chain(text.chars().skip(length.saturating_sub(width.saturating_sub(3)))).collect()
        }
        _ => text.to_owned(),
    };
    if form.starts_with('>') { format!("{text:>width$}") } else { format!("{text:<width$}") }
}

/// Lines of a list as one text.
pub(super) fn lines(list: &[String], value: &dyn Fn(&str) -> Option<String>) -> String {
    list.iter().map(|line| fill(line, value) + "\n").collect()
}

/// A look-up in pairs.
pub(super) fn pairs<'a>(pairs: &'a [(&'a str, String)]) -> impl Fn(&str) -> Option<String> + 'a {
    move |key| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_aligned_and_cut() {
        let value = |key: &str| (key == "name").then(|| "NVIDIA A100-SXM4-40GB".to_owned());
        assert_eq!(fill("|{name:<18!}|{none:>3}|", &value), "|NVIDIA A100-SXM...|   |");
        assert_eq!(fill("{name:<10^}", &value), "...M4-40GB");
        assert_eq!(fill("{name:>23}{name}", &value), "  NVIDIA A100-SXM4-40GBNVIDIA A100-SXM4-40GB");
        assert_eq!(fill("{name", &value), "NVIDIA A100-SXM4-40GB");
    }

    proptest! {
        #[test]
        fn no_template_panics(template: String, text: String) {
            let _ = fill(&template, &|_| Some(text.clone()));
        }
    }
}
