//! The simulator on input from an image or a test: options, requirements, topologies, trees of links, the file that its
//! libraries read. It answers the same twice, and no name leads out of a root. Must not know the right answer.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use fake_nvidia_container_cli::cli::{self, Context, Version};
use fake_nvidia_container_cli::rootfs::Root;
use nvidia_simulated_given::{Given, Section};
use nvidia_simulated_machine::requirement::{DeviceFacts, Facts, Verdict, evaluate, trace};
use nvidia_simulated_machine::select;
use nvidia_simulated_machine::text::Text;
use nvidia_simulated_machine::topology::{Syntax, parse};
use tempfile::TempDir;

use crate::draw::Dice;
use crate::parts;

/// The words of a command line.
pub fn options(data: &[u8]) {
    let words: Vec<Text> = data.split(|byte| *byte == 0).take(64).map(Text::new).collect();
    for version in [Version::NEWEST, "1.14.0".parse().unwrap(), "1.17.4".parse().unwrap()] {
        let context = Context {
            argv0: "nvidia-container-cli".to_owned(),
            version,
            posixly_correct: data.first().is_some_and(|byte| byte % 2 == 1),
            ppid: 1,
            euid: (0, 0),
        };
        let read = || format!("{:?}", cli::parse(&context, words.clone()));
        assert_eq!(read(), read());
    }
}

/// A requirement: its trace has the same verdict and no text beyond the input; an empty one is satisfied.
pub fn requirement(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let device = DeviceFacts { arch: "8.0", brand: "Tesla" };
    for device in [None, Some(device)] {
        let facts = Facts { cuda: "12.4", driver: "550.54.15", device };
        let way = trace(&text, facts);
        assert_eq!(way.verdict, evaluate(&text, facts));
        let terms = way.alternatives.iter().flatten().map(|term| term.text.len()).sum::<usize>();
        assert!(terms <= text.len());
        if text.is_empty() {
            assert_eq!(way.verdict, Verdict::Satisfied);
        }
    }
}

/// A topology: read twice it is the same, and it selects only its own devices.
pub fn topology(data: &[u8]) {
    let [topology, list] = parts::<2>(data);
    let (text, list) = (String::from_utf8_lossy(topology), String::from_utf8_lossy(list));
    for syntax in [Syntax::Toml, Syntax::Json] {
        let read = || parse(&text, syntax, "name", "place");
        match (read(), read()) {
            (Ok(machine), Ok(again)) => {
                assert_eq!(format!("{machine:?}"), format!("{again:?}"));
                if let Ok(selection) = select::devices(&list, &machine.gpus) {
                    assert!(selection.gpus.iter().all(|gpu| *gpu < machine.gpus.len()));
                    assert!(selection.migs.iter().all(|(gpu, mig)| *mig < machine.gpus[*gpu].mig.len()));
                }
                let _ = select::channels(&list);
            }
            (Err(why), Err(again)) => assert!(why == again && !why.is_empty(), "{why}"),
            _ => panic!("read twice, it is two things"),
        }
    }
    if let (Ok(machine), Some(json)) = (parse(&text, Syntax::Toml, "name", "place"), as_json(&text)) {
        let same = parse(&json, Syntax::Json, "name", "place").unwrap_or_else(|why| panic!("not as JSON: {why}"));
        assert_eq!(format!("{machine:?}"), format!("{same:?}"));
    }
}

/// A TOML document as JSON; nothing if JSON cannot express it.
fn as_json(text: &str) -> Option<String> {
    let is_of_both = |text: &str| !text.contains("inf") && !text.contains("nan") && !text.contains("toml_private");
    serde_json::to_string(&text.parse::<toml::Table>().ok()?).ok().filter(|json| is_of_both(json) && is_of_both(text))
}

/// The settings for a failure and for a version: read twice they are the same.
pub fn failures(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = || format!("{:?}", fake_nvidia_container_cli::failure::parse(&text));
    assert_eq!(read(), read());
    let version = || text.parse::<Version>().map(|version| version.to_string());
    assert_eq!(version().ok(), version().ok());
}

/// The place of a name in the tree, in folders that are not links and are made if missing.
fn place_below(root: &Path, name: &str) -> Option<PathBuf> {
    let (folders, last) = name.rsplit_once('/').unwrap_or(("", name));
    let mut folder = root.to_path_buf();
    for part in folders.split('/').filter(|part| !part.is_empty()) {
        folder.push(part);
        let _ = fs::create_dir(&folder);
        folder.symlink_metadata().ok().filter(fs::Metadata::is_dir)?;
    }
    Some(folder.join(last))
}

/// A tree of folders, files and links: every name in it stays in it.
pub fn rootfs(data: &[u8]) {
    const NAMES: [&str; 8] = ["a", "b", "a/c", "usr", "usr/lib", "b/d", "lib", "usr/bin"];
    const TARGETS: [&str; 12] = [
        "/",
        "..",
        "../..",
        "/a",
        "a",
        "b/../..",
        "/proc/self/root",
        "/usr/../../..",
        ".",
        "lib",
        "../../etc",
        "/outside/x",
    ];
    let folder = TempDir::new().unwrap();
    let outside = folder.path().join("outside");
    let root = folder.path().join("root");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&root).unwrap();
    let mut dice = Dice::of(data);
    for _ in 0..dice.below(10) {
        let name = dice.pick(&NAMES);
        let kind = dice.below(4);
        let target = dice.pick(&TARGETS);
        // A drawn name may lead out of the tree; making it must not follow.
        let Some(place) = place_below(&root, name) else { continue };
        let _ = match kind {
            0 => fs::create_dir(place),
            1 => File::create_new(place).map(drop),
            2 => symlink(&outside, place),
            _ => symlink(target, place),
        };
    }
    let made = fs::read_dir(&outside).unwrap().count();
    let name = root.canonicalize().unwrap();
    let opened = Root::open(name.to_str().unwrap(), "/").unwrap();
    for _ in 0..4 {
        let wanted = format!("/{}/{}/x", dice.pick(&NAMES), dice.pick(&TARGETS));
        let Ok(inner) = opened.inner(&wanted) else { continue };
        assert!(inner.starts_with('/') && !inner.split('/').any(|part| part == ".."), "{wanted}: {inner}");
        assert_eq!(opened.inner(&wanted), Ok(inner.clone()));
        if let Some(handle) = opened.handle() {
            let shown = fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd())).unwrap();
            assert_eq!(shown, name);
        }
        let real = name.join(inner.trim_start_matches('/'));
        // The parts of it that exist are not links: the path is where it says.
        for above in real.ancestors().take_while(|above| above.starts_with(&name)) {
            let is_link = above.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
            assert!(!is_link, "{wanted}: {} is a link", above.display());
        }
        let _ = (opened.list(&wanted), opened.exists(&wanted), opened.place(&inner, None).is_ok());
    }
    assert_eq!(fs::read_dir(outside).unwrap().count(), made);
}

/// The file that the simulated driver's libraries read.
pub fn given(data: &[u8]) {
    let _ = nvidia_simulated_given::tail(data.len() as u64, data);
    let Ok(given) = Given::read(data) else { return };
    let facts = |section: Section<'_>| {
        section
            .facts()
            .map(|(key, value)| key.len() + value.len() + usize::from(section.id(key).is_some()))
            .sum::<usize>()
    };
    let mut told = facts(given.machine());
    for gpu in given.gpus() {
        told += facts(gpu);
        for word in ["mig", "profile", "process", "link"] {
            told += gpu.sections(word).map(facts).sum::<usize>();
        }
        for (key, _) in gpu.facts() {
            let _ = gpu.thousandths(key, 1_000_000);
        }
    }
    assert!(told <= data.len() * 4, "{told} of {}", data.len());
}
