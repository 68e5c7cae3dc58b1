//! Fills lines as argp's output stream does: up to 79 columns, broken at blanks. It knows only text.

/// The column at which longer text is broken.
const MARGIN: usize = 79;

/// Fills one paragraph and ends it with a newline.
#[must_use]
pub fn wrap(paragraph: &str) -> String {
    let mut out = String::new();
    let mut rest: Vec<char> = paragraph.chars().collect();
    while rest.len() >= MARGIN {
        let Some(at) = break_point(&rest) else { break };
        let tail = rest.split_off(at);
        let line: String = rest.iter().collect();
        out.push_str(line.trim_end_matches(' '));
        out.push('\n');
        rest = tail.into_iter().skip_while(|c| *c == ' ').collect();
    }
    out.extend(rest);
    out.push('\n');
    out
}

/// The last blank that ends a line of at most `MARGIN` characters, else the first blank after a word too long for a
/// line.
fn break_point(rest: &[char]) -> Option<usize> {
    let within = rest.iter().take(MARGIN + 1).rposition(|c| *c == ' ');
    within.filter(|at| *at > 0).or_else(|| rest.iter().position(|c| *c == ' ').filter(|at| *at > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_line(name: &str) -> String {
        wrap(&format!("Try `{name} --help' or `{name} --usage' for more information."))
    }

    #[test]
    fn lines_break_where_the_recorded_ones_do() {
        assert_eq!(
            try_line("nvidia-container-cli"),
            "Try `nvidia-container-cli --help' or `nvidia-container-cli --usage' for more\ninformation.\n"
        );
        assert_eq!(
            try_line("nvidia-container-cli list"),
            "Try `nvidia-container-cli list --help' or `nvidia-container-cli list --usage'\nfor more information.\n"
        );
        assert_eq!(
            try_line("nvidia-container-cli configure"),
            "Try `nvidia-container-cli configure --help' or `nvidia-container-cli configure\n--usage' for more information.\n"
        );
        assert_eq!(try_line("x"), "Try `x --help' or `x --usage' for more information.\n");
    }

    #[test]
    fn a_word_longer_than_a_line_stands_alone() {
        let long = "y".repeat(90);
        assert_eq!(wrap(&format!("{long} a b")), format!("{long}\na b\n"));
        assert_eq!(wrap(&long), format!("{long}\n"));
    }
}
