//! A C program's calls into a library, for tests: every function by its name, with numbers as arguments.
#![expect(
    unsafe_code,
    reason = "a function of a C library is called as C calls it; tests hand over their own memory alone"
)]

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use std::path::Path;

/// As many arguments as the longest function has; a C function ignores those that it does not take.
type Function = unsafe extern "C" fn(usize, usize, usize, usize, usize, usize) -> u32;

/// A loaded library.
pub(crate) struct Caller {
    library: Library,
}

impl Caller {
    /// Loads a library; all of its symbols must be found at once.
    pub(crate) fn load(path: &Path) -> Self {
        // SAFETY: the library has no code that runs when it is loaded.
        Self { library: unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.unwrap() }
    }

    /// Calls a function and returns its code.
    pub(crate) fn call(&self, name: &str, arguments: &[usize]) -> u32 {
        // SAFETY: the function is C's, and takes numbers and pointers.
        let function: Symbol<Function> = unsafe { self.library.get(name.as_bytes()) }.unwrap();
        let argument = |at: usize| arguments.get(at).copied().unwrap_or_default();
        // SAFETY: tests pass the addresses of memory that they own and that is large enough, null, or numbers.
        unsafe { function(argument(0), argument(1), argument(2), argument(3), argument(4), argument(5)) }
    }

    /// The words of a code, which NVML returns as its own string.
    pub(crate) fn words(&self, code: u32) -> String {
        type Words = unsafe extern "C" fn(u32) -> *const std::ffi::c_char;
        // SAFETY: the function is C's, takes a number and returns a string that lives as long as the library.
        let function: Symbol<Words> = unsafe { self.library.get(b"nvmlErrorString") }.unwrap();
        // SAFETY: as above.
        unsafe { std::ffi::CStr::from_ptr(function(code)) }.to_str().unwrap().to_owned()
    }

    /// Calls a function that takes some arguments and then writes one number; returns its code and the number.
    pub(crate) fn number(&self, name: &str, arguments: &[usize]) -> (u32, usize) {
        let mut out = [0_usize; 32];
        let all: Vec<usize> = arguments.iter().copied().chain([out.as_mut_ptr() as usize]).collect();
        (self.call(name, &all), out[0])
    }

    /// Calls a function that takes some arguments, then a buffer and its length, and writes a text.
    pub(crate) fn text(&self, name: &str, arguments: &[usize], length: usize) -> Result<String, u32> {
        let mut out = vec![0_u8; 256];
        let buffer = [out.as_mut_ptr() as usize, length];
        let all: Vec<usize> = arguments.iter().copied().chain(buffer).collect();
        match self.call(name, &all) {
            0 => Ok(out.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect()),
            code => Err(code),
        }
    }

    /// The handle of a GPU.
    pub(crate) fn gpu(&self, index: usize) -> usize {
        let (code, handle) = self.number("nvmlDeviceGetHandleByIndex_v2", &[index]);
        assert_eq!(code, 0, "handle of GPU {index}");
        handle
    }
}

/// Asks a question in a child of this process, which has only one of its parent's threads; returns the answer.
pub(crate) fn in_a_child(question: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child calls nothing but the library, which takes no lock and no memory of a C library, and ends.
    match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            let status = if question() { 0 } else { 1 };
            // SAFETY: ends the child at once, without anything that a parent's exit would do.
            unsafe { nix::libc::_exit(status) }
        }
        nix::unistd::ForkResult::Parent { child } => {
            let ended = nix::sys::wait::waitpid(child, None).unwrap();
            matches!(ended, nix::sys::wait::WaitStatus::Exited(_, 0))
        }
    }
}
