//! Which devices a list means: `--device`, `--mig-config`, `--mig-monitor` and `--imex-channel`.
//!
//! A self-contained library: it knows the devices of a machine and the words for them, but not containers.

use crate::number::{scan, unsigned};
use crate::topology::{Gpu, Mig};

/// The largest IMEX channel.
const LAST_CHANNEL: u64 = (1 << 20) - 1;

/// The chosen devices, each once, in the order in which they were chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// GPUs, by place in the driver's order.
    pub gpus: Vec<usize>,
    /// Parts: the GPU's place and the part's place in it.
    pub migs: Vec<(usize, usize)>,
    /// True if the word `all` was among them.
    pub all: bool,
}

impl Selection {
    fn add_gpu(&mut self, gpu: usize) {
        if !self.gpus.contains(&gpu) {
            self.gpus.push(gpu);
        }
    }

    fn add_mig(&mut self, gpu: usize, mig: usize) {
        self.add_gpu(gpu);
        if !self.migs.contains(&(gpu, mig)) {
            self.migs.push((gpu, mig));
        }
    }

    fn add_all(&mut self, gpus: &[Gpu]) {
        (0..gpus.len()).for_each(|gpu| self.add_gpu(gpu));
        for (at, gpu) in gpus.iter().enumerate() {
            (0..gpu.mig.len()).for_each(|mig| self.add_mig(at, mig));
        }
        self.all = true;
    }
}

/// The devices of a comma-separated list; the error is the item that names no device.
pub fn devices<'a>(list: &'a str, gpus: &[Gpu]) -> Result<Selection, &'a str> {
    let mut selection = Selection::default();
    for item in items(list) {
        if item.eq_ignore_ascii_case("all") {
            selection.add_all(gpus);
            break;
        }
        if let Some(gpu) = gpu(item, gpus) {
            selection.add_gpu(gpu);
        } else if let Some((gpu, mig)) = part(item, gpus) {
            selection.add_mig(gpu, mig);
        } else {
            return Err(item);
        }
    }
    Ok(selection)
}

/// Whether a `--mig-config` or `--mig-monitor` list asks for `all`; the error is the item that asks for something else.
pub fn all_or_nothing(list: &str) -> Result<bool, &str> {
    match items(list).next() {
        None => Ok(false),
        Some(item) if item.eq_ignore_ascii_case("all") => Ok(true),
        Some(item) => Err(item),
    }
}

/// The channels of a list, duplicates kept; the error is the item that is not a channel.
pub fn channels(list: &str) -> Result<Vec<u32>, &str> {
    let channel = |item| {
        let number = unsigned(item).filter(|n| *n <= LAST_CHANNEL).and_then(|n| u32::try_from(n).ok());
        number.ok_or(item)
    };
    items(list).map(channel).collect()
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|item| !item.is_empty())
}

/// A GPU by UUID, bus or place, in this order.
fn gpu(item: &str, gpus: &[Gpu]) -> Option<usize> {
    if let Some(at) = gpus.iter().position(|g| g.uuid.eq_ignore_ascii_case(item)) {
        return Some(at);
    }
    if let Some(bus) = bus(item)
        && let Some(at) = gpus.iter().position(|g| g.busid.eq_ignore_ascii_case(&bus))
    {
        return Some(at);
    }
    let place = usize::try_from(unsigned(item)?).ok()?;
    (place < gpus.len()).then_some(place)
}

/// The name of a part in drivers before 470, which made it from the GPU's UUID and the numbers of the instances.
#[must_use]
pub fn early_name(gpu: &str, gi: u32, ci: u32) -> String {
    format!("MIG-{gpu}/{gi}/{ci}")
}

/// A part by UUID or early name, or by the places of the GPU and the part in it: `0:1`.
fn part(item: &str, gpus: &[Gpu]) -> Option<(usize, usize)> {
    for (at, gpu) in gpus.iter().enumerate() {
        let is =
            |m: &Mig| m.uuid.eq_ignore_ascii_case(item) || early_name(&gpu.uuid, m.gi, m.ci).eq_ignore_ascii_case(item);
        if let Some(mig) = gpu.mig.iter().position(is) {
            return Some((at, mig));
        }
    }
    let (gpu, rest) = place(item)?;
    let (mig, _) = place(rest.strip_prefix(':')?)?;
    (mig < gpus.get(gpu)?.mig.len()).then_some((gpu, mig))
}

fn place(text: &str) -> Option<(usize, &str)> {
    let (negative, digits, rest) = scan(text)?;
    let value = digits.parse().ok().filter(|v| !negative || *v == 0)?;
    Some((value, rest))
}

/// Three hexadecimal numbers with colons between them, rewritten as the driver writes a bus; what follows is ignored.
fn bus(item: &str) -> Option<String> {
    let (domain, rest) = hex(item, usize::MAX)?;
    let (bus, rest) = hex(rest.strip_prefix(':')?, 2)?;
    let (device, _) = hex(rest.strip_prefix(':')?, 2)?;
    Some(format!("{domain:08x}:{bus:02x}:{device:02x}.0"))
}

/// A hexadecimal number of at most `width` characters, as C's scanf reads it with `%x`: blanks can come first, then a
/// sign and `0x`, which alone is 0. A number that does not fit into 64 bits becomes all ones; the lower 32 bits of the
/// result count.
fn hex(text: &str, width: usize) -> Option<(u32, &str)> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let is_hex = |c: char| c.is_ascii_hexdigit();
    let sign = text.chars().next().filter(|c| matches!(c, '+' | '-'));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let room = width.saturating_sub(text.len() - unsigned.len());
    let prefixed = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")).filter(|_| room >= 2);
    let (digits, room) = prefixed.map_or((unsigned, room), |rest| (rest, room - 2));
    let end = digits.find(|c| !is_hex(c)).unwrap_or(digits.len()).min(room);
    let (digits, rest) = digits.split_at_checked(end)?;
    let value = match (digits, prefixed) {
        ("", None) => return None,
        ("", Some(_)) => 0,
        (digits, _) => u64::from_str_radix(digits, 16).unwrap_or(u64::MAX),
    };
    let value = if sign == Some('-') { value.wrapping_neg() } else { value };
    Some((u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default(), rest))
}
