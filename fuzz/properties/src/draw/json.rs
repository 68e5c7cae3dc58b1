//! Writes values as JSON in every form that JSON has, sometimes with a fault. Must not know what the values mean.

use super::dice::Dice;

/// A member of an object: its name, and its value as JSON.
pub type Member = (&'static str, String);

/// A JSON string, sometimes with unnecessary escapes.
pub fn string(dice: &mut Dice, text: &str) -> String {
    if text.is_empty() || !dice.one_in(12) {
        return serde_json::to_string(text).unwrap();
    }
    let mut units = [0; 2];
    let escapes = |c: char| c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
    format!("\"{}\"", text.chars().map(escapes).collect::<String>())
}

/// A list of values.
pub fn list(dice: &mut Dice, items: &[String]) -> String {
    let space = dice.pick(&["", " ", "\n\t"]);
    format!("[{space}{}{space}]", items.join(&format!(",{space}")))
}

/// An object: its members in any order, sometimes with one that nothing reads.
pub fn object(dice: &mut Dice, mut members: Vec<Member>) -> String {
    if dice.one_in(4) {
        members
            .push(("unknown", dice.pick(&["{\"a\": [1, 2.5e3, null]}", "\"\\ud83d\\ude00\"", "[]", "-0"]).to_owned()));
    }
    if dice.one_in(150) && !members.is_empty() {
        let at = dice.below(members.len());
        match dice.below(4) {
            0 => members[at].1 = "null".to_owned(),
            1 => members.push(members[at].clone()),
            2 => drop(members.remove(at)),
            _ => members[at].1 = dice.pick(&["7", "\"x\"", "[]", "{}", "true", "[null]", "[7]", "1.0"]).to_owned(),
        }
    }
    dice.shuffle(&mut members);
    let space = dice.pick(&["", " ", "\r\n  "]);
    let mut texts = Vec::new();
    for (name, value) in members {
        texts.push(format!("{space}{}{space}:{value}", string(dice, name)));
    }
    format!("{{{}{space}}}", texts.join(","))
}

/// The text, sometimes damaged or with something after it.
pub fn damaged(dice: &mut Dice, text: String) -> Vec<u8> {
    let mut text = text.into_bytes();
    match dice.below(400) {
        0 => text.truncate(dice.below(text.len())),
        1 => text.extend(b" x"),
        2 => text.extend(b"\xff"),
        3 => text = dice.pick(&["null", "", " ", "[]", "7", "\"x\""]).into(),
        4 => {
            let at = dice.below(text.len());
            text[at] = dice.pick(b"\xff\x00,\"}:");
        }
        5..30 => text.extend(b"\n \t"),
        _ => {}
    }
    text
}
