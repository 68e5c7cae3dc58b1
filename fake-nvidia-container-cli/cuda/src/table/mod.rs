//! The exported functions, one row each. The functions made from the rows are this crate's only entry points for C
//! callers.
#![expect(
    unsafe_code,
    reason = "a name that is exported as it is must be unique in the program; rows are CUDA's names"
)]

mod unsupported;

use crate::code::{Answer, Code, name, words};
use crate::{attributes, devices, driver};
use nvidia_simulated_shim::c::{Fixed, Out, Words};

/// Rows `NAME(ARGUMENT: TYPE, ...) => FUNCTION`, and a function that finds a row by its name. Rows under `always`
/// answer without `cuInit`.
macro_rules! table {
    (
        always { $($early:ident($($first:ident: $of:ty),*) => $says:expr;)* }
        ready { $($name:ident($($argument:ident: $type:ty),*) => $function:expr;)* }
    ) => {
        $(
            // SAFETY: the name is CUDA's, and no two rows of the tables have the same one.
            #[unsafe(no_mangle)]
            extern "C" fn $early($($first: $of),*) -> u32 {
                $crate::code::number(($says)($($first),*))
            }
        )*
        $(
            // SAFETY: as above.
            #[unsafe(no_mangle)]
            extern "C" fn $name($($argument: $type),*) -> u32 {
                $crate::code::number($crate::driver::ready().and_then(|()| ($function)($($argument),*)))
            }
        )*

        /// The address of the function with this name.
        pub(super) fn address(name: &str) -> Option<usize> {
            match name {
                $(stringify!($early) => Some($early as *const () as usize),)*
                $(stringify!($name) => Some($name as *const () as usize),)*
                _ => None,
            }
        }
    };
}
use table;

table! {
    always {
        cuInit(flags: u32) => driver::init;
        cuDriverGetVersion(version: Out<i32>) => driver::version;
        cuGetErrorString(code: u32, text: Out<Fixed>) => words;
        cuGetErrorName(code: u32, text: Out<Fixed>) => name;
        cuGetProcAddress(symbol: Words, function: Out<usize>, version: i32, flags: u64)
            => |symbol, function, version, flags| find(symbol, function, version, flags, None);
        cuGetProcAddress_v2(symbol: Words, function: Out<usize>, version: i32, flags: u64, status: Out<u32>)
            => |symbol, function, version, flags, status| find(symbol, function, version, flags, Some(status));
        // Tables that only CUDA's own libraries know.
        cuGetExportTable(_table: Out<usize>, _id: usize) => |_, _| Err(Code::NOT_FOUND);
    }
    ready {
        cuDeviceGetCount(count: Out<i32>) => driver::count;
        cuDeviceGet(device: Out<i32>, number: i32) => devices::get;
        cuDeviceGetName(name: Out<u8>, length: i32, device: i32) => devices::name;
        cuDeviceGetUuid(uuid: Out<[u8; 16]>, device: i32) => devices::uuid;
        cuDeviceGetUuid_v2(uuid: Out<[u8; 16]>, device: i32) => devices::uuid;
        cuDeviceTotalMem(bytes: Out<u32>, device: i32) => devices::memory_first;
        cuDeviceTotalMem_v2(bytes: Out<usize>, device: i32) => devices::memory;
        cuDeviceComputeCapability(major: Out<i32>, minor: Out<i32>, device: i32) => devices::capability;
        cuDeviceGetAttribute(value: Out<i32>, which: u32, device: i32) => attributes::get;
        cuDeviceGetProperties(properties: Out<i32>, device: i32) => attributes::properties;
        cuDeviceCanAccessPeer(can: Out<i32>, device: i32, peer: i32) => attributes::peer;
        cuDeviceGetP2PAttribute(value: Out<i32>, which: u32, device: i32, peer: i32) => attributes::pair;
        cuDevicePrimaryCtxGetState(device: i32, flags: Out<u32>, active: Out<i32>) => attributes::context;
        cuDeviceGetPCIBusId(text: Out<u8>, length: i32, device: i32) => devices::bus;
        cuDeviceGetByPCIBusId(device: Out<i32>, text: Words) => devices::by_bus;
    }
}

/// Names whose newer form a program gets, with the CUDA version that introduced the form, and the form. For functions
/// that answer alike in all forms, the first form is enough.
const FORMS: [(&str, i32, &str); 2] =
    [("cuGetProcAddress", 12_000, "cuGetProcAddress_v2"), ("cuDeviceTotalMem", 3_020, "cuDeviceTotalMem_v2")];

/// The address of a function in the form of a CUDA version. The flags choose between per-program and per-thread
/// streams; the simulator has no streams.
fn find(symbol: Words, function: Out<usize>, version: i32, flags: u64, status: Option<Out<u32>>) -> Answer {
    let mut buffer = [0; 96];
    let name = symbol.read(&mut buffer)?;
    if flags > 2 || name.is_empty() {
        return Err(Code::INVALID_VALUE);
    }
    let form = FORMS.iter().find(|(known, since, _)| *known == name && version >= *since);
    let newest = form.map_or(name, |(.., form)| *form);
    let found = address(newest).or_else(|| unsupported::address(newest));
    function.put(found.unwrap_or_default())?;
    if let Some(status) = status.filter(|status| !status.is_null()) {
        status.put(u32::from(found.is_none()))?;
    }
    found.map(drop).ok_or(Code::NOT_FOUND)
}
