//! The command line of `nvidia-container-cli` (SPEC section 12), each argument with its origin. Apart from what
//! `rootless` asks, it asks the host only two things: whether this is SUSE, and whether ldconfig is wrapped. Must not
//! know which program gets the command line.

use std::borrow::Cow;
use std::ffi::CString;
use std::path::Path;

use super::program::Program;
use super::rootless;
use crate::config::{Config, SUSE_USER};
use crate::container::{Spec, State};
use crate::contract::cli_version::CompatSyntax;
use crate::contract::keys::Key;
use crate::contract::origin::Origin;
use crate::contract::variables::{MIG_CONFIG, MIG_MONITOR};
use crate::error::{Doubt, Error, Unanswered};
use crate::host::{FileKind, Host, path_of};
use crate::invocation::Invocation;
use crate::request::Request;

/// An argument of the command line, and why it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The argument as the program gets it.
    pub text: CString,
    /// The input that put it there.
    pub origin: Origin,
}

/// The arguments for a GPU container, `argv[0]` first.
///
/// # Errors
/// [`Error::ImexTooOld`], [`Error::Nul`], [`Error::Machine`].
pub(super) fn arguments(
    program: &Program,
    invocation: &Invocation<'_>,
    config: &Config<'_>,
    state: &State,
    spec: &Spec<'_>,
    request: &Request,
    host: &dyn Host,
) -> Result<Vec<Argument>, Error> {
    let rootless = rootless::find(config, host)?;
    let mut arguments = Arguments(Vec::with_capacity(16));
    arguments.push(program.path.clone(), program.origin.clone())?;
    global_options(&mut arguments, invocation, config, request)?;
    user(&mut arguments, config, rootless.as_ref(), host)?;
    arguments.push("configure", Origin::Fixed)?;
    configure_options(&mut arguments, config, request, rootless, host)?;
    for requirement in &request.requirements {
        arguments.option("--require=", &requirement.expression, requirement.origin.clone())?;
    }
    arguments.option("--pid=", &state.pid.to_string(), Origin::State("pid"))?;
    arguments.push(spec.rootfs.as_str(), Origin::Spec("root.path"))?;
    Ok(arguments.0)
}

/// The options before `configure`, except the user.
fn global_options(
    arguments: &mut Arguments,
    invocation: &Invocation<'_>,
    config: &Config<'_>,
    request: &Request,
) -> Result<(), Error> {
    arguments.value("--root=", config, Key::CliRoot)?;
    arguments.flag("--load-kmods", config, Key::CliLoadKmods)?;
    if can_forbid_channel_creation(config, request)? {
        arguments.flag("--no-create-imex-channels", config, Key::DisableImexChannelCreation)?;
    }
    arguments.flag("--no-pivot", config, Key::CliNoPivot)?;
    if invocation.flags.debug {
        arguments.push("--debug=/dev/stderr", Origin::Flag("-debug"))?;
    } else {
        arguments.value("--debug=", config, Key::CliDebug)?;
    }
    arguments.value("--ldcache=", config, Key::CliLdcache)
}

/// The user that queries the driver: the configured one, the one that starts the program, or this distribution's.
fn user(
    arguments: &mut Arguments,
    config: &Config<'_>,
    rootless: Option<&Origin>,
    host: &dyn Host,
) -> Result<(), Error> {
    let user = match rootless {
        _ if config.is_set(Key::CliUser) => config.text(Key::CliUser),
        Some(origin) => return arguments.push("--user", origin.clone()),
        None if is_suse(host)? => SUSE_USER,
        None => "",
    };
    if user.is_empty() { Ok(()) } else { arguments.option("--user=", user, config.origin(Key::CliUser)) }
}

/// The options of `configure`, except requirements.
fn configure_options(
    arguments: &mut Arguments,
    config: &Config<'_>,
    request: &Request,
    rootless: Option<Origin>,
    host: &dyn Host,
) -> Result<(), Error> {
    if let Some(flag) = compat_flag(config) {
        arguments.push(flag, config.origin(Key::LegacyCudaCompatMode))?;
    }
    match ldconfig(config.text(Key::CliLdconfig), host)? {
        path if path.is_empty() => {}
        path => arguments.option("--ldconfig=", &path, config.origin(Key::CliLdconfig))?,
    }
    let configured = config.flag(Key::CliNoCgroups).then(|| config.origin(Key::CliNoCgroups));
    if let Some(origin) = configured.or(rootless) {
        arguments.push("--no-cgroups", origin)?;
    }
    if let Some(devices) = request.devices.value.argument() {
        arguments.option("--device=", &devices, request.devices.origin.clone())?;
    }
    for (option, value, variable) in
        [("--mig-config=", &request.mig_config, MIG_CONFIG), ("--mig-monitor=", &request.mig_monitor, MIG_MONITOR)]
    {
        if let Some(value) = value {
            arguments.option(option, value, Origin::Variable(variable.to_owned()))?;
        }
    }
    if let Some(channels) = request.imex.channels() {
        if !config.cli_version().has_imex_channel() {
            return Err(imex_too_old(config, "--imex-channel", "1.14.6"));
        }
        arguments.option("--imex-channel=", &channels.value.join(","), channels.origin.clone())?;
    }
    for flag in request.capabilities.value.flags() {
        arguments.push(flag, request.capabilities.origin.clone())?;
    }
    Ok(())
}

/// Whether the program can be told not to create channel nodes. If it cannot, and the configuration forbids them while
/// channels are requested, that is an error: otherwise the setting would be lost silently.
fn can_forbid_channel_creation(config: &Config<'_>, request: &Request) -> Result<bool, Error> {
    let known = config.cli_version().has_no_create_imex_channels();
    if !known && config.flag(Key::DisableImexChannelCreation) && request.imex.channels().is_some() {
        return Err(imex_too_old(config, "--no-create-imex-channels", "1.17.0"));
    }
    Ok(known)
}

fn imex_too_old(config: &Config<'_>, option: &'static str, since: &'static str) -> Error {
    Error::ImexTooOld { place: config.place(Key::HookCliVersion), option, since }
}

/// The option that tells the program how to treat the image's CUDA compatibility libraries.
fn compat_flag(config: &Config<'_>) -> Option<&'static str> {
    let flag = match config.text(Key::LegacyCudaCompatMode) {
        "ldconfig" => "--cuda-compat-mode=ldconfig",
        "mount" => "--cuda-compat-mode=mount",
        "disabled" | "hook" => "--cuda-compat-mode=disabled",
        _ if config.flag(Key::AllowCudaCompatLibs) => return None,
        _ => "--cuda-compat-mode=disabled",
    };
    let says_only_feature = !config.is_set(Key::LegacyCudaCompatMode) && config.flag(Key::AllowCudaCompatLibs);
    match config.cli_version().compat_syntax() {
        CompatSyntax::Mode => Some(flag),
        // The published hooks of these versions read the feature: the mode came with 1.17.7.
        CompatSyntax::NoCntlibs if says_only_feature => None,
        // These versions can only mount or not mount. A mode that they do not have is off, which is safe for the host.
        CompatSyntax::NoCntlibs if flag.ends_with("mount") => None,
        CompatSyntax::NoCntlibs => Some("--no-cntlibs"),
        CompatSyntax::None => None,
    }
}

fn is_suse(host: &dyn Host) -> Result<bool, Error> {
    let path = Path::new("/etc/os-release");
    let unanswered = |cause| Unanswered::of("open", path)(cause).leaves(Doubt::Distribution);
    let release = host.read_if_present(path).map_err(unanswered)?.unwrap_or_default();
    let like = release.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"ID_LIKE="));
    let mut words = like.unwrap_or_default().split(|byte| matches!(byte, b' ' | b'"' | b'\''));
    Ok(words.any(|word| matches!(word, b"suse" | b"opensuse")))
}

/// The host's ldconfig: Ubuntu wraps it in a script that works only on the host, and puts the program next to it as
/// `.real`. The program is copied before it runs, so its content counts, not its execute permission. A path in the
/// container stays as it is.
fn ldconfig<'c>(configured: &'c str, host: &dyn Host) -> Result<Cow<'c, str>, Error> {
    let Some(path) = configured.strip_prefix('@') else { return Ok(Cow::Borrowed(configured)) };
    let plain = path.strip_suffix(".real").unwrap_or(path);
    let real = [plain, ".real"].concat();
    let place = path_of(real.as_bytes());
    let unanswered = |cause| Unanswered::of("stat", place)(cause).leaves(Doubt::Ldconfig);
    Ok(match host.kind(place).map_err(unanswered)? {
        Some(FileKind::Regular { empty: false }) => Cow::Owned(["@", &real].concat()),
        _ => Cow::Owned(["@", plain].concat()),
    })
}

/// The arguments, in the order in which they are added.
struct Arguments(Vec<Argument>);

impl Arguments {
    fn push(&mut self, text: impl Into<Vec<u8>>, origin: Origin) -> Result<(), Error> {
        match CString::new(text) {
            Ok(text) => {
                self.0.push(Argument { text, origin });
                Ok(())
            }
            Err(error) => {
                let text = String::from_utf8_lossy(error.into_vec().split(|b| *b == b'=').next().unwrap_or_default())
                    .into_owned();
                Err(Error::Nul { what: format!("the argument {text}") })
            }
        }
    }

    /// An option, which ends with `=`, and its value.
    fn option(&mut self, option: &str, value: &str, origin: Origin) -> Result<(), Error> {
        // With room for the NUL, so that adding it does not move the text.
        let mut text = Vec::with_capacity(option.len() + value.len() + 1);
        text.extend_from_slice(option.as_bytes());
        text.extend_from_slice(value.as_bytes());
        self.push(text, origin)
    }

    /// `OPTION=VALUE` if a key has a value.
    fn value(&mut self, option: &str, config: &Config<'_>, key: Key) -> Result<(), Error> {
        match config.text(key) {
            "" => Ok(()),
            value => self.option(option, value, config.origin(key)),
        }
    }

    /// `OPTION` if a key is true.
    fn flag(&mut self, option: &str, config: &Config<'_>, key: Key) -> Result<(), Error> {
        if config.flag(key) { self.push(option, config.origin(key)) } else { Ok(()) }
    }
}
