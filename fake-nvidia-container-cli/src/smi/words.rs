//! The command line of nvidia-smi: its options, each with what it takes, and which of them go together. It knows no
//! GPU.

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// A value can follow, unless the next word is an option.
    Maybe,
}

use Takes::{Maybe, Nothing, Value};

/// The options: the name in the rest of the code, the other spellings, and what the option takes.
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
    ("--driver-model", &["-dm"], Value),
    ("--force-driver-model", &["-fdm"], Value),
    ("--debug", &[], Value),
];

/// Options whose value is a number, or one of these words; the program refuses any other value before it looks at a
/// GPU.
const CODES: &[(&str, &[&str])] = &[
    ("--persistence-mode", SWITCH),
    ("--ecc-config", SWITCH),
    ("--reset-ecc-errors", &["VOLATILE", "AGGREGATE"]),
    ("--compute-mode", &["DEFAULT", "EXCLUSIVE_THREAD", "PROHIBITED", "EXCLUSIVE_PROCESS"]),
    ("--gom", &["ALL_ON", "COMPUTE", "LOW_DP"]),
    ("--virt-mode", &["VGPU", "VSGA"]),
    ("--power-limit", &[]),
    ("--cuda-clocks", &["RESTORE_DEFAULT", "OVERRIDE"]),
    ("--accounting-mode", SWITCH),
    ("--auto-boost-default", SWITCH),
    ("--auto-boost-permission", &["UNRESTRICTED", "RESTRICTED"]),
    ("--multi-instance-gpu", SWITCH),
    ("--gpu-target-temp", &[]),
    ("--dram-encryption", SWITCH),
    ("--driver-model", &["WDDM", "WDM", "TCC", "MCDM"]),
    ("--force-driver-model", &["WDDM", "WDM", "TCC", "MCDM"]),
];
const SWITCH: &[&str] = &["DISABLED", "ENABLED"];

/// What a run without a change can be asked for, and the options that go with it.
const MODES: &[(&str, &[&str])] = &[
    ("--help", &[]),
    ("--version", &[]),
    ("--list-gpus", &[]),
    ("--list-excluded-gpus", &[]),
    ("--query-gpu", SELECTIVE),
    ("--query-supported-clocks", SELECTIVE),
    ("--query-compute-apps", SELECTIVE),
    ("--query-accounted-apps", SELECTIVE),
    ("--query-retired-pages", SELECTIVE),
    ("--query-remapped-rows", SELECTIVE),
    (
        "--query",
        &[
            "--unit",
            "--id",
            "--filename",
            "--xml-format",
            "--dtd",
            "--display",
            "--show-all-processes",
            "--loop",
            "--loop-ms",
        ],
    ),
];
const SELECTIVE: &[&str] = &["--format", "--id", "--filename", "--loop", "--loop-ms"];

/// A command line as read: options by their long names, in order, each with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    given: Vec<Given>,
}

/// A word with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    /// The long name of the option; nothing for a word that is not an option.
    long: Option<&'static str>,
    value: String,
    /// As it was written.
    word: String,
}

/// Words that mean nothing: the line that says so, and the exit code.
type Wrong = (String, i32);

/// Reads a command line. The error is nvidia-smi's line, with the exit code.
pub(super) fn read(words: &[String]) -> Result<Words, Wrong> {
    let mut given = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let (name, inline) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let found = OPTIONS.iter().find(|(long, others, _)| *long == name || others.contains(&name));
        let Some((long, _, takes)) = found.filter(|(_, _, takes)| *takes != Nothing || inline.is_none()) else {
            given.push(Given { long: None, value: String::new(), word: word.clone() });
            continue;
        };
        let value = match (takes, inline) {
            (Nothing, _) => String::new(),
            (_, Some(value)) => value.to_owned(),
            (Value, None) => rest.next().cloned().unwrap_or_default(),
            (Maybe, None) => rest.next_if(|next| !next.starts_with('-')).cloned().unwrap_or_default(),
        };
        if *takes == Value && value.is_empty() {
            return Err(wrong(&format!("{name} is missing its value"), 2));
        }
        if CODES.iter().any(|(option, words)| option == long && !is_code(&value, words)) {
            return Err(wrong(&format!("{value} is invalid for {name}"), 2));
        }
        given.push(Given { long: Some(long), value, word: name.to_owned() });
    }
    Ok(Words { given })
}

/// Whether a value is a number, or one of the words.
fn is_code(value: &str, words: &[&str]) -> bool {
    value.parse::<f64>().is_ok() || words.iter().any(|word| word.eq_ignore_ascii_case(value))
}

fn wrong(what: &str, exit: i32) -> Wrong {
    (format!("ERROR: Option {what}. Please run 'nvidia-smi -h' for help.\n"), exit)
}

impl Words {
    /// What is wrong with the words together: a word that is not an option, or an option that does not go with what the
    /// run is asked for. Changes go with any option.
    pub(super) fn refused(&self, is_change: bool) -> Option<Wrong> {
        let mode = MODES.iter().find(|(mode, _)| self.has(mode)).filter(|_| !is_change);
        let fits = |given: &&Given| match (given.long, mode) {
            (Some(long), Some((mode, others))) => *mode == long || others.contains(&long),
            (long, _) => long.is_some(),
        };
        let word = &self.given.iter().find(|given| !fits(given))?.word;
        Some(match mode {
            Some(_) => wrong(&format!("{word} is not valid for this command"), 2),
            None if is_change => wrong(&format!("{word} is not recognized"), 255),
            // The only message without its last words.
            None => (format!("ERROR: Option {word} is not recognized. Please run 'nvidia-smi -h'.\n"), 255),
        })
    }

    /// The value of an option, empty if it takes none; the last one counts.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().rfind(|given| given.long == Some(name)).map(|given| given.value.as_str())
    }

    /// Whether an option is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The options in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().filter_map(|given| Some((given.long?, given.value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Result<Words, Wrong> {
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
        let missing = "ERROR: Option -m is missing its value. Please run 'nvidia-smi -h' for help.\n";
        assert_eq!(told("-m"), (missing.to_owned(), 2));
        let invalid = "ERROR: Option abc is invalid for -pl. Please run 'nvidia-smi -h' for help.\n";
        assert_eq!(told("-pl abc"), (invalid.to_owned(), 2));
        assert!(line("-pm Enabled -pl 300.5 -lgc x").is_ok());
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let told = |text: &str, is_change: bool| line(text).unwrap().refused(is_change);
        let end = " for help.\n";
        for (text, is_change, what, exit) in [
            ("-lms100", false, "-lms100 is not recognized. Please run 'nvidia-smi -h'.\n", 255),
            ("-i 0 -q=1", false, "-q=1 is not recognized. Please run 'nvidia-smi -h'.\n", 255),
            ("stats -c 1", true, "stats is not recognized. Please run 'nvidia-smi -h'", 255),
            ("stats -h", false, "stats is not valid for this command. Please run 'nvidia-smi -h'", 2),
            ("-L -i 0", false, "-i is not valid for this command. Please run 'nvidia-smi -h'", 2),
        ] {
            let end = if what.ends_with('\n') { "" } else { end };
            assert_eq!(told(text, is_change), Some((format!("ERROR: Option {what}{end}"), exit)), "{text}");
        }
        for text in ["-q -x -i 0 -f x", "-l 1", "-i 0 -x", "--query-gpu=name --format=csv -lms 5"] {
            assert_eq!(told(text, false), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(words: Vec<String>) {
            let _ = read(&words);
        }
    }
}
