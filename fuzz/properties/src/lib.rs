//! What must hold for any input: of the hook, of `nvidia-hookctl`, of the simulator. Each target takes bytes and panics where
//! a property does not hold. libFuzzer runs them (fuzz/fuzz_targets), and so does a plain test on inputs that are drawn from
//! the cases (tests/twin.rs): no input may end in a panic, a signal or a hang there. Must not know who runs it.

pub mod draw {
    //! Scenes that nobody thought of, drawn from a seed or from bytes. Must not know what comes of them.

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

/// A property: panics where it does not hold.
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

/// What no text for a person may hold: what a terminal takes for a command, or what turns the order of characters.
fn is_harmless(text: &str) -> bool {
    let harmful = |c: char| {
        c != '\n'
            && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c))
    };
    !text.chars().any(harmful)
}

/// The parts of an input between zero bytes, as many as are asked for.
fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}
