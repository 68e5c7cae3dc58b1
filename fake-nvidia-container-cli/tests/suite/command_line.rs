//! Whole command lines on every built-in machine: no words make the simulator panic, and a plan contains what it must,
//! whatever was asked for.

use fake_nvidia_container_cli::cli::{self, Context, Parsed, Version};
use fake_nvidia_container_cli::failure::Pending;
use fake_nvidia_container_cli::plan::{Kind, Op, Plan};
use fake_nvidia_container_cli::simulate::{self, Look, Setting, Work};
use nvidia_simulated_machine::text::Text;
use nvidia_simulated_machine::topology::{Topology, load, names};
use proptest::prelude::*;

fn context(posixly_correct: bool) -> Context {
    let argv0 = "nvidia-container-cli".to_owned();
    Context { argv0, version: Version::NEWEST, posixly_correct, ppid: 7, euid: (0, 0) }
}

/// The plan of a command line on a machine, and whether it succeeded.
fn plan(machine: &Topology, parsed: &Parsed) -> (Plan, bool) {
    let pending = Pending::default();
    let setting = Setting {
        machine,
        version: Version::NEWEST,
        path: Some("/usr/bin"),
        mps: None,
        pending: &pending,
        program: "x",
        look: Look::Nowhere,
    };
    let mut work = Work::default();
    let done = simulate::run(setting, parsed, &mut work).is_ok();
    (work.plan, done)
}

fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "configure",
        "list",
        "info",
        "--device=all",
        "-d",
        "0",
        "0:0",
        "-cu",
        "-g",
        "-Dv",
        "--no-cgroups",
        "--no-devbind",
        "--mig-config=all",
        "--mig-monitor=all",
        "--imex-channel=0",
        "--require=cuda>=1",
        "--pid=5",
        "/container",
        "-k",
        "--compat32",
        "--cuda-compat-mode=mount",
        "--",
        "-l",
        "--csv",
        "--user",
        "--root=/x",
        "--no-gsp-firmware",
        "--no",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => "-{0,2}[a-zA-Z0-9=:,/ -]{0,12}", 1 => ".{0,8}"]
}

/// Options of `configure`, in any order, each at most once.
fn options() -> impl Strategy<Value = Vec<String>> {
    let all = [
        "--device=all",
        "--device=0",
        "-c",
        "-u",
        "-v",
        "-g",
        "-D",
        "-n",
        "--compat32",
        "--no-cgroups",
        "--no-devbind",
        "--no-persistenced",
        "--no-gsp-firmware",
        "--mig-monitor=all",
        "--imex-channel=0",
        "--cuda-compat-mode=disabled",
    ];
    prop::sample::subsequence(all.map(str::to_owned).to_vec(), 0..all.len()).prop_shuffle()
}

/// Whether the words have the built-in option that sleeps.
fn sleeps(words: &[String]) -> bool {
    words.iter().any(|word| word.starts_with("--H"))
}

proptest! {
    #[test]
    fn no_command_line_panics(words in prop::collection::vec(word(), 0..10), posix: bool, name in prop::sample::select(names().collect::<Vec<_>>())) {
        prop_assume!(!sleeps(&words));
        let words = words.iter().map(|w| Text::from(w.as_str())).collect();
        if let Ok(parsed) = cli::parse(&context(posix), words).parsed {
            let _ = plan(&load(Some(name)).unwrap(), &parsed);
        }
    }

    #[test]
    fn no_bytes_panic(words: Vec<Vec<u8>>) {
        let words: Vec<Text> = words.iter().map(|w| Text::new(w)).collect();
        prop_assume!(!words.iter().any(|w| w.starts_with("--H")));
        let _ = cli::parse(&context(false), words);
    }

    #[test]
    fn a_plan_holds_what_was_asked_for(options in options(), name in prop::sample::select(names().collect::<Vec<_>>())) {
        let machine = load(Some(name)).unwrap();
        let mut words = vec!["configure".to_owned(), "--pid=5".to_owned(), "/container".to_owned()];
        words.extend(options.iter().cloned());
        let words: Vec<Text> = words.iter().map(|w| Text::from(w.as_str())).collect();
        let parsed = cli::parse(&context(false), words).parsed.unwrap();
        let (plan, done) = plan(&machine, &parsed);
        let ops = plan.recorded();
        let asked = |option: &str| options.iter().any(|o| o == option);
        let is_node = |op: &Op| matches!(op, Op::Bind { kind: Kind::Device { .. }, .. });
        if asked("--no-devbind") {
            prop_assert!(!ops.iter().any(|op| is_node(op)));
        }
        let allowed = ops.iter().filter(|op| matches!(op, Op::CgroupAllow { .. })).count();
        if asked("--no-cgroups") {
            prop_assert_eq!(allowed, 0);
        } else if done && !asked("--no-devbind") && !asked("--mig-monitor=all") {
            prop_assert_eq!(allowed, ops.iter().filter(|op| is_node(op)).count());
        }
        for op in &ops {
            if let Op::Tmpfs { dst, .. } | Op::Bind { dst, .. } = op {
                prop_assert!(dst.starts_with("/container/"), "{dst}");
            }
        }
        prop_assert_eq!(done, matches!(ops.last(), Some(Op::Ldconfig { .. })));
    }

    #[test]
    fn the_order_of_options_changes_no_plan(options in options()) {
        let machine = load(Some("h100")).unwrap();
        let of = |options: &[String]| {
            let fixed = ["configure", "--pid=5", "/container"].map(str::to_owned);
            let words = fixed.iter().chain(options).map(|w| Text::from(w.as_str())).collect();
            let parsed = cli::parse(&context(false), words).parsed.unwrap();
            plan(&machine, &parsed).0
        };
        // The order of values in a list is the order of devices, so two --device options would have to keep theirs.
        prop_assume!(options.iter().filter(|o| o.starts_with("--device")).count() < 2);
        let mut sorted = options.clone();
        sorted.sort();
        prop_assert_eq!(of(&options), of(&sorted));
    }
}

#[test]
fn to_hang_is_part_of_what_was_read_and_reading_does_not_wait() {
    let hang = |words: &[&str]| cli::parse(&context(false), words.iter().map(|w| Text::from(*w)).collect()).hang;
    assert_eq!(hang(&["--HANG", "info"]).as_secs(), 3600);
    assert_eq!(hang(&["--HANG=7", "list", "--HANG=5", "--bogus"]).as_secs(), 12);
    assert_eq!(hang(&["--HANG=-7", "info"]).as_secs() + hang(&["--HANG=x", "info"]).as_secs(), 0);
}
