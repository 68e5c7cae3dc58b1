//! The exported functions: one row each, with the arguments in NVML's header and the function that answers. A C caller
//! enters this crate only through what the rows become, and through `nvmlErrorString`.
#![expect(
    unsafe_code,
    reason = "a name that is exported as it is must be unique in the program; rows are NVML's names"
)]

mod changes;
mod devices;
mod instances;
mod rest;
mod system;
mod unsupported;

/// Rows `NAME(ARGUMENT: TYPE, ...) => FUNCTION`: each becomes an exported function that answers if the library is
/// started. With `always` in front, it always answers.
macro_rules! table {
    ($($name:ident($($argument:ident: $type:ty),*) => $function:expr;)*) => {$(
        // SAFETY: the name is NVML's, and no two rows of the tables have the same.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $type),*) -> u32 {
            $crate::driver::count();
            $crate::code::number($crate::driver::started().and_then(|()| ($function)($($argument),*)))
        }
    )*};
    (always $($name:ident($($argument:ident: $type:ty),*) => $function:expr;)*) => {$(
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        extern "C" fn $name($($argument: $type),*) -> u32 {
            $crate::driver::count();
            $crate::code::number(($function)($($argument),*))
        }
    )*};
}
use table;
