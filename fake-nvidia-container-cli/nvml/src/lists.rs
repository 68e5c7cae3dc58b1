//! How NVML returns lists: a caller says how many items it has room for, and learns how many there are.

use crate::code::{Answer, Code};
use nvidia_simulated_given::pieces;
use nvidia_simulated_shim::c::Out;

/// Writes the items and their count; without enough room, only the count.
pub(crate) fn write<T: Copy>(items: impl Iterator<Item = T> + Clone, count: Out<u32>, array: Out<T>) -> Answer {
    let room = count.get()?;
    let there = u32::try_from(items.clone().count()).unwrap_or(u32::MAX);
    count.put(there)?;
    if there > room {
        return Err(Code::INSUFFICIENT_SIZE);
    }
    for (at, item) in items.enumerate() {
        array.put_at(at, item)?;
    }
    Ok(())
}

/// Writes the items and their count; the caller must have room for the longest possible list.
pub(crate) fn write_all<T: Copy>(items: impl Iterator<Item = T>, count: Out<u32>, array: Out<T>) -> Answer {
    let mut written = 0_u32;
    for (at, item) in items.enumerate() {
        array.put_at(at, item)?;
        written = written.saturating_add(1);
    }
    Ok(count.put(written)?)
}

/// Writes a set of numbers as bits into machine words.
pub(crate) fn set(numbers: impl Iterator<Item = usize> + Clone, words: u32, into: Out<usize>) -> Answer {
    if words == 0 {
        return Err(Code::INVALID_ARGUMENT);
    }
    let width = usize::BITS as usize;
    for word in 0..usize::try_from(words).unwrap_or_default() {
        let within = numbers.clone().filter(|number| number / width == word);
        into.put_at(word, within.fold(0, |bits, number| bits | 1 << (number % width)))?;
    }
    Ok(())
}

/// The numbers of a list like `0-3,8`.
pub(crate) fn ranges(list: &str) -> impl Iterator<Item = usize> + Clone + '_ {
    pieces(list, ',').flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let bound = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number < 1 << 14);
        match (bound(first), bound(last)) {
            (Some(first), Some(last)) => first..last.saturating_add(1),
            _ => 0..0,
        }
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn ranges_are_numbers() {
        assert_eq!(ranges("0-3,8").collect::<Vec<_>>(), [0, 1, 2, 3, 8]);
        assert_eq!(ranges("x,5-4,1-99999999999,-,7").collect::<Vec<_>>(), [7]);
    }
}
