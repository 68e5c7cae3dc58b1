//! Sections 11, 12 and 13: the program, its command line and its environment.

use std::path::Path;

use hook_test_support::memory::MemoryHost;
use nvidia_container_runtime_hook::host::{FileKind, Host};
use nvidia_hook_conformance::scene::Scene;

use super::config::Config;
use super::container::Container;
use super::request::Request;
use super::{Flags, Step, Verdict, own};

const RELATIVE: &str = "couldn't find binary nvidia-container-cli: …is relative";
const NOT_FOUND: &str = "couldn't find binary nvidia-container-cli in PATH: exec: \"nvidia-container-cli\": executable file not found in $PATH";
const IMEX: &str = "cannot serve the requested IMEX channels: ";
const NOT_TOLD: &str = "cannot tell whether this is the host's root: ";
const NUL: &str = "exec failed: invalid argument: ";

/// The command line and the environment of a start.
pub fn written(
    scene: &Scene,
    flags: &Flags,
    config: &Config,
    container: &Container,
    request: &Request,
    host: &MemoryHost,
) -> Step<Verdict> {
    let (program, path) = program(scene, config, host)?;
    let foreign = asks_for_root(config) && !is_root_of_the_host(host)?;
    let mut argv = vec![program];
    let mut add = |text: String| argv.push(text.into_bytes());
    let global = options(flags, config, request, foreign)?;
    global.into_iter().for_each(&mut add);
    add("configure".to_owned());
    compatibility(config).map(str::to_owned).into_iter().for_each(&mut add);
    let ldconfig = config.text("nvidia-container-cli.ldconfig", "@/sbin/ldconfig");
    if !ldconfig.is_empty() {
        add(format!("--ldconfig={}", normalised(ldconfig, host)));
    }
    if foreign || config.flag("nvidia-container-cli.no-cgroups", false) {
        add("--no-cgroups".to_owned());
    }
    if !request.devices.is_empty() {
        add(format!("--device={}", request.devices.join(",")));
    }
    for (option, value) in [("mig-config", &request.mig_config), ("mig-monitor", &request.mig_monitor)] {
        value.iter().map(|value| format!("--{option}={value}")).for_each(&mut add);
    }
    if !request.channels.is_empty() {
        add(format!("--imex-channel={}", request.channels.join(",")));
    }
    request.capabilities.iter().map(|name| format!("--{name}")).for_each(&mut add);
    request.requirements.iter().map(|value| format!("--require={value}")).for_each(&mut add);
    add(format!("--pid={}", container.pid));
    add(container.rootfs.clone());
    let environ = environment(scene, config, path);
    if argv.iter().chain(&environ).any(|text| text.contains(&0)) {
        return Err(NUL);
    }
    Ok(Verdict::Executed { argv, environ })
}

/// The options before `configure`.
fn options(flags: &Flags, config: &Config, request: &Request, foreign: bool) -> Step<Vec<String>> {
    let knows = |version| config.cli.is_none_or(|cli| cli >= version);
    let uncreated = config.flag("features.disable-imex-channel-creation", false);
    let mut options = Vec::new();
    let value = |options: &mut Vec<String>, option: &str, value: &str| {
        if !value.is_empty() {
            options.push(format!("--{option}={value}"));
        }
    };
    value(&mut options, "root", config.text("nvidia-container-cli.root", ""));
    if config.flag("nvidia-container-cli.load-kmods", true) {
        options.push("--load-kmods".to_owned());
    }
    match (uncreated, knows([1, 17, 0])) {
        (true, true) => options.push("--no-create-imex-channels".to_owned()),
        (true, false) if !request.channels.is_empty() => return Err(IMEX),
        _ => {}
    }
    if config.flag("nvidia-container-cli.no-pivot", false) {
        options.push("--no-pivot".to_owned());
    }
    let debug = config.text("nvidia-container-cli.debug", "");
    value(&mut options, "debug", if flags.debug { "/dev/stderr" } else { debug });
    value(&mut options, "ldcache", config.text("nvidia-container-cli.ldcache", ""));
    // Faults are found in the order of the command line.
    if options.iter().any(|option| option.contains('\0')) {
        return Err(NUL);
    }
    match config.set("nvidia-container-cli.user") {
        None if foreign => options.push("--user".to_owned()),
        None => value(&mut options, "user", config.default_user?),
        Some(user) => value(&mut options, "user", user),
    }
    if options.iter().any(|option| option.contains('\0')) {
        return Err(NUL);
    }
    if !request.channels.is_empty() && !knows([1, 14, 6]) {
        return Err(IMEX);
    }
    Ok(options)
}

/// Whether anything depends on who starts the program.
fn asks_for_root(config: &Config) -> bool {
    let settled =
        config.set("nvidia-container-cli.user").is_some() && config.flag("nvidia-container-cli.no-cgroups", false);
    config.text("nvidia-container-runtime-hook.rootless", "off") == "auto" && !settled
}

/// Whether the host's root starts the program.
fn is_root_of_the_host(host: &MemoryHost) -> Step<bool> {
    let text = |path: &str| -> Step<Option<String>> {
        let bytes = host.read_if_present(Path::new(path)).map_err(|_| NOT_TOLD)?;
        Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap()))
    };
    if let Some(map) = text("/proc/self/uid_map")? {
        let line = map.lines().next().unwrap_or_default();
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [0, 0, 4_294_967_295] => {}
            [] | [_, _, _] => return Ok(false),
            _ => return Err(NOT_TOLD),
        }
    }
    let Some(status) = text("/proc/self/status")? else { return Ok(true) };
    let ids = status.lines().find(|line| line.starts_with("Uid:")).ok_or(NOT_TOLD)?;
    Ok(ids.split_whitespace().nth(2) == Some("0"))
}

/// The flag about compatibility libraries.
fn compatibility(config: &Config) -> Option<&'static str> {
    let set = config.set("nvidia-container-runtime.modes.legacy.cuda-compat-mode");
    let allowed = config.flag("features.allow-cuda-compat-libs-from-container", false);
    let newest = match set.unwrap_or("ldconfig") {
        "ldconfig" => Some("--cuda-compat-mode=ldconfig"),
        "mount" => Some("--cuda-compat-mode=mount"),
        "disabled" | "hook" => Some("--cuda-compat-mode=disabled"),
        _ if allowed => None,
        _ => Some("--cuda-compat-mode=disabled"),
    };
    match config.cli {
        Some(cli) if cli < [1, 17, 4] => None,
        // These versions mount by default, and their only other choice is not to.
        Some(cli) if cli < [1, 17, 7] => match newest {
            _ if allowed && set.is_none() => None,
            None | Some("--cuda-compat-mode=mount") => None,
            Some(_) => Some("--no-cntlibs"),
        },
        _ => newest,
    }
}

/// The host's ldconfig, or the program that it wraps.
fn normalised(ldconfig: &str, host: &MemoryHost) -> String {
    let Some(path) = ldconfig.strip_prefix('@') else { return ldconfig.to_owned() };
    let path = path.strip_suffix(".real").unwrap_or(path);
    let real = format!("{path}.real");
    let counts = matches!(host.kind(Path::new(&real)), Ok(Some(FileKind::Regular { empty: false })));
    format!("@{}", if counts { &real } else { path })
}

/// The program and, if it was searched for, the directories of the search.
fn program(scene: &Scene, config: &Config, host: &MemoryHost) -> Step<(Vec<u8>, Option<Vec<u8>>)> {
    let path = config.text("nvidia-container-cli.path", "");
    if path.starts_with('/') {
        return Ok((path.as_bytes().to_vec(), None));
    }
    if !path.is_empty() {
        return Err(RELATIVE);
    }
    let own = String::from_utf8(own(scene, "PATH").unwrap_or_default().to_vec()).unwrap();
    // An empty element is the working directory. Like other relative ones it is skipped, but not removed.
    let mut directories: Vec<String> = Vec::new();
    if !own.is_empty() {
        directories.extend(own.split(':').map(str::to_owned));
    }
    for default in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
        if !directories.iter().any(|directory| directory == default) {
            directories.push(default.to_owned());
        }
    }
    let root = config.text("nvidia-container-cli.root", "");
    if !root.is_empty() && root != "/" {
        let below = |directory: &String| super::clean(&format!("{root}/{directory}"));
        directories.splice(0..0, directories.iter().map(below).collect::<Vec<_>>());
    }
    let places = directories.iter().filter(|directory| directory.starts_with('/'));
    let mut places = places.map(|directory| format!("{}/nvidia-container-cli", directory.trim_end_matches('/')));
    let found = places.find(|place| host.is_executable(Path::new(place)).unwrap()).ok_or(NOT_FOUND)?;
    Ok((found.into_bytes(), Some(directories.join(":").into_bytes())))
}

/// The hook's own environment, with the search path of the program, then the configured entries.
fn environment(scene: &Scene, config: &Config, path: Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let name = |entry: &[u8]| entry.split(|byte| *byte == b'=').next().unwrap().to_vec();
    let mut environ = scene.environ.clone();
    if config.flag("nvidia-container-runtime-hook.sanitize-environment", false) {
        let loader = |entry: &Vec<u8>| {
            let starts = |start: &&str| entry.starts_with(start.as_bytes());
            ["LD_", "MALLOC_", "NVC_", "GCONV_PATH=", "GLIBC_TUNABLES=", "TMPDIR=", "PYTHON"].iter().any(starts)
        };
        environ.retain(|entry| !loader(entry));
    }
    if let Some(path) = path {
        let entry = [b"PATH=", path.as_slice()].concat();
        match environ.iter().position(|entry| entry.starts_with(b"PATH=")) {
            Some(at) => environ[at] = entry,
            None => environ.push(entry),
        }
    }
    for entry in config.variables() {
        environ.retain(|known| !known.contains(&b'=') || name(known) != name(entry.as_bytes()));
        environ.push(entry.into_bytes());
    }
    environ
}
