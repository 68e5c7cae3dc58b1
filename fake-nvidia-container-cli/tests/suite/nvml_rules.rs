//! NVML's rules for every function: when it may be called, what a wrong argument is, and who may set what.

use super::c_caller::{Caller, in_a_child};
use super::libraries::{Libraries, NVML, exported};
use nix::errno::Errno;
use nix::unistd::{Uid, geteuid, setuid};
use proptest::prelude::*;
use std::fs;

/// The function that returns words rather than a code, and those that may be called at any time.
const ALWAYS: [&str; 6] =
    ["nvmlErrorString", "nvmlInit", "nvmlInit_v2", "nvmlInitWithFlags", "nvmlShutdown", "nvmlSystemGetNVMLVersion"];

const NO_PERMISSION: u32 = 4;

/// A function and its arguments.
type Call<'a> = (&'a str, &'a [usize]);

/// Functions whose structure begins with its version, each with the arguments before it.
const VERSIONED: [Call<'_>; 18] = [
    ("nvmlDeviceGetMemoryInfo_v2", &[]),
    ("nvmlDeviceGetPciInfoExt", &[]),
    ("nvmlDeviceGetTemperatureV", &[]),
    ("nvmlDeviceGetMarginTemperature", &[]),
    ("nvmlDeviceGetAddressingMode", &[]),
    ("nvmlDeviceGetRunningProcessDetailList", &[]),
    ("nvmlDeviceGetPlatformInfo", &[]),
    ("nvmlDeviceGetPdi", &[]),
    ("nvmlDeviceGetCapabilities", &[]),
    ("nvmlDeviceGetSramEccErrorStatus", &[]),
    ("nvmlDeviceGetRepairStatus", &[]),
    ("nvmlDeviceGetUnrepairableMemoryFlag_v1", &[]),
    ("nvmlDeviceGetGpuFabricInfoV", &[]),
    ("nvmlDeviceGetGpuInstanceProfileInfoV", &[0]),
    ("nvmlDeviceGetGpuInstanceProfileInfoByIdV", &[19]),
    ("nvmlGpmQueryDeviceSupport", &[]),
    ("nvmlDeviceSetPowerManagementLimit_v2", &[]),
    ("nvmlSystemGetDriverBranch", &[]),
];

/// Checks as another user if this is root, otherwise as the current user.
fn as_nobody(check: impl Fn() -> bool) -> bool {
    in_a_child(|| match geteuid().is_root().then(|| setuid(Uid::from_raw(65_534))) {
        None | Some(Ok(())) => check(),
        // A sandbox's user namespace can have no other user.
        Some(Err(errno)) => errno == Errno::EINVAL,
    })
}

#[test]
fn nothing_answers_before_the_first_start_and_after_the_last_stop() {
    let libraries = Libraries::of("h100", &[]);
    let nvml = libraries.load(NVML);
    let names = exported(&libraries.path(NVML));
    let all = || names.iter().filter(|name| !ALWAYS.contains(&name.as_str()));
    assert!(all().all(|name| nvml.call(name, &[]) == 1));
    assert_eq!((nvml.call("nvmlInit_v2", &[]), nvml.call("nvmlInitWithFlags", &[1])), (0, 0));
    assert_eq!(nvml.call("nvmlShutdown", &[]), 0);
    assert!(all().all(|name| nvml.call(name, &[]) != 1), "it was started twice");
    assert_eq!(nvml.call("nvmlShutdown", &[]), 0);
    assert!(all().all(|name| nvml.call(name, &[]) == 1));
}

/// As a real library without a driver does.
#[test]
fn the_library_tells_its_version_before_it_is_started() {
    let libraries = Libraries::of("none", &[]);
    let nvml = libraries.load(NVML);
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 9);
    assert_eq!(nvml.text("nvmlSystemGetNVMLVersion", &[], 80), Ok("12.550.54.15".to_owned()));
    assert_eq!(nvml.text("nvmlSystemGetNVMLVersion", &[], 5), Err(7));
    assert_eq!(nvml.text("nvmlSystemGetDriverVersion", &[], 80), Err(1));
}

#[test]
fn every_code_has_words_of_its_own() {
    let nvml = Libraries::of("t4", &[]).load(NVML);
    let words: Vec<String> = (0..=30).chain([999]).map(|code| nvml.words(code)).collect();
    let unique: std::collections::BTreeSet<&String> = words.iter().collect();
    assert_eq!((unique.len(), words[15].as_str(), words[31].as_str()), (32, "GPU is lost", "Unknown Error"));
    assert_eq!(nvml.words(4711), "Unknown Error");
}

#[test]
fn a_structure_of_another_version_is_not_filled() {
    let libraries = Libraries::of("h100-mig", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    for (name, before) in VERSIONED {
        let mut structure = [0_u64; 64];
        let mut arguments = if name.starts_with("nvmlSystem") { vec![] } else { vec![gpu] };
        arguments.extend(before);
        arguments.push(structure.as_mut_ptr() as usize);
        arguments.push(80);
        assert_eq!(nvml.call(name, &arguments), 25, "{name}");
        assert_eq!(structure, [0; 64], "{name}");
    }
}

#[test]
fn a_list_that_is_too_small_says_how_long_it_has_to_be() {
    let libraries = Libraries::of("h100", &[]);
    let program = |pid| format!("process\npid {pid}\nname python3\ntype C\nmemory 512\n");
    let text = fs::read_to_string(libraries.given()).unwrap();
    let (machine, gpus) = text.split_once("\ngpu\n").unwrap();
    let (gpu, others) = gpus.split_once("\ngpu\n").unwrap();
    let changed = format!("{machine}\ngpu\n{gpu}\n{}{}gpu\n{others}", program(7), program(8));
    fs::write(libraries.given(), changed).unwrap();
    let nvml = libraries.nvml();
    let mut programs = [0_u64; 6];
    for name in ["nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"] {
        let mut ask = |room: u32| {
            let mut count = room;
            let arguments = [nvml.gpu(0), (&raw mut count) as usize, programs.as_mut_ptr() as usize];
            (nvml.call(name, &arguments), count)
        };
        assert_eq!((ask(0), ask(1), ask(2)), ((7, 2), (7, 2), (0, 2)), "{name}");
    }
    assert_eq!((programs[0] & 0xffff_ffff, programs[1], programs[3] & 0xffff_ffff), (7, 512 << 20, 8));
    let mut clocks = [0_u32; 2];
    let mut count = 1_u32;
    let arguments = [nvml.gpu(0), 2619, (&raw mut count) as usize, clocks.as_mut_ptr() as usize];
    assert_eq!((nvml.call("nvmlDeviceGetSupportedGraphicsClocks", &arguments), count > 100), (7, true));
}

/// A setting applies to the process that made it, and to its later children; the file stays as it was.
#[test]
fn root_sets_what_its_process_reads_then() {
    let libraries = Libraries::of("h100", &[]);
    let before = fs::read(libraries.given()).unwrap();
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(3);
    let sets: [(Call<'_>, Call<'_>, usize); 8] = [
        (("nvmlDeviceSetPersistenceMode", &[gpu, 0]), ("nvmlDeviceGetPersistenceMode", &[gpu]), 0),
        (("nvmlDeviceSetComputeMode", &[gpu, 3]), ("nvmlDeviceGetComputeMode", &[gpu]), 3),
        (
            ("nvmlDeviceSetPowerManagementLimit", &[gpu, 450_000]),
            ("nvmlDeviceGetPowerManagementLimit", &[gpu]),
            450_000,
        ),
        (("nvmlDeviceSetPowerManagementLimit", &[gpu, 450_000]), ("nvmlDeviceGetEnforcedPowerLimit", &[gpu]), 450_000),
        (("nvmlDeviceSetApplicationsClocks", &[gpu, 2619, 1200]), ("nvmlDeviceGetApplicationsClock", &[gpu, 0]), 1200),
        (("nvmlDeviceSetGpuLockedClocks", &[gpu, 900, 9000]), ("nvmlDeviceGetClockInfo", &[gpu, 1]), 1980),
        (("nvmlDeviceSetMemoryLockedClocks", &[gpu, 2619, 2619]), ("nvmlDeviceGetClockInfo", &[gpu, 2]), 2619),
        (("nvmlDeviceSetAccountingMode", &[gpu, 1]), ("nvmlDeviceGetAccountingMode", &[gpu]), 1),
    ];
    let root = geteuid().is_root();
    for ((name, arguments), (get, asked), value) in sets {
        assert_eq!(nvml.call(name, arguments), if root { 0 } else { NO_PERMISSION }, "{name}");
        if root {
            assert_eq!(nvml.number(get, asked), (0, value), "{name}");
            assert!(in_a_child(|| nvml.number(get, asked) == (0, value)), "{name} in a child");
        }
    }
    let ecc = |value: usize| nvml.call("nvmlDeviceSetEccMode", &[gpu, value]);
    assert_eq!((ecc(0), ecc(2)), (if root { 0 } else { NO_PERMISSION }, 2));
    assert_eq!(nvml.number("nvmlDeviceGetDefaultEccMode", &[gpu]), (0, 1), "what is set is not the default");
    for (name, arguments) in [
        ("nvmlDeviceSetPowerManagementLimit", vec![gpu, 10]),
        ("nvmlDeviceSetApplicationsClocks", vec![gpu, 1, 2]),
        ("nvmlDeviceSetApplicationsClocks", vec![gpu, 2619, 1001]),
        ("nvmlDeviceSetComputeMode", vec![gpu, 4]),
        ("nvmlDeviceSetGpuLockedClocks", vec![gpu, 2, 1]),
    ] {
        assert_eq!(nvml.call(name, &arguments), 2, "{name}");
    }
    assert_eq!(nvml.call("nvmlDeviceSetFanSpeed_v2", &[gpu, 0, 50]), 3, "it has no fan");
    assert_eq!(nvml.number("nvmlDeviceGetPersistenceMode", &[nvml.gpu(2)]), (0, 1), "another GPU");
    if root {
        assert_eq!(nvml.number("nvmlDeviceSetMigMode", &[gpu, 1]), (0, 16), "it needs a reset");
        assert_eq!(nvml.call("nvmlDeviceResetGpuLockedClocks", &[gpu]), 0);
        assert_eq!(nvml.number("nvmlDeviceGetClockInfo", &[gpu, 1]), (0, 345));
    }
    assert!(as_nobody(|| nvml.call("nvmlDeviceSetPersistenceMode", &[gpu, 1]) == NO_PERMISSION
        && nvml.call("nvmlDeviceResetMemoryLockedClocks", &[gpu]) == NO_PERMISSION
        && nvml.call("nvmlDeviceClearAccountingPids", &[gpu]) == NO_PERMISSION));
    assert_eq!(fs::read(libraries.given()).unwrap(), before);
}

#[test]
fn the_far_end_of_a_link_is_a_switch_or_a_gpu_and_a_link_may_be_down() {
    let libraries = Libraries::of("h100", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    assert_eq!(nvml.number("nvmlDeviceGetNvLinkRemoteDeviceType", &[gpu, 17]), (0, 2));
    let mut info = [0_u8; 68];
    let ask = |info: &mut [u8; 68], number| {
        nvml.call("nvmlDeviceGetNvLinkRemotePciInfo_v2", &[gpu, number, info.as_mut_ptr() as usize])
    };
    assert_eq!((ask(&mut info, 1), ask(&mut info, 18)), (0, 2));
    assert_eq!(&info[..13], b"0000:06:00.0\0");
    libraries.change("\nnvlink.count 18\n", "\nnvlink.count 18\nnvlink.inactive 2,5\n");
    let up = |number| nvml.number("nvmlDeviceGetNvLinkState", &[gpu, number]).1;
    assert_eq!((up(1), up(2), up(5)), (1, 0, 0));
    let pair = Libraries::of("h100", &["--device", "0,5"]);
    let nvml = pair.nvml();
    assert_eq!(nvml.number("nvmlDeviceGetNvLinkRemoteDeviceType", &[nvml.gpu(0), 3]), (0, 0));
    assert_eq!(nvml.call("nvmlDeviceGetNvLinkRemotePciInfo", &[nvml.gpu(0), 3, info.as_mut_ptr() as usize]), 0);
    let mut own = [0_u8; 68];
    assert_eq!(nvml.call("nvmlDeviceGetPciInfo_v3", &[nvml.gpu(1), own.as_mut_ptr() as usize]), 0);
    assert_eq!(info[..36], own[..36], "the other GPU of the two");
}

#[test]
fn what_is_rarely_asked_is_answered_all_the_same() {
    let libraries = Libraries::of("h100", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let number = |name: &str, arguments: &[usize]| nvml.number(name, &[&[gpu], arguments].concat());
    assert_eq!((number("nvmlDeviceGetBusType", &[]), number("nvmlDeviceGetPowerSource", &[])), ((0, 2), (0, 0)));
    assert_eq!(number("nvmlDeviceGetEncoderCapacity", &[0]), (0, 100));
    assert_eq!(nvml.call("nvmlDeviceValidateInforom", &[gpu]), 0);
    assert_eq!(number("nvmlDeviceGetAccountingPids", &[]), (7, 0), "no room, though for none");
    assert_eq!(number("nvmlDeviceGetEncoderSessions", &[]), (0, 0));
    assert_eq!(nvml.call("nvmlUnitGetHandleByIndex", &[0, 0]), 2);
    let (mut form, mut count, mut sample) = (0_u32, 5_u32, [[0_u64; 2]; 5]);
    let places = [(&raw mut form) as usize, (&raw mut count) as usize, sample.as_mut_ptr() as usize];
    let samples = |since: usize| nvml.call("nvmlDeviceGetSamples", &[&[gpu, 0, since], places.as_slice()].concat());
    assert_eq!((samples(0), form, count, sample[1]), (0, 1, 5, [sample[1][0], 68_570]));
    assert_eq!(sample[1][0], sample[0][0] + 20_000, "every 20 ms");
    assert_eq!(samples(usize::try_from(sample[4][0] + 60_000_000).unwrap()), 6, "nothing newer");
    let mode = |code| nvml.number("nvmlSystemGetNvlinkBwMode", &[]) == (code, 0);
    assert!(mode(if geteuid().is_root() { 0 } else { NO_PERMISSION }) && as_nobody(|| mode(NO_PERMISSION)));
    let mut platform = [0_u8; 44];
    platform[..4].copy_from_slice(&0x0200_002c_u32.to_le_bytes());
    assert_eq!(nvml.call("nvmlDeviceGetPlatformInfo", &[gpu, platform.as_mut_ptr() as usize]), 0);
    assert_eq!(platform[36..41], [0, 0, 1, 0, 1]);
}

/// Calls each function that asks something of a GPU, with room for the largest answer.
fn ask_everything(nvml: &Caller, names: &std::collections::BTreeSet<String>, gpu: usize) {
    let of_a_gpu = |name: &&String| {
        name.starts_with("nvmlDeviceGet") && !name.contains("Handle") && !name.contains("DeviceGetCount")
    };
    for name in names.iter().filter(of_a_gpu) {
        // These functions trust one argument to be the length of another, so it must not be an address.
        let is_sized = ["Affinity", "FieldValues", "PerformanceStates"].iter().any(|word| name.contains(word));
        for before in usize::from(is_sized)..3 {
            let mut room = vec![0_u64; 8192];
            let place = room.as_mut_ptr() as usize;
            let mut arguments = vec![gpu];
            arguments.extend(vec![0; before]);
            arguments.extend([place, place]);
            let code = nvml.call(name, &arguments);
            assert!(code <= 30 || code == 999, "{name}: {code}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// A file that is truncated, or has some bytes changed, is an error or another file, and nothing worse.
    #[test]
    fn no_file_harms_the_program_that_reads_it(cut: prop::sample::Index, changes: Vec<(prop::sample::Index, u8)>, is_cut: bool) {
        let libraries = Libraries::of("h100-mig", &[]);
        let nvml = libraries.nvml();
        let names = exported(&libraries.path(NVML));
        let gpu = nvml.gpu(0);
        let mut bytes = fs::read(libraries.given()).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(libraries.given(), bytes).unwrap();
        let code = nvml.call("nvmlInit_v2", &[]);
        prop_assert!(code <= 30 || code == 999);
        ask_everything(&nvml, &names, gpu);
    }

    #[test]
    fn no_bytes_are_more_than_an_error(bytes: Vec<u8>) {
        let libraries = Libraries::of("t4", &[]);
        fs::write(libraries.given(), &bytes).unwrap();
        prop_assert_eq!(libraries.load(NVML).call("nvmlInit_v2", &[]), 999);
    }
}
