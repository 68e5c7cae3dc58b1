//! The command line of nvidia-smi: its options, each with what it takes. It knows no value and no GPU.

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// A value may follow, unless the next word is an option.
    Maybe,
}

use Takes::{Maybe, Nothing, Value};

/// The options: the name by which the rest knows it, the other spellings, and what it takes.
const OPTIONS: &[(&str, &[&str], Takes)] = &[
    ("--help", &["-h"], Nothing),
    ("--version", &[], Nothing),
    ("--list-gpus", &["-L"], Nothing),
    ("--list-excluded-gpus", &["-B"], Nothing),
    ("--columns", &["-col"], Nothing),
    ("--id", &["-i"], Value),
    ("--filename", &["-f"], Value),
    ("--loop", &["-l"], Maybe),
    ("--loop-ms", &["-lms"], Value),
    ("--query", &["-q"], Nothing),
    ("--unit", &["-u"], Nothing),
    ("--xml-format", &["-x"], Nothing),
    ("--dtd", &[], Nothing),
    ("--display", &["-d"], Value),
    ("--show-all-processes", &[], Nothing),
    ("--query-gpu", &[], Value),
    ("--query-supported-clocks", &[], Value),
    ("--query-compute-apps", &[], Value),
    ("--query-accounted-apps", &[], Value),
    ("--query-retired-pages", &[], Value),
    ("--query-remapped-rows", &[], Value),
    ("--help-query-gpu", &[], Nothing),
    ("--help-query-supported-clocks", &[], Nothing),
    ("--help-query-compute-apps", &[], Nothing),
    ("--help-query-accounted-apps", &[], Nothing),
    ("--help-query-retired-pages", &[], Nothing),
    ("--help-query-remapped-rows", &[], Nothing),
    ("--format", &[], Value),
    ("--persistence-mode", &["-pm"], Value),
    ("--ecc-config", &["-e"], Value),
    ("--reset-ecc-errors", &["-p"], Value),
    ("--compute-mode", &["-c"], Value),
    ("--gom", &[], Value),
    ("--gpu-reset", &["-r"], Maybe),
    ("--virt-mode", &["-vm"], Value),
    ("--lock-gpu-clocks", &["-lgc"], Value),
    ("--mode", &["-m"], Value),
    ("--reset-gpu-clocks", &["-rgc"], Nothing),
    ("--lock-memory-clocks", &["-lmc"], Value),
    ("--reset-memory-clocks", &["-rmc"], Nothing),
    ("--lock-memory-clocks-deferred", &["-lmcd"], Value),
    ("--reset-memory-clocks-deferred", &["-rmcd"], Nothing),
    ("--applications-clocks", &["-ac"], Value),
    ("--reset-applications-clocks", &["-rac"], Nothing),
    ("--power-limit", &["-pl"], Value),
    ("--scope", &["-sc"], Value),
    ("--cuda-clocks", &["-cc"], Value),
    ("--accounting-mode", &["-am"], Value),
    ("--clear-accounted-apps", &["-caa"], Nothing),
    ("--auto-boost-default", &[], Value),
    ("--auto-boost-permission", &[], Value),
    ("--multi-instance-gpu", &["-mig"], Value),
    ("--gpu-target-temp", &["-gtt"], Value),
    ("--dram-encryption", &["-den"], Value),
    ("--set-hostname", &[], Value),
    ("--get-hostname", &[], Nothing),
    ("--error-on-warning", &["-eow"], Nothing),
    ("--toggle-led", &["-t"], Value),
    ("--debug", &[], Value),
];

/// A command line as read: options by their long names, in order, each with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    given: Vec<(&'static str, String)>,
}

/// Reads a command line. The error is nvidia-smi's line.
pub(super) fn read(words: &[String]) -> Result<Words, String> {
    let mut given = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let (name, inline) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let found = OPTIONS.iter().find(|(long, others, _)| *long == name || others.contains(&name));
        let Some((long, _, takes)) = found.filter(|(_, _, takes)| *takes != Nothing || inline.is_none()) else {
            return Err(format!("ERROR: Option {word} is not recognized. Please run 'nvidia-smi -h' for help."));
        };
        let value = match (takes, inline) {
            (Nothing, _) => String::new(),
            (_, Some(value)) => value.to_owned(),
            (Value, None) => rest.next().cloned().unwrap_or_default(),
            (Maybe, None) => rest.next_if(|next| !next.starts_with('-')).cloned().unwrap_or_default(),
        };
        if *takes == Value && value.is_empty() {
            return Err(format!("ERROR: Option {name} is missing its value. Please run 'nvidia-smi -h' for help."));
        }
        given.push((*long, value));
    }
    Ok(Words { given })
}

impl Words {
    /// The value of an option, empty if it takes none; the last one counts.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().rfind(|(long, _)| *long == name).map(|(_, value)| value.as_str())
    }

    /// Whether an option is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The options in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().map(|(long, value)| (*long, value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Result<Words, String> {
        read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn an_option_may_be_short_or_long_and_its_value_beside_or_after_it() {
        for text in ["-q -x -i 0", "--xml-format --query --id=0", "-x -q -i=0"] {
            let words = line(text).unwrap();
            assert!(words.has("--query") && words.has("--xml-format"), "{text}");
            assert_eq!(words.get("--id"), Some("0"), "{text}");
        }
        assert_eq!(line("-l -q").unwrap().get("--loop"), Some(""));
        assert_eq!(line("-l 5 -q").unwrap().get("--loop"), Some("5"));
    }

    #[test]
    fn what_is_not_an_option_is_named() {
        let told = |text: &str| line(text).unwrap_err();
        assert_eq!(told("-lms100"), "ERROR: Option -lms100 is not recognized. Please run 'nvidia-smi -h' for help.");
        assert_eq!(told("-m"), "ERROR: Option -m is missing its value. Please run 'nvidia-smi -h' for help.");
        assert!(told("-q=1").contains("-q=1"));
    }

    proptest! {
        #[test]
        fn no_words_panic(words: Vec<String>) {
            let _ = read(&words);
        }
    }
}
