//! The words of FAKE_NVIDIA_FAIL: `NAME`, or `key=value` pairs, comma-separated; `stderr=` takes the rest.

use super::find;
use nix::sys::signal::Signal;
use nvidia_simulated_machine::step::Step;
use std::str::FromStr;

/// A failure as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// When it is due.
    pub step: Step,
    /// The name, if it is a named failure.
    pub name: Option<String>,
    /// The exit code; if left out, it follows from the rest.
    pub exit: Option<i32>,
    /// The text on standard error.
    pub stderr: Option<String>,
    /// The signal to die of.
    pub signal: Option<i32>,
    /// How long to wait first.
    pub delay_ms: u64,
    /// Whether to stay there forever.
    pub hang: bool,
    /// It is due in every nth run; this is n.
    pub every: u64,
    /// Whether the text shows the name that a wrapper script gives the program.
    pub real: bool,
}

/// Reads the words of a setting; the error names the one that is not understood.
pub fn parse(words: &str) -> Result<Spec, String> {
    let mut spec = Spec {
        step: Step::Start,
        name: None,
        exit: None,
        stderr: None,
        signal: None,
        delay_ms: 0,
        hang: false,
        every: 1,
        real: false,
    };
    let mut step = None;
    let mut argument = None;
    let mut rest = words;
    while !rest.is_empty() {
        if let Some(text) = rest.strip_prefix("stderr=") {
            spec.stderr = Some(line(text));
            break;
        }
        let (word, after) = rest.split_once(',').unwrap_or((rest, ""));
        rest = after;
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let bad = || format!("fail: `{word}` is not understood; see `fake-nvidia-container-cli failures`");
        match key {
            "exit" => spec.exit = Some(value.parse::<u8>().map(i32::from).map_err(|_| bad())?),
            "signal" => spec.signal = Some(signal(value).ok_or_else(bad)?),
            "delay" => spec.delay_ms = value.parse().map_err(|_| bad())?,
            "every" => spec.every = value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?,
            "at" => step = Some(Step::named(value).ok_or_else(bad)?),
            "for" => argument = Some(value.to_owned()),
            "hang" if value.is_empty() => spec.hang = true,
            "real" if value.is_empty() => spec.real = true,
            name if value.is_empty() && find(name).is_some() => spec.name = Some(name.to_owned()),
            _ => return Err(bad()),
        }
    }
    if let Some(named) = spec.name.as_deref().and_then(find) {
        spec.step = named.played.step;
        spec.exit = spec.exit.or(Some(named.played.exit));
        spec.stderr = Some(named.text(argument.as_deref()));
    }
    spec.step = step.unwrap_or(spec.step);
    Ok(spec)
}

/// A text given by hand ends with a newline and can have more, written as `\n`.
fn line(text: &str) -> String {
    let text = text.replace("\\n", "\n");
    if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
}

/// A signal by number, `KILL` or `SIGKILL`.
fn signal(word: &str) -> Option<i32> {
    let signal = match word.parse::<i32>() {
        Ok(number) => Signal::try_from(number),
        Err(_) if word.starts_with("SIG") => Signal::from_str(word),
        Err(_) => Signal::from_str(&format!("SIG{word}")),
    };
    signal.ok().map(|signal| signal as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_failure_can_be_spelled_out() {
        let spec = parse("exit=7,at=mount,every=3,delay=5,stderr=a, b\\nc").unwrap();
        assert_eq!((spec.exit, spec.step, spec.every, spec.delay_ms), (Some(7), Step::Mount, 3, 5));
        assert_eq!(spec.stderr.as_deref(), Some("a, b\nc\n"));
        assert_eq!(parse("signal=KILL").unwrap().signal, Some(9));
        assert_eq!(parse("signal=15").unwrap().signal, Some(15));
        assert_eq!(parse("signal=SIGTERM").unwrap().signal, Some(15));
        assert!(parse("hang").unwrap().hang);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for wrong in
            ["nonsense", "exit=x", "exit=256", "signal=0", "signal=34", "every=0", "at=nowhere", "hang=1", "exit"]
        {
            assert!(parse(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(words: String) {
            let _ = parse(&words);
        }
    }
}
