//! The exported functions, one row each. The functions made from the rows are this crate's only entry points for C
//! callers.
#![expect(
    unsafe_code,
    reason = "a name that is exported as it is must be unique in the program; rows are CUDA's names"
)]

mod forms;
mod unsupported;

use crate::code::{Answer, Code, name, words};
use crate::{attributes, devices, driver};
use forms::{Absent, Wanted};
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
        cuGetProcAddress(symbol: Words, function: Out<usize>, version: u32, flags: u64) => find_first;
        cuGetProcAddress_v2(symbol: Words, function: Out<usize>, version: u32, flags: u64, status: Out<u32>)
            => find_second;
        // Tables that only CUDA's own libraries know. The runtime library returns this code to its program.
        cuGetExportTable(table: Out<usize>, _id: usize) => |table: Out<usize>, _| {
            table.put(0)?;
            Err(Code::NO_DEVICE)
        };
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

/// The longest name with its suffix.
const LONGEST: usize = 112;

/// The address of a function in the form of a CUDA version. Only the bits of the flags that choose between per-program
/// and per-thread streams may be set.
fn find(symbol: Words, version: u32, flags: u64) -> Result<Result<usize, Absent>, Code> {
    let mut buffer = [0; 96];
    let name = symbol.read(&mut buffer)?;
    if flags > 3 {
        return Err(Code::INVALID_VALUE);
    }
    let wanted = Wanted { name, version, per_thread: flags & 2 != 0, driver: driver::cuda() };
    Ok(forms::suffix(wanted).and_then(|suffix| {
        let mut whole = [0_u8; LONGEST];
        let bytes = name.bytes().chain(suffix.bytes());
        let length = bytes.clone().count();
        whole.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        let exported = whole.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default();
        address(exported).or_else(|| unsupported::address(exported)).ok_or(Absent::Unknown)
    }))
}

/// The first form, which fails and writes nothing if there is no such function.
fn find_first(symbol: Words, function: Out<usize>, version: u32, flags: u64) -> Answer {
    let found = find(symbol, version, flags)?.map_err(|_| Code::NOT_FOUND)?;
    Ok(function.put(found)?)
}

/// The second form, which then succeeds with null, and says why.
fn find_second(symbol: Words, function: Out<usize>, version: u32, flags: u64, status: Out<u32>) -> Answer {
    let found = find(symbol, version, flags)?;
    function.put(found.unwrap_or_default())?;
    if !status.is_null() {
        let why = match found {
            Ok(_) => 0,
            Err(Absent::Unknown) => 1,
            Err(Absent::Newer) => 2,
        };
        status.put(why)?;
    }
    Ok(())
}
