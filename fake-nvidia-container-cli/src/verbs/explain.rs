//! `explain`: what a command line would do, as text to read. It takes the same steps as a run and applies nothing.

use super::show::summary;
use crate::cli::{self, Command, Context, Parsed, Reading};
use crate::failure::Pending;
use crate::outcome::{Outcome, Stop};
use crate::plan::{Action, Kind, Op, Plan};
use crate::settings::Settings;
use crate::simulate::{self, Choice, Look, Setting, Work};
use crate::smi::Store;
use nvidia_simulated_machine::driver_files::{self, Capability};
use nvidia_simulated_machine::text::Text;
use nvidia_simulated_machine::topology::{self, Topology};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Runs the verb; the exit code is the command line's.
pub(super) fn run(settings: &Settings, name: Option<&str>, words: &[OsString]) -> Result<Outcome, Stop> {
    let machine = topology::load(name).map_err(Stop::Internal)?;
    // A run would see what was changed.
    let machine = Store::new(settings.state.as_deref()).read().map_err(Stop::Internal)?.applied(machine);
    let context = Context {
        argv0: "nvidia-container-cli".to_owned(),
        version: settings.version,
        posixly_correct: false,
        ppid: 1,
        euid: (0, 0),
    };
    let Reading { program, parsed, .. } =
        cli::parse(&context, words.iter().map(|word| Text::new(word.as_bytes())).collect());
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(stop) => return Ok(stop.outcome(&program)),
    };
    let pending = Pending::default();
    let setting = Setting {
        machine: &machine,
        version: settings.version,
        path: Some("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        mps: None,
        pending: &pending,
        program: &program,
        look: Look::Nowhere,
    };
    let mut work = Work::default();
    let answer = simulate::run(setting, &parsed, &mut work);
    let choice = answer.as_ref().map(|a| a.choice.clone()).unwrap_or_default();
    let mut out = head(&machine, &parsed, &choice);
    out.push_str(&plan_text(&work.plan, parsed.rootfs.as_deref().unwrap_or_default()));
    match answer {
        Ok(answer) => {
            if parsed.command != Command::Configure {
                out.push_str(&format!("prints\n{}", indent(&answer.stdout)));
            }
            Ok(Outcome { stdout: out, ..Outcome::default() })
        }
        Err(stop) => {
            let end = stop.outcome(&program);
            Ok(Outcome { stdout: format!("{out}fails\n{}", indent(&end.stderr)), exit: end.exit, ..Outcome::default() })
        }
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// What was asked for, and which devices that means.
fn head(machine: &Topology, parsed: &Parsed, choice: &Choice) -> String {
    let mut out = format!("machine     {}: {}\n", machine.name, summary(machine));
    let mut line = |label: &str, value: &str| out.push_str(&format!("{label:<11} {value}\n"));
    if let Some(flags) = &parsed.container_flags {
        line("flags", flags);
    }
    line("asked for", parsed.devices.as_deref().unwrap_or("no device"));
    for gpu in choice.devices.gpus.iter().filter_map(|at| machine.gpus.get(*at)) {
        line("device", &format!("{}  /dev/nvidia{}  {}  {}", gpu.index, gpu.minor, gpu.uuid, gpu.model));
    }
    for (gpu, mig) in &choice.devices.migs {
        let part = machine.gpus.get(*gpu).and_then(|g| g.mig.get(*mig));
        if let Some(part) = part {
            line("MIG device", &format!("{gpu}:{mig}  {}  {}", part.profile, part.uuid));
        }
    }
    let places = |list: &[usize]| list.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    if !choice.config.is_empty() {
        line("MIG config", &format!("of GPU {}", places(&choice.config)));
    }
    if !choice.monitor.is_empty() {
        line("MIG monitor", &format!("of GPU {}", places(&choice.monitor)));
    }
    if let Some(channels) = &parsed.imex_channels {
        line("IMEX", channels);
    }
    for requirement in &parsed.reqs {
        line("require", requirement);
    }
    out
}

/// The operations, grouped by what they are for.
fn plan_text(plan: &Plan, rootfs: &str) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for action in &plan.actions {
        let Some((group, line)) = describe(action, rootfs) else { continue };
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((group, vec![line])),
        }
    }
    let text = |(name, lines): &(&str, Vec<String>)| format!("{name}\n{}", indent(&lines.join("\n")));
    groups.iter().map(text).collect()
}

fn describe(action: &Action, rootfs: &str) -> Option<(&'static str, String)> {
    let inside = |path: &str| path.strip_prefix(rootfs).unwrap_or(path).to_owned();
    Some(match action {
        Action::Op(op) => match op {
            Op::Modprobe { module } => ("host", format!("load the module of {module}")),
            Op::Mknod { what, minor } => {
                ("host", format!("make the node {what}{}", minor.map(|m| format!(" {m}")).unwrap_or_default()))
            }
            Op::DriverInit { root, uid, gid } => ("host", format!("ask the driver in {root} as {uid}:{gid}")),
            Op::Tmpfs { dst, .. } => ("always", format!("new folder {}", inside(dst))),
            Op::Bind { src, dst, kind, .. } => (group(src, kind), inside(dst)),
            Op::CgroupAllow { major, minor } => ("device cgroup", format!("allow {major}:{minor}")),
            Op::Ldconfig { path, host, compat_dir, libs_dir, libs32_dir } => {
                let whose = if *host { "the host's" } else { "the container's" };
                let first = compat_dir.as_deref().map(|d| format!("{d} ")).unwrap_or_default();
                ("linker cache", format!("{whose} {path} over {first}{libs_dir} {libs32_dir}"))
            }
        },
        Action::Link { at, to } => ("links", format!("{} -> {to}", inside(at))),
        Action::Folder(_) | Action::Remove(_) | Action::File { .. } => return None,
    })
}

/// What a mount is for.
fn group(src: &str, kind: &Kind) -> &'static str {
    let name = src.rsplit('/').next().unwrap_or_default();
    let capability = |c: Capability| match c {
        Capability::Compute => "capability compute",
        Capability::Utility => "capability utility",
        Capability::Video => "capability video",
        Capability::Graphics => "capability graphics",
        Capability::Ngx => "capability ngx",
    };
    match kind {
        Kind::Program => {
            driver_files::BINS.iter().find(|(bin, _)| *bin == name).map_or("always", |(_, c)| capability(*c))
        }
        Kind::File => driver_files::library(name).map_or("always", capability),
        Kind::ContainerFile => "newer CUDA of the image",
        Kind::Socket => "capability utility",
        Kind::GpuFolder(_) => "devices",
        Kind::Access(_) => "MIG",
        Kind::Device { .. } if src.contains("nvidia-caps-imex") => "IMEX",
        Kind::Device { .. } if src.contains("nvidia-caps/") => "MIG",
        Kind::Device { .. } if src.contains("nvidia-uvm") => "capability compute",
        Kind::Device { .. } if src.contains("modeset") => "capability display",
        Kind::Device { .. } if src.ends_with("nvidiactl") => "always",
        Kind::Device { .. } => "devices",
        Kind::Folder if src.contains("nvidia-caps") || src.contains("capabilities") => "MIG",
        Kind::Folder => "capability compute",
    }
}
