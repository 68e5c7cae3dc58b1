//! libcuda as programs ask it for its devices, once it is allowed to initialize.

use super::c_caller::Caller;
use super::libraries::Libraries;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Attributes by number, as a device query asks for them, and their values on some GPUs.
const ATTRIBUTES: [(u32, [u32; 5]); 12] = [
    (16, [40, 108, 132, 148, 142]),
    (37, [256, 5120, 5120, 7680, 384]),
    (38, [4_194_304, 41_943_040, 52_428_800, 132_644_864, 100_663_296]),
    (39, [1024, 2048, 2048, 2048, 1536]),
    (75, [7, 8, 9, 10, 8]),
    (76, [5, 0, 0, 0, 9]),
    (81, [65_536, 167_936, 233_472, 233_472, 102_400]),
    (87, [32, 2, 2, 2, 64]),
    (97, [65_536, 166_912, 232_448, 232_448, 101_376]),
    (106, [16, 32, 32, 32, 24]),
    (111, [0, 1024, 1024, 1024, 1024]),
    (120, [0, 0, 1, 1, 0]),
];
const TOPOLOGIES: [&str; 5] = ["t4", "a100", "h100", "b200", "l40s"];

fn attribute(cuda: &Caller, which: u32, device: usize) -> (u32, i32) {
    let mut value = -7_i32;
    (cuda.call("cuDeviceGetAttribute", &[(&raw mut value) as usize, which as usize, device]), value)
}

#[test]
fn what_a_device_can_is_as_its_model_can() {
    for (place, topology) in TOPOLOGIES.into_iter().enumerate() {
        let libraries = Libraries::of(topology, &["--cuda"]);
        let cuda = libraries.load("libcuda.so.1");
        assert_eq!(attribute(&cuda, 16, 0).0, 3, "before it is initialized");
        assert_eq!(cuda.call("cuInit", &[0]), 0);
        for (which, values) in ATTRIBUTES {
            let expected = i32::try_from(values[place]).unwrap();
            assert_eq!(attribute(&cuda, which, 0), (0, expected), "{topology}: attribute {which}");
        }
        assert!((1..=150).all(|which| attribute(&cuda, which, 0).0 == 0), "{topology}");
        assert_eq!((attribute(&cuda, 151, 0).0, attribute(&cuda, 0, 0).0, attribute(&cuda, 16, 99).0), (1, 1, 101));
    }
}

#[test]
fn devices_reach_each_other_and_have_no_context() {
    let libraries = Libraries::of("h100", &["--cuda"]);
    let cuda = libraries.load("libcuda.so.1");
    assert_eq!(cuda.call("cuInit", &[0]), 0);
    let mut out = [7_u32; 14];
    let place = out.as_mut_ptr() as usize;
    let reach = |one: usize, other: usize| cuda.call("cuDeviceCanAccessPeer", &[place, one, other]);
    assert_eq!((reach(0, 0), out[0], reach(0, 3), out[0], reach(0, 8)), (0, 0, 0, 1, 101));
    let split = Libraries::of("a100-mig", &["--cuda", "--device", "0:0"]);
    let of_part = split.load("libcuda.so.1");
    assert_eq!(of_part.call("cuInit", &[0]), 0);
    let missing = of_part.call("cuDeviceCanAccessPeer", &[out.as_mut_ptr() as usize, 0, 1]);
    assert_eq!(missing, 101, "a part reaches nothing, and the other device must exist all the same");
    let pair = |which: usize, other: usize| cuda.call("cuDeviceGetP2PAttribute", &[place, which, 0, other]);
    assert_eq!((pair(3, 1), out[0], pair(3, 0), pair(9, 1)), (0, 1, 101, 1));
    let mut active = 7_i32;
    assert_eq!(cuda.call("cuDevicePrimaryCtxGetState", &[0, place, (&raw mut active) as usize]), 0);
    assert_eq!((out[0], active), (0, 0));
    assert_eq!(cuda.call("cuDevicePrimaryCtxRetain", &[place, 0]), 801);
    assert_eq!(cuda.call("cuDeviceGetProperties", &[place, 0]), 0);
    let (threads, grid) = ([1024, 1024, 1024, 64], [0x7fff_ffff, 65_535, 65_535]);
    assert_eq!((&out[..4], &out[4..7], out[12]), (&threads[..], &grid[..], 1_980_000));
}

#[test]
fn a_code_that_does_not_exist_has_no_words() {
    let cuda = Libraries::of("t4", &[]).load("libcuda.so.1");
    for name in ["cuGetErrorString", "cuGetErrorName"] {
        let mut text = 7_usize;
        assert_eq!((cuda.call(name, &[100, (&raw mut text) as usize]), text > 7), (0, true), "{name}");
        assert_eq!((cuda.call(name, &[4711, (&raw mut text) as usize]), text), (1, 0), "{name}");
        assert_eq!(cuda.call(name, &[4711, 0]), 1);
    }
}

/// The name of the test in whose processes the variable below names a library.
const CHOOSING: &str = "a_program_chooses_its_devices_by_the_environment";
const LIBRARY: &str = "LIBRARY_OF_THIS_TEST";

/// What `cuInit` returns, and the first bytes of the UUIDs of the devices.
fn visible(library: &Path) -> String {
    let cuda = Caller::load(library);
    let code = cuda.call("cuInit", &[0]);
    let (_, count) = cuda.number("cuDeviceGetCount", &[]);
    let uuid = |at: usize| {
        let mut uuid = [0_u8; 16];
        assert_eq!(cuda.call("cuDeviceGetUuid", &[uuid.as_mut_ptr() as usize, at]), 0);
        uuid.map(|byte| format!("{byte:02x}")).concat()
    };
    let uuids: Vec<String> = (0..count).filter(|_| code == 0).map(uuid).collect();
    format!("<{code}:{}>", uuids.join(","))
}

/// The environment of a process is the one that it was started with, so each choice has a process of its own.
#[test]
fn a_program_chooses_its_devices_by_the_environment() {
    if let Some(library) = std::env::var_os(LIBRARY) {
        writeln!(std::io::stdout(), "{}", visible(Path::new(&library))).unwrap();
        return;
    }
    let run = |libraries: &Libraries, list: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(CHOOSING).args(["--nocapture", "--test-threads=1"]).env("CUDA_VISIBLE_DEVICES", list);
        let output = command.env(LIBRARY, libraries.path("libcuda.so.1")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned()
    };
    let libraries = Libraries::of("h100", &["--cuda", "--device", "0,1,2"]);
    let all = visible(&libraries.path("libcuda.so.1"));
    let uuids: Vec<&str> = all.trim_matches(['<', '>']).strip_prefix("0:").unwrap().split(',').collect();
    let named = |uuid: &str| format!("GPU-{}", uuid.chars().take(7).collect::<String>());
    for (list, devices) in [
        ("", &[][..]),
        ("-1", &[]),
        ("9,0", &[]),
        ("none", &[]),
        ("GPU-", &[]),
        ("2, 0", &[2, 0]),
        ("1,-1,0", &[1]),
        ("1,1", &[1]),
        (&named(uuids[2]), &[2]),
        (&format!("{},0", named(uuids[1])), &[1, 0]),
    ] {
        let expected: Vec<&str> = devices.iter().map(|at: &usize| uuids[*at]).collect();
        let code = if devices.is_empty() { 100 } else { 0 };
        assert_eq!(run(&libraries, list), format!("{code}:{}", expected.join(",")), "`{list}`");
    }
    let split = Libraries::of("a100-mig", &["--cuda"]);
    let given = std::fs::read_to_string(split.given()).unwrap();
    let part = given.lines().filter_map(|line| line.strip_prefix("uuid MIG-")).nth(1).unwrap();
    let early = given.lines().filter_map(|line| line.strip_prefix("early ")).nth(1).unwrap();
    for name in [&format!("MIG-{part}"), early] {
        let list = format!("{name},0");
        assert_eq!(
            run(&split, &list),
            format!("0:{}", part.replace('-', "")),
            "a program computes on one part: {list}"
        );
    }
}

/// As cuda-python and CUDA's own runtime library do when they start: every function by its name and version.
#[test]
fn functions_are_found_by_name_and_version() {
    let libraries = Libraries::of("t4", &["--cuda"]);
    let cuda = libraries.load("libcuda.so.1");
    let address = |name: &str, version: usize, flags: usize| {
        let name = format!("{name}\0");
        let (mut function, mut status) = (7_usize, 7_u32);
        let places = [(&raw mut function) as usize, version, flags, (&raw mut status) as usize];
        let code = cuda.call("cuGetProcAddress_v2", &[&[name.as_ptr() as usize], places.as_slice()].concat());
        (code, function, status)
    };
    let (_, first, _) = address("cuDeviceTotalMem", 2_000, 0);
    let (_, second, _) = address("cuDeviceTotalMem", 3_020, 0);
    assert!(first != second && first > 7 && second > 7);
    for (name, version) in [("cuInit", 2_000), ("cuCtxCreate", 11_040), ("cuMemcpyHtoDAsync", 3_020)] {
        let (code, function, status) = address(name, version, 2);
        assert!((code, status) == (0, 0) && function > 7, "{name}");
    }
    assert_eq!(address("cuInit", 12_090, 0), address("cuInit", 2_000, 1));
    assert_ne!(address("cuGetProcAddress", 11_030, 0), address("cuGetProcAddress", 12_000, 0));
    assert_eq!(address("cuNoSuchFunction", 12_000, 0), (500, 0, 1));
    assert_eq!((address("cuInit", 12_000, 8).0, address("", 12_000, 0).0), (1, 1));
    assert_eq!(cuda.call("cuGetProcAddress_v2", &[0, 0, 12_000, 0, 0]), 1);
}
