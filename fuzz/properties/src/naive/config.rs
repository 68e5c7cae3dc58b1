//! Sections 3 and 4: which file is the configuration, and what its keys say.

use std::io::ErrorKind;
use std::path::Path;

use hook_test_support::memory::MemoryHost;
use nvidia_container_runtime_hook::host::Host;
use nvidia_hook_conformance::scene::Scene;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{Flags, Step, clean, own, version};

const UNKNOWN_DISTRIBUTION: &str = "cannot tell the distribution: ";
const ABSENT: &str =
    "error getting hook config: failed to load config: couldn't open required configuration file: file does not exist";
const NOT_LOADED: &str = "error getting hook config: failed to load config: couldn't open required configuration file: failed to load specified config file";
const WRONG_TYPE: &str = "error getting hook config: failed to load config: failed to unmarshal config: ";
const CAPABILITY: &str =
    "error getting hook config: Invalid value for config option 'supported-driver-capabilities'; …unknown capability";
const VARIABLE: &str = "error getting hook config: failed to load config: …nvidia-container-cli.environment entry";
const CLI_VERSION: &str =
    "error getting hook config: failed to load config: …nvidia-container-runtime-hook.cli-version value";
const ROOTLESS: &str =
    "error getting hook config: failed to load config: …nvidia-container-runtime-hook.rootless value";
const NOT_OF_THE_HOST: &str =
    "error getting hook config: failed to load config: nvidia-container-cli.ldconfig value …is not host-relative";
const NOT_ABSOLUTE: &str =
    "error getting hook config: failed to load config: nvidia-container-cli.ldconfig value …is not an absolute path";

/// All capabilities.
pub const CAPABILITIES: [&str; 7] = ["compat32", "compute", "display", "graphics", "ngx", "utility", "video"];

const BOOLEANS: &[&str] = &[
    "disable-require",
    "accept-nvidia-visible-devices-envvar-when-unprivileged",
    "accept-nvidia-visible-devices-as-volume-mounts",
    "nvidia-container-cli.load-kmods",
    "nvidia-container-cli.no-pivot",
    "nvidia-container-cli.no-cgroups",
    "nvidia-container-runtime-hook.skip-mode-detection",
    "nvidia-container-runtime-hook.sanitize-environment",
    "features.allow-cuda-compat-libs-from-container",
    "features.allow-ldconfig-from-container",
    "features.allow-unknown-oci-spec-fields",
    "features.disable-cuda-compat-lib-hook",
    "features.disable-imex-channel-creation",
    "features.ignore-imex-channel-requests",
    "features.no-additional-gids-for-device-nodes",
];
const STRINGS: &[&str] = &[
    "swarm-resource",
    "supported-driver-capabilities",
    "nvidia-container-cli.root",
    "nvidia-container-cli.path",
    "nvidia-container-cli.debug",
    "nvidia-container-cli.ldcache",
    "nvidia-container-cli.user",
    "nvidia-container-cli.ldconfig",
    "nvidia-container-runtime.debug",
    "nvidia-container-runtime.log-level",
    "nvidia-container-runtime.mode",
    "nvidia-container-runtime.modes.cdi.default-kind",
    "nvidia-container-runtime.modes.csv.mount-spec-path",
    "nvidia-container-runtime.modes.csv.compat-container-root",
    "nvidia-container-runtime.modes.legacy.cuda-compat-mode",
    "nvidia-container-runtime-hook.path",
    "nvidia-container-runtime-hook.cli-version",
    "nvidia-container-runtime-hook.log",
    "nvidia-container-runtime-hook.rootless",
    "nvidia-ctk.path",
];
const LISTS: &[&str] = &[
    "nvidia-container-cli.environment",
    "nvidia-container-runtime.runtimes",
    "nvidia-container-runtime.modes.cdi.annotation-prefixes",
    "nvidia-container-runtime.modes.cdi.spec-dirs",
    "nvidia-container-runtime.modes.jit-cdi.nvcdi-feature-flags",
    "nvidia-container-runtime.modes.jit-cdi.nvcdi-disable-hooks",
];

/// What a configuration says.
pub struct Config {
    table: Table,
    /// The capabilities that containers may ask for.
    pub supported: Vec<String>,
    /// The version of the program, three numbers; `None` for the newest.
    pub cli: Option<[u64; 3]>,
    /// The user if the file names none, which differs on SUSE; an error if `/etc/os-release` cannot be read.
    pub default_user: Step<&'static str>,
}

/// The table in a text. No key takes a number, so numbers are not read, however large.
fn plain(table: DeTable<'_>) -> Table {
    fn value(said: DeValue<'_>) -> Value {
        match said {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Boolean(truth) => Value::Boolean(truth),
            DeValue::Array(items) => Value::Array(items.into_iter().map(|item| value(item.into_inner())).collect()),
            DeValue::Table(table) => Value::Table(plain(table)),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => Value::Integer(0),
        }
    }
    table.into_iter().map(|(name, said)| (name.into_inner().into_owned(), value(said.into_inner()))).collect()
}

/// The value at a path of names; a fault if the path leads through something that is not a table.
fn at<'t>(table: &'t Table, path: &str) -> Step<Option<&'t Value>> {
    match path.split_once('.') {
        None => Ok(table.get(path)),
        Some((first, rest)) => match table.get(first) {
            None => Ok(None),
            Some(Value::Table(table)) => at(table, rest),
            Some(_) => Err(WRONG_TYPE),
        },
    }
}

impl Config {
    fn value(&self, key: &str) -> Option<&Value> {
        at(&self.table, key).unwrap()
    }

    /// A boolean, or its default.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.value(key).map_or(default, |value| value.as_bool().unwrap())
    }

    /// A string, if set.
    pub fn set(&self, key: &str) -> Option<&str> {
        self.value(key).map(|value| value.as_str().unwrap())
    }

    /// A string, or its default.
    pub fn text<'c>(&'c self, key: &str, default: &'c str) -> &'c str {
        self.set(key).unwrap_or(default)
    }

    /// The entries of `nvidia-container-cli.environment`.
    pub fn variables(&self) -> Vec<String> {
        let list = self.value("nvidia-container-cli.environment").and_then(Value::as_array);
        list.into_iter().flatten().map(|entry| entry.as_str().unwrap().to_owned()).collect()
    }
}

/// The configuration of a start.
pub fn read(scene: &Scene, flags: &Flags, host: &MemoryHost) -> Step<Config> {
    let text = match file(scene, flags, host)? {
        None => String::new(),
        Some(bytes) => String::from_utf8(without_comments(&bytes)).map_err(|_| NOT_LOADED)?,
    };
    let table = plain(DeTable::parse(&text).map_err(|_| NOT_LOADED)?.into_inner());
    for (keys, fits) in [
        (BOOLEANS, &Value::is_bool as &dyn Fn(&Value) -> bool),
        (STRINGS, &Value::is_str),
        (LISTS, &|value| value.as_array().is_some_and(|items| items.iter().all(Value::is_str))),
    ] {
        for key in keys {
            if at(&table, key)?.is_some_and(|value| !fits(value)) {
                return Err(WRONG_TYPE);
            }
        }
    }
    let mut config = Config { table, supported: Vec::new(), cli: None, default_user: default_user(host) };
    config.supported = supported(config.text("supported-driver-capabilities", "all"))?;
    config.cli = cli_version(config.text("nvidia-container-runtime-hook.cli-version", "newest"))?;
    let allowed = config.flag("features.allow-ldconfig-from-container", false);
    ldconfig_is_safe(config.text("nvidia-container-cli.ldconfig", "@/sbin/ldconfig"), allowed)?;
    let is_entry = |entry: &String| entry.find('=').is_some_and(|at| at > 0);
    if !config.variables().iter().all(is_entry) {
        return Err(VARIABLE);
    }
    if !["auto", "off"].contains(&config.text("nvidia-container-runtime-hook.rootless", "off")) {
        return Err(ROOTLESS);
    }
    Ok(config)
}

/// The bytes of the file, if there is one.
fn file(scene: &Scene, flags: &Flags, host: &MemoryHost) -> Step<Option<Vec<u8>>> {
    let text =
        |name| own(scene, name).map(|value| String::from_utf8(value.to_vec()).unwrap()).filter(|it| !it.is_empty());
    let flag = flags.config.clone().filter(|path| !path.is_empty());
    if let Some(path) = flag.or_else(|| text("NVIDIA_CTK_CONFIG_FILE_PATH")) {
        let fault = |error: std::io::Error| if error.kind() == ErrorKind::NotFound { ABSENT } else { NOT_LOADED };
        if !path.starts_with('/') {
            return Err(NOT_LOADED);
        }
        return host.read_settled(Path::new(&path), true).map(Some).map_err(fault);
    }
    if let Some(home) = text("XDG_CONFIG_HOME") {
        if !home.starts_with('/') {
            return Err(NOT_LOADED);
        }
        return usual(host, &clean(&format!("{home}/nvidia-container-runtime/config.toml")), false);
    }
    match usual(host, "/run/nvidia/driver/etc/nvidia-container-runtime/config.toml", true)? {
        None => usual(host, "/etc/nvidia-container-runtime/config.toml", false),
        found => Ok(found),
    }
}

/// The file in a usual place. A driver's file also counts as absent if it cannot be reached.
fn usual(host: &MemoryHost, path: &str, of_driver: bool) -> Step<Option<Vec<u8>>> {
    let kind = host.kind(Path::new(path));
    match host.read_settled(Path::new(path), false) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let dangles = !of_driver && host.is_dangling(Path::new(path)).unwrap();
            if dangles { Err(NOT_LOADED) } else { Ok(None) }
        }
        Err(_) if of_driver && !matches!(kind, Ok(Some(_))) => Ok(None),
        Err(_) => Err(NOT_LOADED),
        Ok(bytes) => Ok(Some(bytes)),
    }
}

/// The text with its comments emptied, because their content does not matter.
fn without_comments(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut rest = bytes;
    // The quote that ends the string in which the rest begins.
    let mut quote: &[u8] = b"";
    while let Some(first) = rest.first() {
        let mut length = 1;
        if quote.is_empty() {
            if *first == b'#' {
                // The end of the line, which includes its carriage return.
                let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                let end = if end < rest.len() && rest[..end].ends_with(b"\r") { end - 1 } else { end };
                // The `#` stays, so a carriage return before it does not join the line's end.
                kept.push(b'#');
                rest = &rest[end..];
                continue;
            }
            let quotes: [&[u8]; 4] = [b"\"\"\"", b"'''", b"\"", b"'"];
            quote = quotes.into_iter().find(|quote| rest.starts_with(quote)).unwrap_or(b"");
            length = quote.len().max(1);
        } else if rest.starts_with(b"\\") && quote[0] == b'"' {
            length = rest.len().min(2);
        } else if rest.starts_with(quote) {
            length = quote.len();
            // Up to two quotation marks may precede the three that end a string.
            while quote.len() == 3 && length < 5 && rest.get(length) == Some(&quote[0]) {
                length += 1;
            }
            quote = b"";
        } else if rest.starts_with(b"\n") && quote.len() == 1 {
            // Not TOML: the parser will say so.
            quote = b"";
        }
        kept.extend(&rest[..length]);
        rest = &rest[length..];
    }
    kept
}

fn supported(value: &str) -> Step<Vec<String>> {
    if value == "all" {
        return Ok(CAPABILITIES.map(str::to_owned).to_vec());
    }
    let names = super::items(value);
    let known = names.iter().all(|name| CAPABILITIES.contains(&name.as_str()));
    if known { Ok(names) } else { Err(CAPABILITY) }
}

fn cli_version(value: &str) -> Step<Option<[u64; 3]>> {
    if value.is_empty() || value == "newest" {
        return Ok(None);
    }
    match version(value) {
        Some((numbers, _)) if numbers >= [1, 14, 0] => Ok(Some(numbers)),
        _ => Err(CLI_VERSION),
    }
}

fn ldconfig_is_safe(value: &str, allowed: bool) -> Step<()> {
    match value.strip_prefix('@') {
        Some(path) if path.starts_with('/') => Ok(()),
        Some(_) => Err(NOT_ABSOLUTE),
        None if allowed => Ok(()),
        None => Err(NOT_OF_THE_HOST),
    }
}

/// The user that queries the driver, which differs if `/etc/os-release` has suse or opensuse in `ID_LIKE`.
fn default_user(host: &MemoryHost) -> Step<&'static str> {
    let bytes = host.read_if_present(Path::new("/etc/os-release")).map_err(|_| UNKNOWN_DISTRIBUTION)?;
    let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("ID_LIKE=")).unwrap_or_default().to_owned();
    let mut words = line.trim_matches(['"', '\'']).split_whitespace();
    Ok(if words.any(|word| word == "suse" || word == "opensuse") { "root:video" } else { "" })
}
