//! Finding a topology: a built-in name, or the path of a JSON or TOML file. An error names the file and the line.

use super::file::TopologyFile;
use super::{Topology, builtin, check, fill};
use std::path::Path;

/// The default machine.
const DEFAULT: &str = "t4";

/// The names of the built-in topologies.
pub fn names() -> impl Iterator<Item = &'static str> {
    builtin::ALL.iter().map(|(name, _)| *name)
}

/// Reads the requested topology.
pub fn load(asked: Option<&str>) -> Result<Topology, String> {
    let asked = asked.unwrap_or(DEFAULT);
    if let Some((name, text)) = builtin::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked)) {
        return parse(text, Syntax::Toml, name, &format!("built-in topology {name}"));
    }
    let path = Path::new(asked);
    let known = || names().collect::<Vec<_>>().join(", ");
    let text = std::fs::read_to_string(path).map_err(|why| {
        format!("topology `{asked}`: {why} (it is not a built-in name either; those are {})", known())
    })?;
    let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))
        || (path.extension().is_none() && text.trim_start().starts_with('{'));
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    parse(&text, if json { Syntax::Json } else { Syntax::Toml }, &stem, asked)
}

/// The two ways to write a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// JSON, as other programs write it.
    Json,
    /// TOML, as people write it.
    Toml,
}

/// Reads a topology from text; `name` is its name if it does not state one, `place` is where the text comes from.
pub fn parse(text: &str, syntax: Syntax, name: &str, place: &str) -> Result<Topology, String> {
    let file: TopologyFile = match syntax {
        Syntax::Json => serde_json::from_str(text).map_err(|why| json_error(&why, place))?,
        Syntax::Toml => toml::from_str(text).map_err(|why| toml_error(&why, text, place))?,
    };
    let topology = fill::fill(file, name).map_err(|why| format!("{place}: {why}"))?;
    check::check(&topology).map_err(|c| {
        let line = line_of(text, &c.value).map(|line| format!(":{line}")).unwrap_or_default();
        format!("{place}{line}: {}: {}", c.member, c.what)
    })?;
    Ok(topology)
}

fn json_error(why: &serde_json::Error, place: &str) -> String {
    let text = why.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    format!("{place}:{}:{}: {what}", why.line(), why.column())
}

fn toml_error(why: &toml::de::Error, text: &str, place: &str) -> String {
    let before = why.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{place}:{line}:{column}: {}", why.message().replace('\n', " "))
}

/// The last line that contains a value: if two are equal, the second is the one to complain about.
fn line_of(text: &str, value: &str) -> Option<usize> {
    let value = value.to_ascii_lowercase();
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().rposition(|line| line.to_ascii_lowercase().contains(&value))?;
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_built_in_machine_is_one() {
        for name in names() {
            load(Some(name)).unwrap();
        }
        assert_eq!(load(None).unwrap().gpus.len(), 1);
    }

    #[test]
    fn two_words_make_a_machine() {
        assert_eq!(parse("", Syntax::Toml, "mine", "x.toml").unwrap().gpus[0].model, "Tesla T4");
        let got = parse("gpus = 2\nmodel = \"H100\"\n", Syntax::Toml, "mine", "x.toml").unwrap();
        assert_eq!(got.gpus.len(), 2);
        assert_eq!(got.gpus[1].model, "NVIDIA H100 80GB HBM3");
        assert_ne!(got.gpus[0].uuid, got.gpus[1].uuid);
        assert_eq!(got, parse("gpus = 2\nmodel = \"H100\"\n", Syntax::Toml, "mine", "x.toml").unwrap());
    }

    #[test]
    fn errors_name_file_and_line() {
        let toml = |text: &str| parse(text, Syntax::Toml, "x", "x.toml").unwrap_err();
        let json = |text: &str| parse(text, Syntax::Json, "x", "x.json").unwrap_err();
        assert!(toml("\nmodell = \"T4\"\n").starts_with("x.toml:2:1: unknown field `modell`"));
        assert!(toml("[[gpus]]\n[[gpus]]\nuuid = \"GPU-1\"\n").starts_with("x.toml:3: gpus[1].uuid: `GPU-1`"));
        assert!(toml("[[gpus]]\nmodel = \"Voodoo\"\n").contains("gpus[0].arch: missing"));
        assert!(json("{\n \"gpus\": [{\"mino\": 1}]\n}").starts_with("x.json:2:"));
        assert!(json("{\"gpus\": -1}").contains("not a number of GPUs"));
        // Refused before memory is allocated for them.
        assert!(json("{\"gpus\": 7777777}").starts_with("x.json:1:16: more than 254 GPUs"));
        assert!(toml("nopid = true\ngpus = 255\n").starts_with("x.toml:2:8: more than 254 GPUs"));
        assert_eq!(parse("gpus = 254", Syntax::Toml, "x", "x.toml").unwrap().gpus.len(), 254);
        let channels = "x.toml:1: imex_channels_present: `1048577` is more than the 1048576 minor numbers";
        assert!(toml("imex_channels_present = 1048577\n").starts_with(channels));
        assert!(parse("imex_channels_present = 1048576\n", Syntax::Toml, "x", "x.toml").is_ok());
        assert!(toml("[fail]\nat = \"lunch\"\nmessage = \"\"\n").contains("`lunch` is not a step"));
        let twice = "[[gpus]]\nbusid = \"00000000:01:00.0\"\n[[gpus]]\nbusid = \"00000000:01:00.0\"\n";
        assert!(toml(twice).starts_with("x.toml:4: gpus[1]: `00000000:01:00.0` is taken"));
        assert!(load(Some("/no/such")).unwrap_err().contains("a100-mig"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = (parse(&text, Syntax::Toml, "x", "x"), parse(&text, Syntax::Json, "x", "x"));
        }
    }
}
