//! `why`: the lines that users see, as engines print them, and what the host has to do with them.

use nvidia_hookctl::why::behind;
use nvidia_simulated_machine::lines;
use serde_json::Value;

use super::cases::{machine, schema_faults};
use super::schemas;

fn answer(case: &str, text: &str) -> (i32, Value) {
    let said = machine(case).run_with(&["why", "--output", "json"], text.as_bytes(), &[]);
    assert_eq!(said.stderr, "", "{text}");
    let document = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(schema_faults(&schemas::of::<nvidia_hookctl::why::Report>(), &document), Vec::<String>::new());
    (said.status, document)
}

#[test]
fn what_the_simulator_plays_is_found_as_the_line_that_it_is() {
    for (line, played) in lines::played() {
        let text = played.text.replace("{FOR}", played.example).replace("\n{TRY}", "");
        let text = text.replace("{PROGRAM}", "nvidia-container-cli").replace("{ROOTFS}", "/var/lib/c/rootfs");
        let (status, document) = answer("doctor/healthy", &text);
        assert_eq!(status, 0, "{}: {text}", played.name);
        assert_eq!(document["line"]["name"], line.name, "{}", played.name);
    }
}

#[test]
fn the_lines_of_states_are_known_and_lead_back_to_them() {
    for state in nvidia_hookctl::doctor::states::all() {
        for text in state.lines {
            let found = lines::all().any(|line| behind(line.name).iter().any(|behind| behind.id == state.id));
            assert!(found, "no line leads to {}, which users meet by {text:?}", state.id);
        }
    }
}

#[test]
fn an_answer_says_what_this_host_has_to_do_with_it() {
    let text = "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown";
    let (status, document) = answer("doctor/version-mismatch", text);
    assert_eq!(status, 0);
    assert_eq!(document["line"]["owner"], "admin");
    assert_eq!(document["host"][0]["id"], "version-mismatch");
    let (_, document) = answer("doctor/healthy", text);
    assert_eq!(document["host"], serde_json::json!([]));
}

#[test]
fn the_text_may_be_arguments_or_standard_input_and_an_unknown_one_is_told() {
    let machine = machine("doctor/healthy");
    let line = "nvml error: driver not loaded";
    let by_argument = machine.run(&["why", line]);
    assert_eq!(by_argument.status, 0);
    assert_eq!(machine.run_with(&["why"], line.as_bytes(), &[]).stdout, by_argument.stdout);
    for text in by_argument.stdout.lines() {
        assert!(text.chars().count() <= 100, "{text}");
    }
    let unknown = machine.run(&["why", "nvidia-container-cli: initialization error: nvml error: driver exploded"]);
    assert_eq!(unknown.status, 1);
    assert!(unknown.stdout.contains("No line in this text is known") && unknown.stdout.contains("driver-not-loaded"));
    assert_eq!(machine.run_with(&["why"], b" \n", &[]).status, 1);
}

#[test]
fn what_was_printed_cannot_drive_the_terminal() {
    let said = machine("doctor/healthy").run(&["why", "\u{1b}[2Jdevice error: \u{9b}31m: unknown device\u{202e}"]);
    assert_eq!(said.status, 0);
    assert!(said.stdout.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{:?}", said.stdout);
}

#[test]
fn the_end_of_a_long_text_counts() {
    let text =
        format!("{}nvidia-container-cli: initialization error: nvml error: driver not loaded\n", "x\n".repeat(1 << 20));
    let (status, document) = answer("doctor/healthy", &text);
    assert_eq!((status, document["line"]["name"].as_str()), (0, Some("driver-not-loaded")));
}

/// A line of fixtures/hookctl/why/lines.toml.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    text: String,
    is: String,
    from: String,
}

/// The lines of fixtures/hookctl/why/lines.toml.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct AllPrinted {
    line: Vec<Printed>,
}

#[test]
fn lines_that_programs_print_are_what_they_are_taken_for() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/hookctl/why/lines.toml");
    let printed: AllPrinted = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for line in printed.line {
        assert!(!line.from.is_empty(), "{line:?}");
        let (status, document) = answer("doctor/healthy", &line.text);
        let name = document["line"]["name"].as_str().unwrap_or_default();
        assert_eq!((status, name), (i32::from(line.is.is_empty()), line.is.as_str()), "{line:?}");
    }
}
