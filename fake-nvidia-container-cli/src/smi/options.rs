//! The command line of a subcommand: options by their long names, each with its value.

/// Options as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    given: Vec<(&'static str, String)>,
}

/// Reads words by a table: an option's name in the rest of the code, its other spellings, and whether it takes a value.
/// The value is empty if the next word is an option or missing.
pub(super) fn read(words: &[String], known: &'static [(&str, &[&str], bool)]) -> Result<Options, String> {
    let mut given = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let (name, inline) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let Some((long, _, takes)) = known.iter().find(|(long, others, _)| *long == name || others.contains(&name))
        else {
            return Err(format!("Option \"{word}\" is not recognized."));
        };
        let next = || rest.next_if(|next| !next.starts_with('-')).cloned();
        let value = if *takes { inline.map(str::to_owned).or_else(next).unwrap_or_default() } else { String::new() };
        given.push((*long, value));
    }
    Ok(Options { given })
}

impl Options {
    /// The value of an option.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().rfind(|(long, _)| *long == name).map(|(_, value)| value.as_str())
    }

    /// Whether there are no options.
    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Whether an option is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}
