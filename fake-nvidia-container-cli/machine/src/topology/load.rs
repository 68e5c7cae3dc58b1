//! Finding a topology: a built-in name, or the path of a JSON or TOML file. An error names the file and the line.

use super::file::TopologyFile;
use super::{Topology, builtin, check, fill, lines};
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
    let topology = fill::fill(file, name).and_then(|topology| check::check(&topology).map(|()| topology));
    topology.map_err(|complaint| {
        let line = lines::line(text, syntax, &complaint.places());
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{place}{line}: {}: {}", complaint.member, complaint.what)
    })
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
        assert!(toml(twice).starts_with("x.toml:4: gpus[1].busid: `00000000:01:00.0` is taken"));
        assert!(load(Some("/no/such")).unwrap_err().contains("a100-mig"));
    }

    #[test]
    fn errors_name_the_line_of_the_member() {
        let toml = |text: &str| parse(text, Syntax::Toml, "x", "x.toml").unwrap_err();
        for (text, expected) in [
            ("[[gpus]]\nminor = 254\n[[gpus]]\nmemory = 25400\n", "x.toml:2: gpus[0].minor: `254` is above 253"),
            ("[[gpus]]\n\nindex = 5\n\n\n\nmemory = 5000\n", "x.toml:3: gpus[0].index: `5` is not its place"),
            ("[[gpus]]\nmodel = \"A100\"\n[[gpus.mig]]\ngi = 7\nci = 9\n", "x.toml:5: gpus[0].mig[0].ci: `9` is"),
            ("[[gpus]]\nminor = 3\n[[gpus]]\nminor = 3\n", "x.toml:4: gpus[1].minor: `3` is taken by another device"),
            ("[[gpus]]\nminor = 1\n[[gpus]]\nmemory = 1\n", "x.toml:3: gpus[1].minor: `1` is taken by another device"),
            ("gpus = 1\n[state]\nshoes = 1\n", "x.toml:3: gpus[0].state: `shoes` is not a key"),
            ("\n[fail]\nat = \"lunch\"\nmessage = \"\"\n", "x.toml:3: fail.at: `lunch` is not a step"),
        ] {
            let why = toml(text);
            assert!(why.starts_with(expected), "{why}");
        }
        let json = parse("{\"gpus\": [{},\n{\"minor\": 300}]}", Syntax::Json, "x", "x.json").unwrap_err();
        assert!(json.starts_with("x.json:2: gpus[1].minor: `300`"), "{json}");
    }

    #[test]
    fn what_cannot_be_is_refused_and_what_can_is_written_alike() {
        let toml = |text: &str| parse(text, Syntax::Toml, "x", "x.toml");
        let h100 = |mig: &str| format!("[[gpus]]\nmodel = \"H100\"\nmig = [{mig}]\n");
        for (text, expected) in [
            ("[host]\nfirmwares = [\"/../victim\"]\n".to_owned(), "x.toml:2: host.firmwares[0]: `/../victim` is not"),
            ("[host]\nbins = [\"/a\",\n\"b\"]\n".to_owned(), "x.toml:3: host.bins[1]: `b` is not an absolute path"),
            ("[host]\nlibs64 = [\"/a\\nb\"]\n".to_owned(), "x.toml:2: host.libs64[0]: `/a\\nb` is not"),
            ("[host]\nipcs = [\"/a/\"]\n".to_owned(), "x.toml:2: host.ipcs[0]: `/a/` is not"),
            ("[fail]\nat = \"end\"\nmessage = \"\"\n".to_owned(), "x.toml:2: fail.at: `end` is not a step"),
            ("clock = \"yesterday\"\n".to_owned(), "x.toml:1: clock: `yesterday` is not a time like"),
            ("clock = \"2025-02-29 00:00:00\"\n".to_owned(), "x.toml:1: clock: `2025-02-29 00:00:00` is not"),
            (h100("\"banana\""), "x.toml:3: gpus[0].mig[0].profile: `banana` is not a profile of NVIDIA H100"),
            (h100("\"7g.80gb\",\n\"7g.80gb\""), "x.toml:4: gpus[0].mig[1].profile: `7g.80gb` does not fit"),
            (h100("\"4g.40gb\", \"4g.40gb\""), "x.toml:3: gpus[0].mig[1].profile: `4g.40gb` does not fit"),
            (h100("\"9c.1g.10gb\""), "x.toml:3: gpus[0].mig[0].profile: `9c.1g.10gb` is not a profile"),
            (h100("{ gi = 7 },\n{ gi = 7 }"), "x.toml:4: gpus[0].mig[1].ci: `0` is taken in GPU instance 7"),
        ] {
            let why = toml(&text).unwrap_err();
            assert!(why.starts_with(expected), "{why}");
        }
        let machine =
            toml("cuda = \"12\"\nclock = \"2024-02-29 20:42:06.675\"\n[[gpus]]\nbusid = \"00000000:1B:00.0\"\n");
        let machine = machine.unwrap();
        assert_eq!((machine.cuda.as_str(), machine.gpus[0].busid.as_str()), ("12.0", "00000000:1b:00.0"));
        assert_eq!(toml("cuda = \"0\"\n").unwrap().cuda, "0");
        let machine = toml(&h100("{ gi = 7 }, \"3g.40gb\", \"1c.2g.20gb\"")).unwrap();
        assert_eq!(machine.gpus[0].mig[0].profile, "1g.10gb");
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = (parse(&text, Syntax::Toml, "x", "x"), parse(&text, Syntax::Json, "x", "x"));
        }
    }
}
