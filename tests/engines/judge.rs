//! Compares what an engine's user saw with what a scenario says. Knows engines only by name, for messages of their own.

use serde_json::Value;

use super::engine::{Engine, Seen};
use super::look::{Look, STARTED};
use super::machine::Machine;
use super::scenario::Scenario;

/// Every difference between a start and its expected result; `turn` is the container's turn among those at once.
pub fn differences(
    engine: &dyn Engine,
    scenario: &Scenario,
    machine: &Machine,
    turn: usize,
    seen: &Seen,
) -> Vec<String> {
    let mut wrong = Vec::new();
    match &scenario.expect.devices {
        Some(devices) => {
            let devices: Vec<String> = devices.iter().map(|device| at_turn(device, turn, machine)).collect();
            wrong.extend(started(engine, scenario, machine, &devices, seen));
        }
        None => {
            if seen.stdout.contains(STARTED) || seen.exit == 0 {
                wrong.push("the container was to be refused".to_owned());
            }
            let own = scenario.expect.error_of.get(engine.name());
            let words = own.or(scenario.expect.error.as_ref()).expect("a refusal has its words");
            if !seen.stderr.contains(words) {
                wrong.push(format!("the user was to read {words:?}"));
            }
        }
    }
    if !wrong.is_empty() {
        wrong.push(format!("exit {}\n--- stdout\n{}--- stderr\n{}", seen.exit, seen.stdout, seen.stderr));
    }
    wrong
}

/// Every difference between the calls of nvidia-container-cli and the expected ones.
pub fn differences_of_calls(engine: &dyn Engine, scenario: &Scenario, calls: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let wanted = scenario.expect.calls.filter(|_| engine.starts_the_hook());
    if wanted.is_some_and(|wanted| wanted != calls.len()) {
        wrong.push(format!("nvidia-container-cli was called {} times, expected {wanted:?}", calls.len()));
    }
    for call in calls.iter().filter(|call| call["parsed"]["command"] == "configure") {
        let namespaces = [&call["target"]["namespaces"]["mnt"], &call["namespaces"]["mnt"]];
        // Other engines call it in the container's own namespace.
        if engine.starts_the_hook() && (namespaces[0].is_null() || namespaces[0] == namespaces[1]) {
            wrong.push(format!("the container's process was not alive in its own mount namespace: {namespaces:?}"));
        }
        if call["rootfs"]["exists"] != true {
            wrong.push(format!("the root filesystem was not there: {}", call["rootfs"]));
        }
    }
    wrong
}

/// Replaces `{turn}` in a text with the GPU of a container's turn.
pub fn at_turn(text: &str, turn: usize, machine: &Machine) -> String {
    text.replace("{turn}", &(turn % machine.gpus().max(1)).to_string())
}

fn started(
    engine: &dyn Engine,
    scenario: &Scenario,
    machine: &Machine,
    devices: &[String],
    seen: &Seen,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, got: &[&str], wanted: Vec<String>| {
        if got != wanted {
            wrong.push(format!("{what}: {got:?}, expected {wanted:?}"));
        }
    };
    if seen.exit != scenario.expect.exit {
        same("exit", &[&seen.exit.to_string()], vec![scenario.expect.exit.to_string()]);
    }
    let Some(look) = Look::of(&seen.stdout) else {
        wrong.push("the container did not come to its end".to_owned());
        return wrong;
    };
    let uuids: Vec<String> = devices.iter().map(|device| machine.uuid(device)).collect();
    let asked = if scenario.expect.utility { uuids } else { Vec::new() };
    same("nvidia-smi", &look.smi(), asked.clone());
    same("NVML", &look.list("nvml"), asked);
    let mut nodes: Vec<String> = devices.iter().map(|device| machine.node(device)).collect();
    nodes.sort();
    nodes.dedup();
    same("nodes", &look.list("nodes"), nodes);
    let channels: Vec<String> = scenario.expect.imex.iter().map(u32::to_string).collect();
    same("channels", &look.list("channels"), channels);
    let given = engine.libraries().map(|all| all.iter().map(|name| (*name).to_owned()).collect());
    let expected = scenario.expect.libraries_of.get(engine.name()).unwrap_or(&scenario.expect.libraries);
    let is_untouched = scenario.expect.calls == Some(0);
    let libraries = if is_untouched { Vec::new() } else { given.unwrap_or_else(|| expected.clone()) };
    if libraries.contains(&"libcuda.so.1".to_owned()) {
        same("driver", &look.list("driver"), vec![format!("libcuda.so.{}", machine.driver())]);
    }
    same("libraries", &look.libraries(), libraries);
    if is_untouched {
        same("traces", &look.list("traces"), vec!["0".to_owned()]);
    }
    wrong
}
