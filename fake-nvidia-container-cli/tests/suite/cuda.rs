//! libcuda as programs ask it for its devices, once it is allowed to initialize.

use super::c_caller::Caller;
use super::libraries::{Libraries, places};
use super::programs;
use std::collections::BTreeMap;
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

/// A function pointer as a call found it, by the name of the function.
struct Finder {
    cuda: Caller,
    /// Where each function begins in the file, and the library in memory.
    places: BTreeMap<String, usize>,
    start: usize,
}

impl Finder {
    fn of(libraries: &Libraries) -> Self {
        let cuda = libraries.load("libcuda.so.1");
        let places = places(&libraries.path("libcuda.so.1"));
        let mut found = Self { cuda, places, start: 0 };
        let (mut function, name) = (0_usize, c"cuInit");
        let words = [name.as_ptr() as usize, (&raw mut function) as usize, 2_000];
        assert_eq!(found.cuda.call("cuGetProcAddress", &words), 0);
        found.start = function - found.places["cuInit"];
        found
    }

    /// The code, whether the function is the one with this name (or none, for an empty name), and the status.
    fn ask(&self, call: &str, (name, version, flags): (&str, i32, usize), is: &str) -> (u32, bool, u32) {
        let name = format!("{name}\0");
        let (mut function, mut status) = (7_usize, 7_u32);
        let version = usize::try_from(version.cast_unsigned()).unwrap();
        let places = [(&raw mut function) as usize, version, flags, (&raw mut status) as usize];
        let code = self.cuda.call(call, &[&[name.as_ptr() as usize], places.as_slice()].concat());
        let expected = match is {
            "" => 0,
            "as it was" => 7,
            _ => self.start + self.places[is],
        };
        (code, function == expected, status)
    }
}

/// As cuda-python and CUDA's own runtime library do: every function by its name and version. A real library 550.163.01
/// answers the same.
#[test]
fn functions_are_found_by_name_and_version() {
    let libraries = Libraries::of("t4", &["--cuda"]);
    let finder = Finder::of(&libraries);
    for (asked, code, is, status) in [
        (("cuInit", 2_000, 0), 0, "cuInit", 0),
        (("cuInit", 12_090, 1), 0, "cuInit", 0),
        (("cuInit", -1, 0), 0, "cuInit", 0),
        (("cuInit", 0, 0), 0, "", 2),
        (("cuDeviceTotalMem", 3_010, 0), 0, "cuDeviceTotalMem", 0),
        (("cuDeviceTotalMem", 3_020, 0), 0, "cuDeviceTotalMem_v2", 0),
        (("cuGetProcAddress", 11_030, 0), 0, "cuGetProcAddress", 0),
        (("cuGetProcAddress", 12_000, 0), 0, "cuGetProcAddress_v2", 0),
        (("cuGLGetDevices", 6_050, 0), 0, "cuGLGetDevices_v2", 0),
        (("cuLaunchKernelEx", 5_000, 0), 0, "", 2),
        (("cuLaunchKernelEx", 11_060, 2), 0, "cuLaunchKernelEx_ptsz", 0),
        // A program for per-thread streams gets no other form of a function that has one.
        (("cuMemcpyHtoD", 5_000, 1), 0, "cuMemcpyHtoD_v2", 0),
        (("cuMemcpyHtoD", 5_000, 2), 0, "", 2),
        (("cuMemcpyHtoD", 7_000, 3), 0, "cuMemcpyHtoD_v2_ptds", 0),
        // Names of forms, names of other libraries, no name, and what came after the driver's CUDA 12.4.
        (("cuDeviceTotalMem_v2", 12_000, 0), 0, "", 1),
        (("cuNoSuchFunction", 12_000, 3), 0, "", 1),
        (("", 0, 0), 0, "", 1),
        (("cuLogsCurrent", 12_090, 0), 0, "", 1),
        (("cuCtxCreate", 12_090, 0), 0, "cuCtxCreate_v3", 0),
        (("cuInit", 12_000, 4), 1, "as it was", 7),
        (("cuInit", 12_000, 64), 1, "as it was", 7),
    ] {
        assert_eq!(finder.ask("cuGetProcAddress_v2", asked, is), (code, true, status), "{asked:?}");
        let first = match (code, status) {
            (0, 0) => (0, is),
            (0, _) => (500, "as it was"),
            _ => (code, is),
        };
        assert_eq!(finder.ask("cuGetProcAddress", asked, first.1), (first.0, true, 7), "{asked:?}");
    }
    let mut function = 7_usize;
    let place = (&raw mut function) as usize;
    let call = |name: usize, place: usize| finder.cuda.call("cuGetProcAddress_v2", &[name, place, 12_000, 0, 0]);
    assert_eq!((call(0, place), call(c"cuInit".as_ptr() as usize, 0)), (1, 1));
    assert_eq!((call(c"cuNo".as_ptr() as usize, place), function), (0, 0), "the status is optional");
}

/// Each form of each function, on a driver that has all.
#[test]
fn every_form_is_found_at_its_version() {
    let libraries = Libraries::of("t4", &["--cuda"]);
    libraries.change("\ncuda 12040\n", "\ncuda 12090\n");
    let finder = Finder::of(&libraries);
    let text = std::fs::read_to_string(programs::source("cuda/src/table/forms.txt")).unwrap();
    let mut count = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, forms) = line.split_once(' ').unwrap();
        for form in forms.split(' ') {
            let (version, suffix) = form.split_once('=').unwrap();
            let flags = if suffix.ends_with("_ptsz") || suffix.ends_with("_ptds") { 2 } else { 1 };
            let asked = (name, version.parse().unwrap(), flags);
            let found = finder.ask("cuGetProcAddress_v2", asked, &format!("{name}{suffix}"));
            assert_eq!(found, (0, true, 0), "{line}");
            count += 1;
        }
    }
    assert_eq!(count, 653);
}

/// CUDA's runtime library asks for a table and passes the code on, so its programs find no device and go on.
#[test]
fn the_runtime_library_finds_no_device() {
    let libraries = Libraries::of("h100", &["--cuda"]);
    let cuda = libraries.load("libcuda.so.1");
    let runtime = 0x4ae7_f45b_6cfb_d56b_f99d_fd12_39d9_8789_u128.to_le_bytes();
    let ask = |place: usize| cuda.call("cuGetExportTable", &[place, runtime.as_ptr() as usize]);
    let mut table = 7_usize;
    assert_eq!((ask((&raw mut table) as usize), ask(0)), (100, 1));
    assert_eq!((table, cuda.call("cuInit", &[0])), (0, 0));
}

/// What FFmpeg, GStreamer, PyCUDA and programs with per-thread streams need answers like all that computes.
#[test]
fn what_computes_or_draws_is_not_supported() {
    let libraries = Libraries::of("h100", &["--cuda"]);
    let cuda = libraries.load("libcuda.so.1");
    let names = [
        "cuGLGetDevices_v2",
        "cuGraphicsGLRegisterImage",
        "cuGraphicsGLRegisterBuffer",
        "cuEGLStreamConsumerConnect",
        "cuVDPAUGetDevice",
        "cuProfilerInitialize",
        "cuProfilerStop",
        "cuGraphInstantiateWithFlags",
        "cuMemGetAttribute_v2",
        "cuMemcpyHtoD_v2_ptds",
        "cuStreamSynchronize_ptsz",
        "cudbgGetAPI",
    ];
    assert_eq!(names.map(|name| cuda.call(name, &[])), [3; 12], "before it is initialized");
    assert_eq!(cuda.call("cuInit", &[0]), 0);
    assert_eq!(names.map(|name| cuda.call(name, &[])), [801; 12]);
}
