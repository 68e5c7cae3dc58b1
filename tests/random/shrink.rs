//! Makes a scene smaller as long as something stays true of it: fewer files, words, variables, lines and list items.
//! Must not know what must stay true.

use nvidia_hook_conformance::scene::{Node, Scene};

/// The smallest scene that was found.
pub fn smallest(scene: &Scene, holds: &dyn Fn(&Scene) -> bool) -> Scene {
    let mut smallest = scene.clone();
    loop {
        let Some(smaller) = smaller(&smallest).into_iter().find(|scene| holds(scene)) else { return smallest };
        smallest = smaller;
    }
}

/// The scene with one thing less, in every way.
fn smaller(scene: &Scene) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for at in 0..scene.files.len() {
        let mut less = scene.clone();
        less.files.remove(at);
        scenes.push(less);
    }
    for at in 0..scene.environ.len() {
        let mut less = scene.clone();
        less.environ.remove(at);
        scenes.push(less);
    }
    for at in 0..scene.args.len() {
        let mut less = scene.clone();
        less.args.remove(at);
        scenes.push(less);
    }
    for (at, (path, node)) in scene.files.iter().enumerate() {
        let Node::File { content, mode } = node else { continue };
        for content in pieces_less(path, content) {
            let mut less = scene.clone();
            less.files[at].1 = Node::File { content, mode: *mode };
            scenes.push(less);
        }
    }
    for content in values_less(&scene.stdin.content) {
        let mut less = scene.clone();
        less.stdin.content = content;
        scenes.push(less);
    }
    scenes
}

fn pieces_less(path: &str, content: &[u8]) -> Vec<Vec<u8>> {
    if path.ends_with(".json") {
        return values_less(content);
    }
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
    (0..lines.len()).map(without).collect()
}

/// A JSON text without one of its members or items.
fn values_less(content: &[u8]) -> Vec<Vec<u8>> {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(content) else { return Vec::new() };
    let texts = less(&value).into_iter().map(|value| serde_json::to_vec(&value).unwrap());
    texts.filter(|text| text.len() < content.len()).collect()
}

fn less(value: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::Value;
    let mut values = Vec::new();
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let with = |others: Vec<Value>| {
                    let mut items = items.clone();
                    items.splice(at..=at, others);
                    Value::Array(items)
                };
                values.push(with(Vec::new()));
                values.extend(less(item).into_iter().map(|item| with(vec![item])));
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                values.push(Value::Object(without));
                for member in less(member) {
                    let mut with = members.clone();
                    with.insert(name.clone(), member);
                    values.push(Value::Object(with));
                }
            }
        }
        _ => {}
    }
    values
}
