//! The driver's libraries that answer, `libnvidia-ml.so` and `libcuda.so`: the files themselves, which this
//! program carries, and the given file that they read. What the libraries answer is in the crates
//! `nvml` and `cuda`; this module knows neither.

mod elf;
mod live;
mod part;
mod refresh;
mod text;

pub use elf::{KERNEL_OF_TLS, Width, idle_program};
pub use live::Identity;
pub(crate) use refresh::now;
pub use refresh::refresh;
pub use text::{Seen, Sight, text};

use nvidia_simulated_given as given;
use nvidia_simulated_libraries::{CUDA, NVML};
use nvidia_simulated_machine::driver_files;

/// The files, by their names without a version.
const ALL: [(&str, &[u8]); 2] = [("libnvidia-ml.so", NVML), ("libcuda.so", CUDA)];

/// The library that stands in for a driver's 64-bit file with a name like `libcuda.so.570.172.08`. With a given file at
/// its end, it answers wherever it is copied or mounted. `None` for files that are not one of our libraries.
#[must_use]
pub fn library(file: &str, given: Option<&str>) -> Option<Vec<u8>> {
    let is = |name: &str| file.strip_prefix(name).is_some_and(|version| version.is_empty() || version.starts_with('.'));
    let (_, content) = ALL.iter().find(|(name, content)| is(name) && !content.is_empty())?;
    let mut library = content.to_vec();
    if let Some(given) = given {
        library.extend(given.bytes());
        library.extend(format!("{:016x} {}", given.len(), given::TAIL).bytes());
    }
    Some(library)
}

/// The library that stands in for any other file of a driver: it loads, and has no symbols.
#[must_use]
pub fn empty(file: &str, width: Width) -> Vec<u8> {
    let kernel = file.starts_with("libnvidia-tls.so").then_some(elf::KERNEL_OF_TLS);
    elf::library(&driver_files::soname(file), width, kernel)
}

/// The names of a driver's libraries, as the driver has them: each file and the links to it.
pub fn names(driver: &str) -> impl Iterator<Item = (String, [String; 2])> + '_ {
    ALL.iter().map(move |(name, _)| (format!("{name}.{driver}"), [format!("{name}.1"), (*name).to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_by_its_name_and_carries_its_file() {
        let plain = library("libcuda.so.550.54.15", None).unwrap();
        assert_eq!(&plain[..4], b"\x7fELF");
        let with = library("libcuda.so.550.54.15", Some("file")).unwrap();
        assert_eq!(&with[..plain.len()], plain);
        let last = &with[with.len() - given::TAIL_LENGTH..];
        assert_eq!(given::tail(with.len() as u64, last), Some((plain.len() as u64, 4)));
        assert_eq!((library("libcudadebugger.so.1", None), library("libcuda.sox", None)), (None, None));
    }
}
