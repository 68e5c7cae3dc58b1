//! What engines that call nvidia-container-cli themselves pass to it: recorded cases of the simulator. One run of this
//! suite writes them; others must match them, for the same version of the engine. The simulator's tests read them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use hook_test_support::programs;
use serde_json::{Value, json};

use super::engine::Engine;
use super::scenario::Scenario;

/// Recorded cases by name.
pub type Calls = BTreeMap<String, Value>;

fn file() -> PathBuf {
    programs::fixtures().join("cli-recorded/clients.jsonl")
}

/// The calls of one start, as cases.
pub fn cases(engine: &dyn Engine, version: &str, scenario: &Scenario, calls: &[Value]) -> Calls {
    // Repeated starts and injected failures show nothing new.
    if engine.starts_the_hook() || scenario.at_once > 1 || !scenario.then.is_empty() || scenario.cli_fails.is_some() {
        return Calls::new();
    }
    let numbered = calls.iter().enumerate();
    let case = |(at, call): (usize, &Value)| {
        let number = if at == 0 { String::new() } else { format!("-{}", at + 1) };
        let name = format!("clients/{}-{}{number}", engine.name(), scenario.name);
        let client = format!("{} {version}", engine.name());
        (name.clone(), case(&name, &client, &scenario.topology, call))
    };
    numbered.map(case).collect()
}

/// A call as a case, without anything of this machine.
fn case(name: &str, client: &str, topology: &str, call: &Value) -> Value {
    let rootfs = call["parsed"]["rootfs"].as_str();
    let argv: Vec<String> =
        call["argv"].as_array().unwrap().iter().skip(1).map(|word| general(word.as_str().unwrap(), rootfs)).collect();
    let mut parsed = serde_json::Map::new();
    for key in ["command", "devices", "load_kmods", "compat32", "reqs", "list_libs", "list_bins", "imex_channels"] {
        parsed.insert(key.to_owned(), call["parsed"][key].clone());
    }
    if rootfs.is_some() {
        parsed.insert("container_flags".to_owned(), call["parsed"]["container_flags"].clone());
    }
    let stdout = if rootfs.is_some() { json!("") } else { json!({ "shape": "paths" }) };
    let (exit, stderr) = (&call["outcome"]["exit"], call["outcome"]["stderr"].as_str().unwrap_or_default());
    json!({
        "name": name,
        "family": "clients",
        "client": client,
        "topology": topology,
        "container": { "debian": true, "files": [] },
        "argv": argv,
        "env": {},
        "expect": { "exit": exit, "stdout": if exit == 0 { stdout } else { json!("") }, "stderr": stderr, "parsed": parsed },
    })
}

fn general(word: &str, rootfs: Option<&str>) -> String {
    if rootfs == Some(word) {
        return "{ROOTFS}".to_owned();
    }
    let parts = word.split_once('=');
    match parts {
        Some(("--pid", _)) => "--pid=4321".to_owned(),
        Some(("--ldconfig", _)) => "--ldconfig=@/sbin/ldconfig".to_owned(),
        Some(("--debug", _)) => "--debug={TMP}/nvidia.log".to_owned(),
        _ => word.to_owned(),
    }
}

fn read() -> Calls {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    cases.map(|case| (case["name"].as_str().unwrap().to_owned(), case)).collect()
}

/// Whether the file matches the run. With `BLESS` it is rewritten, and keeps the cases of engines that are not here.
pub fn compare(seen: &Calls) -> bool {
    let mut written = read();
    if programs::bless() {
        let here: Vec<&str> = seen.values().map(client).collect();
        let engine = |client: &str| client.split(' ').next().unwrap().to_owned();
        written.retain(|_, case| !here.iter().any(|known| engine(known) == engine(client(case))));
        written.extend(seen.clone());
        let text: String = written.values().map(|case| format!("{case}\n")).collect();
        fs::write(file(), text).unwrap();
        return true;
    }
    let mut same = true;
    for (name, case) in seen {
        // Another version may call it differently.
        if written.get(name).is_none_or(|known| client(known) == client(case) && known != case) {
            println!("fixtures/cli-recorded/clients.jsonl: {name} is now {case}. BLESS=1 writes it");
            same = false;
        }
    }
    same
}

fn client(case: &Value) -> &str {
    case["client"].as_str().unwrap()
}
