//! Performance states: which exist, the clocks of each, and how far the clocks can be moved.

use crate::clocks::{self, State};
use crate::code::{Answer, Code};
use crate::device::{Device, Unit};
use crate::handle::Handle;
use crate::layout::version;
use nvidia_simulated_shim::c::Out;

/// A place in the list that is not a state.
const NO_STATE: u32 = 32;
/// The size of the text in a structure.
const TEXT: usize = 2048;

/// A structure with a text: clocks and their ranges.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Told {
    version: u32,
    text: [u8; TEXT],
}

/// A clock, a state, and how far the clock is moved and can be moved, in MHz.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Offset {
    version: u32,
    clock: u32,
    state: u32,
    moved: i32,
    least: i32,
    most: i32,
}

/// How busy a part of the GPU is, and the thresholds at which the state changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Busy {
    is_present: u32,
    share: u32,
    thresholds: [u32; 2],
}

/// What the state is chosen by: the shaders, the memory, video and the bus, and four unused places.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Chosen {
    flags: u32,
    parts: [Busy; 8],
}

const _: () = assert!(size_of::<Told>() == 2052 && size_of::<Offset>() == 24 && size_of::<Chosen>() == 132);

/// The states by number, slowest first; without figures for the model, the current state and the fastest.
fn numbers(gpu: Device<'_>) -> Result<[u32; 16], Code> {
    let mut all = [NO_STATE; 16];
    let count = clocks::states(gpu).count().min(all.len());
    if count == 0 {
        let now = clocks::state(gpu)?;
        let there = if now == 0 { [0, NO_STATE] } else { [now, 0] };
        all.iter_mut().zip(there).for_each(|(place, number)| *place = number);
    }
    for (at, state) in clocks::states(gpu).take(count).enumerate() {
        let from_last = count.saturating_sub(at).saturating_sub(1);
        if let Some(place) = all.get_mut(from_last) {
            *place = state.number;
        }
    }
    Ok(all)
}

/// The performance states that a GPU has. The rest of the array is marked as not a state.
pub(crate) fn supported(device: Handle, out: Out<u32>, bytes: u32) -> Answer {
    let all = device.gpu(numbers)?;
    let room = usize::try_from(bytes / 4).unwrap_or_default();
    if room < all.iter().filter(|number| **number != NO_STATE).count() {
        return Err(Code::INSUFFICIENT_SIZE);
    }
    for at in 0..room {
        out.put_at(at, all.get(at).copied().unwrap_or(NO_STATE))?;
    }
    Ok(())
}

/// The lowest and highest value of a clock in a state.
pub(crate) fn range(device: Handle, which: u32, number: u32, least: Out<u32>, most: Out<u32>) -> Answer {
    if which > 3 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let (low, high) = device.gpu(|gpu| {
        if clocks::states(gpu).next().is_none() {
            return Err(Code::NOT_SUPPORTED);
        }
        let state = clocks::states(gpu).find(|state| state.number == number).ok_or(Code::UNKNOWN)?;
        clocks::range(gpu, which, state)
    })?;
    least.put(low)?;
    Ok(most.put(high)?)
}

/// A text as it grows; what does not fit is left out.
struct Line {
    text: [u8; TEXT],
    length: usize,
}

impl Line {
    fn words(&mut self, words: &str) {
        for byte in words.bytes() {
            if let Some(place) = self.text.get_mut(self.length).filter(|_| self.length < TEXT - 1) {
                *place = byte;
                self.length = self.length.saturating_add(1);
            }
        }
    }

    /// A number in decimal; `core::fmt` would bring in code that can panic.
    fn number(&mut self, number: u32) {
        let mut digits = [0; 10];
        let (mut left, mut count) = (number, 0_usize);
        for place in &mut digits {
            *place = b'0'.saturating_add(u8::try_from(left % 10).unwrap_or_default());
            (left, count) = (left / 10, count.saturating_add(1));
            if left == 0 {
                break;
            }
        }
        for digit in digits.iter().take(count).rev() {
            self.words(core::str::from_utf8(&[*digit]).unwrap_or_default());
        }
    }

    /// A clock: its value and its range.
    fn clock(&mut self, name: &str, clock: [u32; 3]) {
        for (word, number) in ["", "min", "max"].into_iter().zip(clock) {
            self.words(name);
            self.words(word);
            self.words("=");
            self.number(number);
            self.words(", ");
        }
        self.words(name);
        self.words("editable=0");
    }

    /// The clocks of a state; `shaders` overrides the shaders' clock. The memory moves data twice per clock.
    fn state(&mut self, gpu: Device<'_>, state: State, shaders: Option<u32>) -> Answer {
        let (least, most) = clocks::range(gpu, 0, state)?;
        self.clock("nvclock", [shaders.unwrap_or(least), least, most]);
        self.words(", ");
        self.clock("memclock", [state.memory; 3]);
        self.words(", ");
        self.clock("memTransferRate", [state.memory.saturating_mul(2); 3]);
        Ok(())
    }
}

/// Fills a structure with a text about a GPU.
fn tell(device: Handle, out: Out<Told>, text: impl FnOnce(Device<'_>, &mut Line) -> Answer) -> Answer {
    version(out, 1)?;
    let mut line = Line { text: [0; TEXT], length: 0 };
    device.gpu(|gpu| text(gpu, &mut line))?;
    Ok(out.put(Told { version: out.version()?, text: line.text })?)
}

/// The current clocks, as a text.
pub(crate) fn current(device: Handle, out: Out<Told>) -> Answer {
    tell(device, out, |gpu, line| {
        let now = clocks::state(gpu)?;
        let state = clocks::states(gpu).find(|state| state.number == now).ok_or(Code::NOT_SUPPORTED)?;
        line.state(gpu, state, Some(gpu.number("clocks.current.graphics", Unit::Same)?))
    })
}

/// The clocks of each state, as a text: the slowest state first, numbered in that order.
pub(crate) fn modes(device: Handle, out: Out<Told>) -> Answer {
    tell(device, out, |gpu, line| {
        let count = clocks::states(gpu).count();
        if count == 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        for mode in 0..count {
            let from_last = count.saturating_sub(mode).saturating_sub(1);
            let state = clocks::states(gpu).nth(from_last).ok_or(Code::NOT_SUPPORTED)?;
            line.words(if mode > 0 { " ; perf=" } else { "perf=" });
            line.number(u32::try_from(mode).unwrap_or_default());
            line.words(", ");
            line.state(gpu, state, None)?;
        }
        Ok(())
    })
}

/// What the state is chosen by.
pub(crate) fn chosen(device: Handle, out: Out<Chosen>) -> Answer {
    let parts = device.gpu(|gpu| {
        let share = |key| gpu.number::<u32>(key, Unit::Same);
        let video = share("utilization.encoder").unwrap_or(0).max(share("utilization.decoder").unwrap_or(0));
        let shares = [share("utilization.gpu")?, share("utilization.memory")?, video, 0];
        let mut parts = [Busy { is_present: 0, share: 0, thresholds: [0; 2] }; 8];
        for (part, share) in parts.iter_mut().zip(shares) {
            *part = Busy { is_present: 1, share, thresholds: [0; 2] };
        }
        Ok(parts)
    })?;
    Ok(out.put(Chosen { flags: 0, parts })?)
}

/// Cards for workstations and games can move their clocks; how far is not known. All others cannot.
fn fixed(gpu: Device<'_>) -> Answer {
    match gpu.text("product_brand")? {
        "Tesla" | "NVIDIA" => Ok(()),
        _ => Err(Code::NOT_SUPPORTED),
    }
}

/// How far a clock is moved: not at all.
pub(crate) fn moved(device: Handle, out: Out<i32>) -> Answer {
    device.gpu(fixed)?;
    Ok(out.put(0)?)
}

/// How far a clock can be moved: not at all.
pub(crate) fn movable(device: Handle, least: Out<i32>, most: Out<i32>) -> Answer {
    device.gpu(fixed)?;
    least.put(0)?;
    Ok(most.put(0)?)
}

/// The same for a clock in a state.
pub(crate) fn offset(device: Handle, out: Out<Offset>) -> Answer {
    version(out, 1)?;
    let asked = out.get()?;
    device.gpu(|gpu| {
        fixed(gpu)?;
        if asked.clock > 2 || clocks::states(gpu).all(|state| state.number != asked.state) {
            return Err(Code::INVALID_ARGUMENT);
        }
        Ok(())
    })?;
    Ok(out.put(Offset { moved: 0, least: 0, most: 0, ..asked })?)
}
