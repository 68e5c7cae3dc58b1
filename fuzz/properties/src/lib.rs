//! What must hold for any input of the hook, `nvidia-hookctl` and the simulator. Each target takes bytes and panics if
//! a property fails. libFuzzer runs the targets (fuzz/fuzz_targets), and so does a plain test on inputs drawn from the
//! cases (tests/twin.rs): no input may end in a panic, a signal or a hang there. Must not know who runs it.

pub mod draw {
    //! Unexpected scenes, drawn from a seed or from bytes. Must not know what the hook makes of them.

    mod config;
    mod container;
    mod dice;
    mod json;
    mod platform;
    mod scene;

    pub use dice::Dice;
    pub use scene::scene;
}
mod explained;
pub mod naive;
pub mod seeds;
mod simulator;
mod start;
mod written;

/// A property: panics if it does not hold.
pub type Property = fn(&[u8]);

/// Every target, by name.
pub const TARGETS: [(&str, Property); 13] = [
    ("state", start::state),
    ("spec", start::spec),
    ("config", start::config),
    ("start", start::start),
    ("why", explained::why),
    ("host", explained::host),
    ("replay", explained::replay),
    ("options", simulator::options),
    ("requirement", simulator::requirement),
    ("topology", simulator::topology),
    ("rootfs", simulator::rootfs),
    ("given", simulator::given),
    ("settings", simulator::failures),
];

/// The property of a name.
pub fn target(name: &str) -> Property {
    TARGETS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no target {name}")).1
}

/// Whether a text is safe to show: no control characters but newlines, and none that change the order of characters.
fn is_harmless(text: &str) -> bool {
    let harmful = |c: char| {
        c != '\n'
            && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c))
    };
    !text.chars().any(harmful)
}

/// An input split at zero bytes into as many parts as requested.
fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}
