//! The clocks that a GPU supports: those in its state, or else every fifteenth MHz below its highest.

use nvidia_simulated_machine::state::{Device, NONE};

/// The step between clocks, and the lowest shader clock, in MHz.
const STEP: i64 = 15;
const LOWEST: i64 = 210;

/// Each memory clock with the shader clocks that go with it, highest first. `clocks.supported` writes them as
/// `5001:1590,1575;405:645`; `1980-345` means all clocks from one to the other.
pub(super) fn supported(device: &Device) -> Vec<(i64, Vec<i64>)> {
    let written = device.get("clocks.supported");
    if written != NONE {
        let numbers = |list: &str| list.split(',').flat_map(clocks).collect();
        let pair = |part: &str| {
            let (memory, graphics) = part.split_once(':')?;
            Some((memory.trim().parse().ok()?, numbers(graphics)))
        };
        return written.split(';').filter_map(pair).collect();
    }
    let (memory, graphics) = (device.number("clocks.max.memory"), device.number("clocks.max.graphics"));
    let (Some(memory), Some(graphics)) = (memory, graphics) else { return Vec::new() };
    let steps = (graphics.min(10_000) - LOWEST).max(0) / STEP;
    vec![(memory, (0..=steps).map(|step| graphics - step * STEP).collect())]
}

/// A clock, or all clocks between two.
fn clocks(text: &str) -> Vec<i64> {
    let (high, low) = text.split_once('-').unwrap_or((text, text));
    let (Ok(high), Ok(low)) = (high.trim().parse::<i64>(), low.trim().parse::<i64>()) else { return Vec::new() };
    let steps = (high.min(10_000) - low.max(0)).max(0) / STEP;
    (0..=steps).map(|step| high - step * STEP).collect()
}
