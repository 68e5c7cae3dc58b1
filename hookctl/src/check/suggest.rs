//! What the user may have meant. Must not know the file.

use hook::contract::keys::ROWS;

/// The name nearest to a word, if one is close enough to be what was meant.
#[must_use]
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let distance = |name: &str| strsim::damerau_levenshtein(&word, &plain(name));
    let (best, name) = names.map(|name| (distance(name), name)).min_by_key(|(distance, _)| *distance)?;
    (best <= (word.chars().count() / 3).max(1)).then_some(name)
}

/// The section of the one known key whose last part is `last`; empty for the top of the file.
#[must_use]
pub fn belongs_to(last: &str) -> Option<&'static str> {
    let homes = ROWS.iter().map(|row| row.name.rsplit_once('.').unwrap_or(("", row.name)));
    let mut homes = homes.filter(|(_, name)| *name == last).map(|(home, _)| home);
    let home = homes.next()?;
    homes.next().is_none().then_some(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let names = || ["no-cgroups", "no-pivot", "root"].into_iter();
        assert_eq!(nearest("no_cgroups", names()), Some("no-cgroups"));
        assert_eq!(nearest("No-Cgroup", names()), Some("no-cgroups"));
        assert_eq!(nearest("rot", names()), Some("root"));
        assert_eq!(nearest("banana", names()), None);
    }
}
