//! What looks like a mistake although the hook accepts it. Made from the report alone.

use std::collections::BTreeSet;

use super::report::{CandidateOutcome, CandidateSource, Origin, OriginKind, Report};
use crate::driver::NEWEST_CUDA;
use crate::finding::Finding;
use crate::requirement::{WORK, is_unmeetable};
use hook::contract::cdi;
use hook::contract::origin::EFFECTIVE_USER;
use hook::contract::variables::{DRIVER_CAPABILITIES, IMEX_CHANNELS};
use hook::text::comma_list;
use nvidia_simulated_machine::select;

/// The warnings about a report.
#[must_use]
pub fn of(report: &Report) -> Vec<Finding> {
    let mut warnings = Vec::new();
    refused_all(report, &mut warnings);
    device_lists(report, &mut warnings);
    channels(report, &mut warnings);
    capability_list(report, &mut warnings);
    requirements(report, &mut warnings);
    rootless(report, &mut warnings);
    warnings
}

fn warn(warnings: &mut Vec<Finding>, id: &'static str, message: String, remedy: &str) {
    warnings.push(Finding::warning(id, message, remedy));
}

/// An image asks for `all`, and a policy ignores it: the container gets no GPUs and no error.
fn refused_all(report: &Report, warnings: &mut Vec<Finding>) {
    let candidates = report.devices.iter().flat_map(|devices| &devices.candidates);
    for candidate in candidates.filter(|candidate| candidate.outcome == CandidateOutcome::Refused) {
        if candidate.value.as_deref().is_some_and(|value| comma_list(value).any(|item| item == "all")) {
            let message = format!("{} asks for all GPUs and is ignored: {}", candidate.source, candidate.why);
            let remedy = "request GPUs in the way this host accepts, or change the policy; the image's own `all` is not a mistake";
            warn(warnings, "all-ignored", message, remedy);
        }
    }
}

/// Odd values of variables that count.
fn device_lists(report: &Report, warnings: &mut Vec<Finding>) {
    let candidates = report.devices.iter().flat_map(|devices| &devices.candidates);
    for candidate in candidates {
        let (CandidateSource::Variable(name), Some(value)) = (&candidate.source, candidate.value.as_deref()) else {
            continue;
        };
        if candidate.outcome == CandidateOutcome::Outranked {
            continue;
        }
        let items: Vec<&str> = comma_list(value).collect();
        special_words(name, value, &items, warnings);
        for (item, is_repeated) in items.iter().zip(repeated(&items)) {
            if is_repeated {
                let message = format!("{name} names {item} twice");
                warn(warnings, "duplicate-device", message, "remove one; it counts once");
            } else if let Some((id, what, remedy)) = oddity(item) {
                warn(warnings, id, format!("{name}: '{item}' looks like {what}"), remedy);
            }
        }
    }
}

/// The user who explains may not be the user who starts the hook.
fn rootless(report: &Report, warnings: &mut Vec<Finding>) {
    let by_user = |origin: &Origin| origin.kind == OriginKind::Machine && origin.name == EFFECTIVE_USER;
    if report.argv.iter().flat_map(|argument| &argument.origin).any(by_user) {
        let message = "what is passed because this is not root counts for starts by this user; those by root, as of a \
                       daemon, do without it"
            .to_owned();
        warn(warnings, "rootless-by-user", message, "explain as whoever starts the containers");
    }
}

/// For each item, whether it occurred before.
fn repeated<T: Ord>(items: &[T]) -> impl Iterator<Item = bool> {
    let mut seen = BTreeSet::new();
    items.iter().map(move |item| !seen.insert(item))
}

/// `void` alone, and `void`, `all` or `none` beside other items.
fn special_words(source: &str, value: &str, items: &[&str], warnings: &mut Vec<Finding>) {
    if value == "void" {
        let message = format!("{source} is 'void': no image says so by itself");
        let remedy =
            "it was set by an engine, an orchestrator or a runtime in mode cdi, which gives devices in another way";
        warn(warnings, "void", message, remedy);
    } else if items.len() > 1 {
        if items.contains(&"void") {
            let message = format!("{source} is '{value}': void anywhere in the list means no GPU at all");
            warn(warnings, "void-in-list", message, "remove void, or everything else");
        } else if let Some(word) = items.iter().find(|item| matches!(**item, "all" | "none")) {
            let message = format!("{source} is '{value}': '{word}' decides alone, the rest of the list is ignored");
            warn(warnings, "word-in-list", message, "say one or the other");
        }
    }
}

/// What an item of a device list looks like, if not like a device.
fn oddity(item: &str) -> Option<(&'static str, &'static str, &'static str)> {
    let lower = item.to_ascii_lowercase();
    if matches!(lower.as_str(), "true" | "false" | "yes" | "no" | "on" | "off") {
        return Some((
            "boolean",
            "a boolean, which is not a device",
            "write all, none, or a list of devices; quote it in YAML",
        ));
    }
    if item.starts_with('/') {
        let remedy = "with this value devices are requested by mounts, so accept-nvidia-visible-devices-as-volume-mounts must be true";
        return Some(("path", "a path, which is not a device", remedy));
    }
    if lower.starts_with("mig-gpu-") {
        let remedy = "drivers from 470 on name MIG devices MIG-UUID; see nvidia-smi -L";
        return Some(("old-mig-name", "the name of a MIG device from before driver 470", remedy));
    }
    let known =
        matches!(lower.as_str(), "all" | "none" | "void") || ["gpu-", "mig-"].iter().any(|it| lower.starts_with(it));
    if known || is_place(item) || is_bus(item) || cdi::is_qualified(item) {
        return None;
    }
    let remedy =
        "nvidia-container-cli will say 'unknown device'; valid are indices, GPU-UUID and MIG-UUID, see nvidia-smi -L";
    Some(("unknown-device", "no name of a device", remedy))
}

/// Whether an item is a number, or the places of a GPU and a part, as nvidia-container-cli reads numbers.
fn is_place(item: &str) -> bool {
    // The library reads a number alike wherever it is; it offers that only for channels.
    let is_number = |text: &str| select::channels(text).is_ok_and(|numbers| numbers.len() == 1);
    is_number(item) || item.split_once(':').is_some_and(|(gpu, part)| is_number(gpu) && is_number(part))
}

/// Whether an item is the place of a GPU on the bus, `DOMAIN:BUS:DEVICE` and possibly `.FUNCTION`.
fn is_bus(item: &str) -> bool {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = item.splitn(3, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (domain, bus, device) = (next(), next(), next());
    is_hex(domain) && is_hex(bus) && is_hex(device.split('.').next().unwrap_or_default())
}

fn channels(report: &Report, warnings: &mut Vec<Finding>) {
    let Some(devices) = &report.devices else { return };
    let remedy = "channels are numbered from 0; a driver makes 0 to 2047 unless it is told otherwise";
    for channel in devices.imex_channels.iter().flat_map(|given| comma_list(&given.value)) {
        if select::channels(channel).is_err() {
            let message = format!("'{channel}' is not an IMEX channel: nvidia-container-cli will refuse it");
            warn(warnings, "imex-channel", message, remedy);
        }
    }
    let asked = report.container.iter().flat_map(|container| &container.variables);
    let mut asked =
        asked.filter(|variable| variable.name == IMEX_CHANNELS).filter_map(|variable| variable.value.as_deref());
    if devices.given.is_some() && asked.next_back().is_some_and(|value| comma_list(value).any(|item| item == "all")) {
        let message = format!("{IMEX_CHANNELS} says all, which means no channel");
        warn(warnings, "imex-all", message, "name the channels: 0 to 2047");
    }
}

fn capability_list(report: &Report, warnings: &mut Vec<Finding>) {
    let Some(capabilities) = &report.capabilities else { return };
    let Some(asked) = capabilities.asked.as_deref() else { return };
    if comma_list(asked).any(|item| item == "all") && comma_list(asked).count() > 1 {
        let message = format!("{DRIVER_CAPABILITIES} is '{asked}': all hides what stands beside it");
        warn(warnings, "capabilities-all", message, "say all, or a list");
    }
    if !asked.is_empty() && capabilities.given.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("{DRIVER_CAPABILITIES} is set and names nothing, so no driver library is given");
        warn(warnings, "capabilities-blank", message, "unset it for utility and compute");
    }
}

fn requirements(report: &Report, warnings: &mut Vec<Finding>) {
    let items: Vec<_> = report.requirements.iter().flat_map(|requirements| &requirements.items).collect();
    for requirement in &items {
        if is_unmeetable(&requirement.expression, WORK / items.len()) {
            let message = format!(
                "no driver that is known here (up to CUDA {NEWEST_CUDA}) meets the requirement {}",
                requirement.expression
            );
            warn(
                warnings,
                "unmeetable-requirement",
                message,
                "correct the variable it comes from, or use another image",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    /// Counts how often it is compared.
    #[derive(PartialEq, Eq)]
    struct Counted<'c>(usize, &'c Cell<usize>);

    impl Ord for Counted<'_> {
        fn cmp(&self, other: &Self) -> Ordering {
            self.1.set(self.1.get() + 1);
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Counted<'_> {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    #[test]
    fn what_stands_twice_is_found_without_comparing_each_to_each() {
        assert!(repeated(&["0", "1", "0", "0"]).eq([false, false, true, true]));
        let compared = Cell::new(0);
        let items: Vec<Counted<'_>> = (0..10_000).map(|number| Counted(number, &compared)).collect();
        assert_eq!(repeated(&items).filter(|is_repeated| *is_repeated).count(), 0);
        assert!(compared.get() < 100 * items.len(), "{}", compared.get());
    }
}
