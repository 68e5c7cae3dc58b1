//! Draws a whole scene: command line, environment, the machine with its configuration, and the container. Must not know
//! what the hook makes of it.

use nvidia_hook_conformance::scene::{Node, Scene, Stdin};

use super::dice::Dice;
use super::{config as draw_config, container as draw_container, platform};

const ETC: &str = "/etc/nvidia-container-runtime/config.toml";
const DRIVER: &str = "/run/nvidia/driver/etc/nvidia-container-runtime/config.toml";
const XDG: &str = "/xdg/nvidia-container-runtime/config.toml";
const OTHER: &str = "/srv/other.toml";
const CLI: &str = "nvidia-container-cli";

/// Words that do not lead to a prestart.
const ODD_WORDS: &[&str] = &[
    "-version",
    "-help",
    "-h",
    "--h=x",
    "-debug=yes",
    "-debug=",
    "-bogus",
    "--",
    "-",
    "---debug",
    "-=x",
    "-config",
    "poststop",
    "bogus",
    "-Debug",
    "--version=x",
    "",
];

const PATHS: &[&str] = &[
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PATH=/opt/bin:/usr/bin",
    "PATH=",
    "PATH=:/opt/bin:",
    "PATH=opt/bin:./x:/usr/bin",
    "PATH=/opt/bin:/opt/bin",
    "PATH=/usr/bin/:/opt/bin",
    "PATH=/\u{e9}:/sbin",
];

/// Variables that the engine may have.
const INHERITED: &[&str] = &[
    "A=inherited",
    "A=twice",
    "B=x",
    "LD_PRELOAD=/l.so",
    "GCONV_PATH=/g",
    "GLIBC_TUNABLES=x",
    "MALLOC_ARENA_MAX=1",
    "NVC_DEBUG=1",
    "HOME=/",
    "NOVALUE",
    "",
    "LDX=1",
    "NVIDIA_VISIBLE_DEVICES=void",
    "=x",
];

/// The scene of a seed, or of bytes.
pub fn scene(mut dice: Dice) -> Scene {
    let dice = &mut dice;
    let mut scene = Scene { cwd: dice.pick(&["/", "/cwd", "/bundle"]).to_owned(), ..Scene::default() };
    scene.put("/cwd", Node::Directory { mode: 0o755 });
    scene.unprivileged = dice.one_in(10);
    scene.args = arguments(dice);
    scene.environ = environment(dice);
    configurations(dice, &mut scene);
    programs(dice, &mut scene);
    platform::draw(dice, &mut scene);
    let bundle = dice.pick(&["/bundle", "/bundle", "/bundle", "/bundle/", "/bundle/./x/..", "/b\u{e9}", "//bundle"]);
    let place = if bundle.contains('\u{e9}') { bundle } else { "/bundle" };
    let spec = draw_container::spec(dice);
    scene.put(&format!("{place}/config.json"), file(dice, spec));
    scene.stdin = Stdin { content: draw_container::state(dice, bundle), keep_open: false };
    scene
}

/// A file that is usually readable by all.
pub fn file(dice: &mut Dice, content: Vec<u8>) -> Node {
    Node::File { content, mode: if dice.one_in(60) { 0o600 } else { 0o644 } }
}

fn arguments(dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut words: Vec<&str> = Vec::new();
    let joined;
    if dice.one_in(5) {
        let odd = ["/srv/none.toml", "/srv", "srv/other.toml"];
        let paths = [ETC, OTHER, OTHER, "/cwd/../srv/other.toml", "", ""];
        let path = if dice.one_in(10) { dice.pick(&odd) } else { dice.pick(&paths) };
        let flag = dice.pick(&["-config", "--config", "-config=", "--config="]);
        if flag.ends_with('=') {
            joined = format!("{flag}{path}");
            words.push(&joined);
        } else {
            words.extend([flag, path]);
        }
    }
    if dice.one_in(4) {
        words.push(dice.pick(&[
            "-debug",
            "--debug",
            "-debug=true",
            "--debug=1",
            "-debug=f",
            "-debug=T",
            "-debug=FALSE",
        ]));
    }
    if dice.one_in(12) {
        words.push(dice.pick(&["-debug=0", "--debug", "-version=false", "--version=0", "-config="]));
    }
    if dice.one_in(80) {
        words.push(dice.pick(ODD_WORDS));
    }
    if dice.one_in(30) {
        words.push("--");
    }
    if !dice.one_in(80) {
        words.push(if dice.one_in(100) { "Prestart" } else { "prestart" });
    }
    if dice.one_in(10) {
        words.extend(dice.several(&["-debug", "x", "--bogus", "poststop", ""], 2));
    }
    words.into_iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn environment(dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let add = |entries: &mut Vec<Vec<u8>>, entry: &str| entries.push(entry.as_bytes().to_vec());
    if !dice.one_in(12) {
        add(&mut entries, dice.pick(PATHS));
    }
    if dice.one_in(10) {
        add(&mut entries, dice.pick(PATHS));
    }
    if dice.one_in(10) {
        add(
            &mut entries,
            dice.pick(&[
                "XDG_CONFIG_HOME=/xdg",
                "XDG_CONFIG_HOME=/a/x/../../xdg/",
                "XDG_CONFIG_HOME=",
                "XDG_CONFIG_HOME=/none",
                "XDG_CONFIG_HOME=xdg",
            ]),
        );
    }
    if dice.one_in(12) {
        add(
            &mut entries,
            dice.pick(&[
                "NVIDIA_CTK_CONFIG_FILE_PATH=/srv/other.toml",
                "NVIDIA_CTK_CONFIG_FILE_PATH=",
                "NVIDIA_CTK_CONFIG_FILE_PATH=/srv/none.toml",
                "NVIDIA_CTK_CONFIG_FILE_PATH=srv/other.toml",
            ]),
        );
    }
    if dice.one_in(5) {
        add(
            &mut entries,
            dice.pick(&[
                "LD_LIBRARY_PATH=/drv/lib",
                "LD_LIBRARY_PATH=/none;/drv/lib",
                "LD_LIBRARY_PATH=",
                "LD_LIBRARY_PATH=lib:/none::",
                "LD_LIBRARY_PATH=/none",
            ]),
        );
    }
    for entry in dice.several(INHERITED, 6) {
        add(&mut entries, entry);
    }
    if dice.one_in(10) {
        entries.push(b"BYTES=\xff\xfe".to_vec());
    }
    dice.shuffle(&mut entries);
    entries
}

/// Configuration files in the places where the hook looks for them.
fn configurations(dice: &mut Dice, scene: &mut Scene) {
    let mut place = |dice: &mut Dice, path: &str, often: usize| {
        if !dice.one_in(often) {
            return;
        }
        let content = draw_config::config(dice);
        match dice.below(200) {
            0 => scene.put(path, Node::Directory { mode: 0o755 }),
            1 => scene.put(path, Node::Symlink("/dangling".to_owned())),
            2 => scene.put(path, Node::Symlink(path.to_owned())),
            3 => scene.put(path.rsplit_once('/').unwrap().0, Node::text("a file")),
            4 => {
                scene.put(path.rsplit_once('/').unwrap().0, Node::Directory { mode: 0o700 });
                scene.put(path, Node::text(content));
            }
            5 if path != OTHER => scene.put(path, Node::Fifo),
            6..10 => {
                scene.put(path, Node::Symlink("/kept/config.toml".to_owned()));
                scene.put("/kept/config.toml", Node::text(content));
            }
            _ => {
                let node = file(dice, content);
                scene.put(path, node);
            }
        }
    };
    if !dice.one_in(8) {
        place(dice, ETC, 1);
    }
    place(dice, DRIVER, 10);
    place(dice, XDG, 2);
    if !dice.one_in(10) {
        place(dice, OTHER, 1);
    }
}

/// Programs that the hook may find, and the linker's configuration program.
fn programs(dice: &mut Dice, scene: &mut Scene) {
    if !dice.one_in(25) {
        scene.put(&format!("/usr/bin/{CLI}"), Node::EXECUTABLE_CLI);
    }
    let directories = [
        "/opt/bin",
        "/usr/local/sbin",
        "/sbin",
        "/driver/usr/bin",
        "/driver/opt/bin",
        "/run/nvidia/driver/bin",
        "/\u{e9}",
        "/opt/bin/x",
    ];
    for directory in directories {
        if dice.one_in(5) {
            let path = format!("{directory}/{CLI}");
            match dice.below(8) {
                // Files instead of programs with these permissions, each of which would be a copy on disk.
                0 => scene.put(&path, Node::text("not a program")),
                1 => scene.put(&path, Node::Directory { mode: 0o755 }),
                2 => scene.put(&path, Node::Symlink("/dangling".to_owned())),
                3 => scene.put(&path, Node::File { content: b"not for all".to_vec(), mode: 0o750 }),
                4 => scene.put(&path, Node::Symlink("/kept/cli".to_owned())),
                _ => scene.put(&path, Node::EXECUTABLE_CLI),
            }
        }
    }
    scene.put("/kept/cli", Node::EXECUTABLE_CLI);
    for path in ["/sbin/ldconfig.real", "/usr/sbin/ldconfig.real", "/sbin/x.real.real", "/sbin/ldconfig"] {
        if dice.one_in(4) {
            let node = match dice.below(5) {
                0 => Node::Directory { mode: 0o755 },
                1 => Node::text(""),
                2 => Node::Symlink("/kept/cli".to_owned()),
                3 => Node::Fifo,
                _ => Node::text("a program"),
            };
            scene.put(path, node);
        }
    }
}
