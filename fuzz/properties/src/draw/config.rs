//! Draws the text of a configuration file: keys of the contract and others, in every syntax that TOML has, sometimes
//! with a fault. Must not know what the hook makes of it.

use super::dice::Dice;

/// Keys whose values mean something to the hook, and values for each: TOML texts or, between `<` and `>`, the content
/// of a string that is not yet quoted.
const KEYS: &[(&str, &[&str])] = &[
    ("disable-require", &["true", "false"]),
    ("swarm-resource", &["<>", "<SWARM>", "<SWARM,OTHER>", "<OTHER, SWARM>", "<NVIDIA_VISIBLE_DEVICES,SWARM>", "<,>"]),
    ("accept-nvidia-visible-devices-envvar-when-unprivileged", &["true", "false", "false"]),
    ("accept-nvidia-visible-devices-as-volume-mounts", &["true", "true", "false"]),
    (
        "supported-driver-capabilities",
        &[
            "<all>",
            "<compute,utility>",
            "<utility, compute>",
            "<graphics>",
            "<>",
            "<video,ngx,compat32>",
            "<compute,,display>",
        ],
    ),
    ("nvidia-container-cli.root", &["<>", "</>", "</driver>", "</run/nvidia/driver>", "</driver/>"]),
    ("nvidia-container-cli.path", &["<>", "</opt/cli>", "</usr/bin/nvidia-container-cli>", "</a b/é>"]),
    (
        "nvidia-container-cli.environment",
        &[
            "[]",
            "[\"A=1\"]",
            "['A=1', \"B=\"]",
            "[\"A=1\", 'A=2',]",
            "[\n \"PATH=/x\" # why\n,\n'LD_PRELOAD=/l=m']",
            "[\"A=\"]",
        ],
    ),
    ("nvidia-container-cli.debug", &["<>", "</var/log/cli.log>", "<a\\b>"]),
    ("nvidia-container-cli.ldcache", &["<>", "</etc/ld.so.cache>"]),
    ("nvidia-container-cli.load-kmods", &["true", "false"]),
    ("nvidia-container-cli.no-pivot", &["true", "false"]),
    ("nvidia-container-cli.no-cgroups", &["true", "false"]),
    ("nvidia-container-cli.user", &["<>", "<root:video>", "<1000:44>", "<\u{fc}ser>"]),
    (
        "nvidia-container-cli.ldconfig",
        &[
            "<@/sbin/ldconfig>",
            "<@/sbin/ldconfig.real>",
            "<@/usr/sbin/ldconfig>",
            "<@/other/ldconfig>",
            "<@/sbin/x.real.real>",
        ],
    ),
    (
        "nvidia-container-runtime.mode",
        &["<auto>", "<auto>", "<legacy>", "<legacy>", "<legacy>", "<legacy>", "<cdi>", "<csv>", "<jit-cdi>"],
    ),
    (
        "nvidia-container-runtime.modes.legacy.cuda-compat-mode",
        &["<ldconfig>", "<mount>", "<disabled>", "<hook>", "<LDCONFIG>", "<>"],
    ),
    ("nvidia-container-runtime-hook.skip-mode-detection", &["true", "false"]),
    (
        "nvidia-container-runtime-hook.cli-version",
        &[
            "<newest>",
            "<1.14.0>",
            "<1.14.5>",
            "<1.14.6>",
            "<1.16.9>",
            "<1.17.0>",
            "<1.17.3>",
            "<1.17.4>",
            "<1.17.5>",
            "<1.17.6>",
            "<1.17.7>",
            "<v1.17>",
            "<1.19>",
            "<2>",
            "<01.017.04>",
            "<1.17.7+x>",
        ],
    ),
    ("nvidia-container-runtime-hook.sanitize-environment", &["true", "false"]),
    ("nvidia-container-runtime-hook.rootless", &["<auto>", "<auto>", "<auto>", "<off>"]),
    ("features.disable-imex-channel-creation", &["true", "false"]),
    ("features.ignore-imex-channel-requests", &["true", "false"]),
    ("features.allow-cuda-compat-libs-from-container", &["true", "true", "false"]),
    ("features.allow-ldconfig-from-container", &["true", "false"]),
    // Keys of other programs, or of none.
    ("nvidia-container-runtime.debug", &["<x>"]),
    ("nvidia-container-runtime.runtimes", &["[]", "[\"runc\", \"crun\"]"]),
    ("nvidia-container-runtime.modes.cdi.spec-dirs", &["['/etc/cdi']"]),
    ("nvidia-ctk.path", &["<nvidia-ctk>"]),
    ("features.gds", &["true", "<x>", "1"]),
    ("features.no-additional-gids-for-device-nodes", &["true", "false"]),
];

/// Values that are invalid although their type is right.
const FAULTS: &[(&str, &str)] = &[
    ("supported-driver-capabilities", "<compute,gpu>"),
    ("supported-driver-capabilities", "<all,compute>"),
    ("supported-driver-capabilities", "< all>"),
    ("nvidia-container-cli.ldconfig", "</sbin/ldconfig>"),
    ("nvidia-container-cli.ldconfig", "<@sbin/ldconfig>"),
    ("nvidia-container-cli.ldconfig", "<>"),
    ("nvidia-container-cli.ldconfig", "<@>"),
    ("nvidia-container-cli.ldconfig", "<@@/sbin/ldconfig>"),
    ("nvidia-container-runtime-hook.rootless", "<on>"),
    ("nvidia-container-runtime-hook.rootless", "<>"),
    ("nvidia-container-cli.path", "<bin/cli>"),
    ("nvidia-container-cli.environment", "['NOTHING']"),
    ("nvidia-container-cli.environment", "['A=1', '']"),
    ("nvidia-container-cli.environment", "['=', '=x=y']"),
    ("nvidia-container-runtime-hook.cli-version", "<1.13.9>"),
    ("nvidia-container-runtime-hook.cli-version", "<latest>"),
    ("nvidia-container-runtime-hook.cli-version", "<>"),
    ("nvidia-container-runtime-hook.cli-version", "<1.14.0-rc.1>"),
    ("nvidia-container-runtime.mode", "<Legacy>"),
    ("nvidia-container-runtime.mode", "<>"),
    ("nvidia-container-cli.user", "<a\u{0}b>"),
];

/// Values of wrong types for most keys.
const OTHER_TYPES: &[&str] =
    &["1", "0x1f", "1.5", "inf", "[1]", "[[]]", "{}", "{ a = 1 }", "<true>", "true", "['x']", "2024-01-02"];

/// Names that only look like keys, or belong to no program, with values.
const STRANGERS: &[&str] = &[
    "\"nvidia-container-cli.user\" = \"stranger\"",
    "\"disable-require\\u0020\" = true",
    "\"\" = 1",
    "Disable-Require = true",
    "LOAD-KMODS = 7",
    "user = \"stranger\"",
    "unknown = 1979-05-27T07:32:00Z",
    "unknown = [1, [2, \"x\"], { y.z = 1 }]",
    "unknown.a.b = +1_000.5e-3",
    "\u{2}unknown = 1",
    "'quoted' = '''\n# not a comment\n[features]'''",
    "unknown = \"\"\"\\\n   folded \\\n\n # text\"\"\"",
    "unknown = 99999999999999999999",
    "unknown = -0b1",
];

/// Tables that only look like those of the contract, or belong to no program.
const STRANGE_TABLES: &[&str] = &[
    "[\"nvidia-container-runtime.modes.legacy\"]\ncuda-compat-mode = \"mount\"",
    "[nvidia-container-runtime.\"modes.legacy\"]\ncuda-compat-mode = 5",
    "[Features]\nallow-ldconfig-from-container = 5",
    "[[unknown]]\na = 1\n[[unknown]]\n[unknown.b]",
    "[unknown]\nnvidia-container-cli.user = \"x\"",
    "[ features . deeper ]\nallow-ldconfig-from-container = true",
    "[nvidia-container-cli.user.deeper]",
    "[[features]]",
    "[[nvidia-container-cli]]\nuser = \"x\"",
    "[nvidia-ctk]",
    "[features]\n[features]",
    "[features",
    "features = 5",
    "nvidia-container-runtime.modes = \"x\"",
    "x",
    "= 1",
    "a = 1 b = 2",
    "a.b = 1\na = 2",
];

/// What a comment can hold.
const COMMENTS: &[&[u8]] = &[
    b"",
    b" plain",
    b" [features] \"a\" 'b' \"\"\"",
    b"# no-pivot = true",
    b" \xff\xfe not text",
    b" bell \x07 and delete \x7f",
    " \u{e9}\u{1f600}".as_bytes(),
];

/// A configuration file.
pub fn config(dice: &mut Dice) -> Vec<u8> {
    let mut entries = entries(dice);
    dice.shuffle(&mut entries);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    if dice.one_in(12) {
        lines.push(dice.pick(STRANGERS).into());
    }
    let mut tables: Vec<&str> = Vec::new();
    for (key, _) in &entries {
        let table = key.split_once('.').map_or("", |(table, _)| table);
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    let mut below = Vec::new();
    for table in tables {
        let of_table = |(key, _): &&(&str, String)| key.split_once('.').map_or("", |(table, _)| table) == table;
        let group: Vec<&(&str, String)> = entries.iter().filter(of_table).collect();
        match dice.below(4) {
            _ if table.is_empty() => lines.extend(dotted(dice, &group, 0)),
            0 => lines.extend(dotted(dice, &group, 0)),
            1 => lines.push(inline(dice, table, &group)),
            _ => below.extend(headed(dice, table, &group)),
        }
    }
    lines.extend(below);
    if dice.one_in(20) {
        lines.push(dice.pick(STRANGE_TABLES).into());
    }
    text(dice, &lines)
}

/// The keys of the file, with their values as TOML.
fn entries(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let often = dice.pick(&[2, 4, 8, 16]);
    let mut entries = Vec::new();
    for (key, values) in KEYS {
        // Some keys lead to rules of their own, so they are drawn more often.
        let field = ["volume-mounts", "unprivileged", "cli-version"].iter().any(|end| key.ends_with(end));
        if dice.one_in(if field { often.min(3) } else { often }) {
            let value = if dice.one_in(150) { dice.pick(OTHER_TYPES) } else { dice.pick(values) };
            entries.push((*key, value));
        }
    }
    if dice.one_in(12) {
        let fault = dice.pick(FAULTS);
        entries.retain(|(key, _)| *key != fault.0);
        entries.push(fault);
    }
    if dice.one_in(200) && !entries.is_empty() {
        // A duplicate key.
        let again = entries[0];
        entries.push(again);
    }
    entries.into_iter().map(|(key, value)| (key, literal(dice, value))).collect()
}

/// A value as TOML: a string in one of the four ways of quoting that can hold it.
fn literal(dice: &mut Dice, value: &str) -> String {
    let Some(content) = value.strip_prefix('<').and_then(|value| value.strip_suffix('>')) else {
        return value.to_owned();
    };
    let plain = !content.contains(['\\', '\u{0}']);
    match dice.below(5) {
        0 if plain => format!("'{content}'"),
        1 if plain => format!("'''{content}'''"),
        2 => format!("\"\"\"\n{}\"\"\"", escaped(dice, content)),
        3 if plain => format!("'''\n{content}'''"),
        _ => format!("\"{}\"", escaped(dice, content)),
    }
}

/// The content of a string with escapes: the necessary ones, and some that are not.
fn escaped(dice: &mut Dice, content: &str) -> String {
    let mut text = String::new();
    for c in content.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\u{0}' => text.push_str("\\u0000"),
            c if dice.one_in(40) => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if dice.one_in(60) => text.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

/// A key, from some part of its name on, with its parts quoted or not.
fn name(dice: &mut Dice, key: &str, from: usize) -> String {
    let mut parts = Vec::new();
    for part in key.split('.').skip(from) {
        parts.push(match dice.below(8) {
            0 => format!("\"{}\"", escaped(dice, part)),
            1 => format!("'{part}'"),
            _ => part.to_owned(),
        });
    }
    parts.join(dice.pick(&[".", ".", ".", " . ", "\t."]))
}

/// `a.b = 1`
fn dotted(dice: &mut Dice, group: &[&(&str, String)], from: usize) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for (key, value) in group {
        let equals = dice.pick(&["=", " = ", "\t=  "]);
        lines.push(format!("{}{equals}{value}", name(dice, key, from)).into_bytes());
    }
    lines
}

/// `a = { b = 1 }`
fn inline(dice: &mut Dice, table: &str, group: &[&(&str, String)]) -> Vec<u8> {
    let members: Vec<String> =
        dotted(dice, group, 1).into_iter().map(|line| String::from_utf8(line).unwrap()).collect();
    // TOML 1.0: the members are on one line, and no comma follows the last.
    let last = if dice.one_in(60) { "," } else { "" };
    format!("{} = {{ {}{last} }}", name(dice, table, 0), members.join(", ")).into_bytes()
}

/// `[a]`, then `b = 1`; deeper tables have their own header or not.
fn headed(dice: &mut Dice, table: &str, group: &[&(&str, String)]) -> Vec<Vec<u8>> {
    let (deep, flat): (Vec<_>, Vec<_>) = group.iter().partition(|(key, _)| key.matches('.').count() > 1);
    let mut sections: Vec<Vec<Vec<u8>>> = Vec::new();
    let own_headers = dice.one_in(2);
    let mut section = vec![header(dice, table)];
    section.extend(dotted(dice, &flat, 1));
    if own_headers {
        for entry in &deep {
            let (parent, _) = entry.0.rsplit_once('.').unwrap();
            sections.push(vec![header(dice, parent), dotted(dice, &[entry], parent.split('.').count())[0].clone()]);
        }
    } else {
        section.extend(dotted(dice, &deep, 1));
    }
    if !(flat.is_empty() && own_headers) {
        sections.push(section);
    }
    // A table can be opened after the tables within it.
    dice.shuffle(&mut sections);
    sections.concat()
}

fn header(dice: &mut Dice, table: &str) -> Vec<u8> {
    let space = dice.pick(&["", "", " ", "\t"]);
    format!("[{space}{}{space}]", name(dice, table, 0)).into_bytes()
}

/// The lines as a file, with comments and indentation, and sometimes with a byte that does not belong there.
fn text(dice: &mut Dice, lines: &[Vec<u8>]) -> Vec<u8> {
    let end: &[u8] = if dice.one_in(8) { b"\r\n" } else { b"\n" };
    let mut text = if dice.one_in(20) { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    for (at, line) in lines.iter().enumerate() {
        if dice.one_in(6) {
            text.extend([b"#".as_slice(), dice.pick(COMMENTS), end].concat());
        }
        text.extend(dice.pick(&["", "", "", "  ", "\t"]).as_bytes());
        text.extend(line);
        if dice.one_in(6) {
            text.extend([b" #".as_slice(), dice.pick(COMMENTS)].concat());
        }
        if at + 1 < lines.len() || !dice.one_in(4) {
            text.extend(end);
        }
    }
    if dice.one_in(150) && !text.is_empty() {
        let at = dice.below(text.len());
        text[at] = dice.pick(b"\x00\xff\"'\n]=\r#.");
    }
    text
}
