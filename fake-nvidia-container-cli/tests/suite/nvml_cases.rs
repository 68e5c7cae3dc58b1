//! What NVML answered on real machines, each a folder in `tests/cases/nvml`: `machine.toml` is the machine,
//! `answers.json` the calls with their codes and the memory after them, as `record.py` there writes them, and
//! `cuda.json`, if it exists, the same for libcuda. The libraries must answer the same, to the byte; memory that is
//! `null` is not compared, since it differs from moment to moment.

use super::c_caller::Caller;
use super::libraries::{Libraries, NVML};
use super::programs;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Memory that a call gets and may write to.
struct Memory {
    bytes: Vec<u8>,
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(programs::source("tests/cases/nvml")).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

fn number(value: &Value) -> usize {
    value.as_i64().map_or_else(|| value.as_u64().unwrap() as usize, |number| number as usize)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The handle of `gpu0`.
fn handle(nvml: &Caller, name: &str) -> usize {
    nvml.gpu(name.strip_prefix("gpu").and_then(|index| index.parse().ok()).unwrap_or_else(|| panic!("{name}")))
}

/// The bytes of an answer, without trailing zeros; for a handle, those of this library's handle.
fn expected(nvml: &Caller, told: &str) -> Vec<u8> {
    let mut all = if told.starts_with("gpu") { handle(nvml, told).to_ne_bytes().to_vec() } else { bytes(told) };
    all.truncate(all.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1));
    all
}

/// Calls a function as a line says; returns the code, and the memory after the call.
fn call(nvml: &Caller, name: &str, told: &[Value]) -> (u32, Vec<Vec<u8>>) {
    let mut memories: Vec<Memory> = Vec::new();
    for argument in told.iter().filter_map(Value::as_object) {
        let bytes = match argument.get("text") {
            Some(text) => text.as_str().unwrap().bytes().chain([0]).collect(),
            None => {
                let mut all = bytes(argument["hex"].as_str().unwrap());
                all.resize(number(&argument["size"]), 0);
                all
            }
        };
        memories.push(Memory { bytes });
    }
    let mut places = memories.iter_mut().map(|memory| memory.bytes.as_mut_ptr() as usize);
    let argument = |argument: &Value| match argument {
        Value::Object(_) => places.next().unwrap(),
        Value::String(name) => handle(nvml, name),
        value => number(value),
    };
    let arguments: Vec<usize> = told.iter().map(argument).collect();
    let code = nvml.call(name, &arguments);
    let told = told.iter().filter(|argument| argument.is_object());
    let written = told.zip(memories).filter(|(argument, _)| argument.get("size").is_some());
    let ends = |bytes: &Vec<u8>| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    (code, written.map(|(_, memory)| memory.bytes[..ends(&memory.bytes)].to_vec()).collect())
}

/// The code, form and value of a field.
fn field(nvml: &Caller, id: usize, scope: usize) -> (u32, u32, u64) {
    let mut field = [id as u64 | (scope as u64) << 32, 0, 0, 0, 0];
    assert_eq!(nvml.call("nvmlDeviceGetFieldValues", &[nvml.gpu(0), 1, field.as_mut_ptr() as usize]), 0);
    ((field[3] >> 32) as u32, field[3] as u32, field[4])
}

/// What is wrong with a line's answer, if anything.
fn check(nvml: &Caller, line: &[Value]) -> Option<String> {
    let (name, told) = (line[0].as_str().unwrap(), line[1].as_array().unwrap());
    let code = line[2].as_u64().unwrap() as u32;
    let found = match name {
        "words" => {
            let words = nvml.words(number(&told[0]) as u32);
            (words != line[3].as_str().unwrap()).then_some(words)
        }
        "field" => {
            let found = field(nvml, number(&told[0]), number(&told[1]));
            let value = line[4].as_u64().unwrap_or(found.2);
            (found != (code, line[3].as_u64().unwrap() as u32, value)).then(|| format!("{found:?}"))
        }
        _ => {
            let (found, after) = call(nvml, name, told);
            let memories = line[3].as_array().unwrap();
            let same =
                |(found, told): (&Vec<u8>, &Value)| told.as_str().is_none_or(|told| expected(nvml, told) == *found);
            let is_same = after.len() == memories.len() && after.iter().zip(memories).all(same);
            (found != code || !is_same).then(|| format!("{found} {after:02x?}"))
        }
    };
    found.map(|found| format!("{}\n  found {found}", Value::from(line.to_vec())))
}

fn wrong_of(folder: &Path, library: &str, file: &str) -> Vec<String> {
    let Ok(answers) = fs::read(folder.join(file)) else { return Vec::new() };
    let libraries = Libraries::of(folder.join("machine.toml").to_str().unwrap(), &["--cuda"]);
    let caller = libraries.load(library);
    if library == NVML {
        assert_eq!(caller.call("nvmlInit_v2", &[]), 0);
    }
    let lines: Vec<Vec<Value>> = serde_json::from_slice(&answers).unwrap();
    assert!(lines.len() > 100, "{} {file}", folder.display());
    lines.iter().filter_map(|line| check(&caller, line)).map(|wrong| format!("{}: {wrong}", folder.display())).collect()
}

#[test]
fn the_libraries_answer_what_real_ones_answered() {
    let of = |folder: &PathBuf| {
        let nvml = wrong_of(folder, NVML, "answers.json");
        nvml.into_iter().chain(wrong_of(folder, "libcuda.so.1", "cuda.json"))
    };
    let wrong: Vec<String> = folders().iter().flat_map(of).collect();
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}
