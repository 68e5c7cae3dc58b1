//! The two libraries as a program meets them: what they need and export, what they answer, and that nothing in the
//! place of their file can harm the program.

use super::c_caller::{Caller, in_a_child};
use super::programs;
use super::sandbox::Sandbox;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Object as _, ObjectSymbol as _, elf};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) const NVML: &str = "libnvidia-ml.so.1";
const CUDA: &str = "libcuda.so.1";
/// Relocations in a form that loaders before 2022 do not know.
const DT_RELR: u32 = 36;

/// A machine's libraries in their own folder.
pub(super) struct Libraries {
    pub(super) sandbox: Sandbox,
}

impl Libraries {
    pub(super) fn of(topology: &str, words: &[&str]) -> Self {
        let made = Self { sandbox: Sandbox::new() };
        made.write(topology, words);
        made
    }

    pub(super) fn write(&self, topology: &str, words: &[&str]) {
        let mut all = vec!["libraries", "libs", "--topology", topology];
        all.extend(words);
        let output = self.sandbox.named("fake-nvidia-container-cli", &all).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, b"libs\n");
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path("libs").join(name)
    }

    pub(super) fn given(&self) -> PathBuf {
        self.path("fake-nvidia/given")
    }

    pub(super) fn load(&self, name: &str) -> Caller {
        Caller::load(&self.path(name))
    }

    /// NVML, started.
    pub(super) fn nvml(&self) -> Caller {
        let nvml = self.load(NVML);
        assert_eq!(nvml.call("nvmlInit_v2", &[]), 0);
        nvml
    }

    /// Changes the file as a careful writer does.
    pub(super) fn change(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.given()).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(self.path("new"), text.replace(from, to)).unwrap();
        fs::rename(self.path("new"), self.given()).unwrap();
    }
}

fn uuids(nvml: &Caller) -> Vec<String> {
    let (_, count) = nvml.number("nvmlDeviceGetCount_v2", &[]);
    (0..count).map(|at| nvml.text("nvmlDeviceGetUUID", &[nvml.gpu(at)], 96).unwrap()).collect()
}

/// Where each exported function begins in a library.
pub(super) fn places(path: &Path) -> BTreeMap<String, usize> {
    let bytes = fs::read(path).unwrap();
    let file = ElfFile64::<object::Endianness>::parse(bytes.as_slice()).unwrap();
    let defined = file.dynamic_symbols().filter(|symbol| symbol.is_definition());
    let place = |address: u64| usize::try_from(address).unwrap();
    defined.map(|symbol| (symbol.name().unwrap().to_owned(), place(symbol.address()))).collect()
}

pub(super) fn exported(path: &Path) -> BTreeSet<String> {
    places(path).into_keys().collect()
}

#[test]
fn the_libraries_export_the_names_of_the_real_ones_and_no_other() {
    let libraries = Libraries::of("t4", &[]);
    for (list, library, count) in [("nvml/names.txt", NVML, 404), ("cuda/names.txt", CUDA, 664)] {
        let names = fs::read_to_string(programs::source(list)).unwrap();
        let names: BTreeSet<String> = names.lines().map(str::to_owned).collect();
        assert_eq!(names.len(), count);
        assert_eq!(exported(&libraries.path(library)), names, "{list}");
    }
}

#[test]
fn the_libraries_need_nothing_and_cannot_panic() {
    let libraries = Libraries::of("t4", &[]);
    for name in [NVML, CUDA] {
        let bytes = fs::read(libraries.path(name)).unwrap();
        let file = ElfFile64::<object::Endianness>::parse(bytes.as_slice()).unwrap();
        let endian = file.endian();
        let undefined: Vec<_> =
            file.dynamic_symbols().filter(|s| s.is_undefined()).map(|s| s.name().unwrap()).collect();
        assert!(undefined.iter().all(|name| name.is_empty()), "{undefined:?}");
        let headers = file.elf_header().program_headers(endian, bytes.as_slice()).unwrap();
        assert!(headers.iter().all(|header| header.p_type(endian) != elf::PT_TLS), "{name} has TLS");
        let stack = headers.iter().find(|header| header.p_type(endian) == elf::PT_GNU_STACK).unwrap();
        assert_eq!(stack.p_flags(endian) & elf::PF_X, 0);
        let dynamic = headers.iter().find_map(|h| h.dynamic(endian, bytes.as_slice()).unwrap()).unwrap();
        let tags: Vec<u64> = dynamic.iter().map(|entry| entry.d_tag(endian)).collect();
        let unwanted = [elf::DT_NEEDED, elf::DT_TEXTREL, elf::DT_INIT, elf::DT_INIT_ARRAY, DT_RELR];
        assert!(unwanted.iter().all(|tag| !tags.contains(&u64::from(*tag))), "{name}: {tags:?}");
        // Old loaders know one table of names; newer ones on some systems know only the other.
        assert!([elf::DT_HASH, elf::DT_GNU_HASH].iter().all(|tag| tags.contains(&u64::from(*tag))));
        let relocations = file.dynamic_relocations().unwrap();
        for (_, relocation) in relocations {
            let object::RelocationFlags::Elf { r_type } = relocation.flags() else { panic!("not ELF") };
            let relative = if cfg!(target_arch = "aarch64") { elf::R_AARCH64_RELATIVE } else { elf::R_X86_64_RELATIVE };
            assert_eq!(r_type, relative, "{name} asks the loader for more than its place");
        }
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(&format!("\0{name}\0")), "the name that the linker knows it by");
        assert!(!text.contains("a library panicked"), "{name} has code that panics");
    }
}

#[test]
fn every_function_bears_null_and_wrong_handles() {
    let libraries = Libraries::of("a100-mig", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let (_, part) = nvml.number("nvmlDeviceGetMigDeviceHandleByIndex", &[gpu, 0]);
    let not_codes = ["nvmlErrorString", "nvmlShutdown", "nvmlInit", "nvmlInit_v2", "nvmlInitWithFlags"];
    let takes_handle = |name: &str| {
        let pointers = ["nvmlDeviceGetCount", "nvmlDeviceGetHandle", "nvmlEventSetCreate"];
        let handles = ["nvmlDevice", "nvmlGpuInstance", "nvmlComputeInstance", "nvmlEventSet"];
        let starts = |with: &[&str]| with.iter().any(|start| name.starts_with(start));
        starts(&handles) && !starts(&pointers)
    };
    let names = exported(&libraries.path(NVML));
    for name in names.iter().filter(|name| !not_codes.contains(&name.as_str())) {
        assert!((1..=999).contains(&nvml.call(name, &[])), "{name}");
        for first in [1, usize::MAX, gpu, part, gpu + 0x900, gpu + 0x10_0000, part + 0xff] {
            let code = if takes_handle(name) { nvml.call(name, &[first]) } else { 2 };
            // For root, a handle alone is enough to clear and to switch off.
            let may_be_done = ["Set", "Reset", "Clear", "Validate"].iter().any(|word| name.contains(word));
            assert!((u32::from(!may_be_done)..=999).contains(&code), "{name}({first:x}) = {code}");
        }
    }
    let cuda = Libraries::of("t4", &["--cuda"]);
    let driver = cuda.load(CUDA);
    assert_eq!(driver.call("cuInit", &[0]), 0);
    for name in exported(&cuda.path(CUDA)).iter().filter(|name| *name != "cuInit") {
        assert_ne!(driver.call(name, &[]), 0, "{name}");
    }
}

fn is_part(nvml: &Caller, gpu: usize, at: usize) -> bool {
    nvml.number("nvmlDeviceGetMigDeviceHandleByIndex", &[gpu, at]).0 == 0
}

#[test]
fn each_container_sees_what_it_was_given() {
    let host = Libraries::of("h100", &[]);
    let all = uuids(&host.nvml());
    assert_eq!(all.len(), 8);
    let libraries = Libraries::of("h100", &["--device", "3,1"]);
    let some = libraries.nvml();
    assert_eq!(uuids(&some), [all[1].clone(), all[3].clone()], "in the driver's order");
    assert_eq!(some.number("nvmlDeviceGetMinorNumber", &[some.gpu(1)]), (0, 3));
    assert_eq!(some.number("nvmlDeviceGetIndex", &[some.gpu(1)]), (0, 1));
    assert_eq!(some.number("nvmlDeviceGetHandleByIndex_v2", &[2]).0, 2);
    let uuid = |text: &str| format!("{text}\0");
    let by_uuid = |text: &str| some.number("nvmlDeviceGetHandleByUUID", &[uuid(text).as_ptr() as usize]);
    assert_eq!((by_uuid(&all[3]), by_uuid(&all[0]).0), ((0, some.gpu(1)), 6));
    let libraries = Libraries::of("a100-mig", &["--device", "0:2,0:5,2"]);
    let parts = libraries.nvml();
    let split = parts.gpu(0);
    let part = |index| parts.number("nvmlDeviceGetMigDeviceHandleByIndex", &[split, index]);
    let instance = |index| parts.number("nvmlDeviceGetGpuInstanceId", &[part(index).1]);
    assert_eq!((instance(0), instance(1), part(2).0), ((0, 9), (0, 12), 6));
    let name = parts.text("nvmlDeviceGetName", &[part(0).1], 96);
    assert_eq!(name.unwrap(), "NVIDIA A100-SXM4-40GB MIG 1g.5gb");
    assert_eq!(parts.number("nvmlDeviceGetUtilizationRates", &[part(0).1]).0, 3);
}

/// A CDI specification gives each device by its own mount; a copied library has no file next to it.
#[test]
fn mounts_or_nodes_choose_where_no_program_of_ours_did() {
    let libraries = Libraries::of("h100", &[]);
    let nvml = libraries.nvml();
    let all = uuids(&nvml);
    let chosen = libraries.path("fake-nvidia/devices");
    fs::create_dir(&chosen).unwrap();
    assert_eq!(uuids(&nvml), [""; 0]);
    fs::write(chosen.join(&all[6]), "").unwrap();
    assert_eq!(uuids(&nvml), [all[6].clone()]);
    fs::remove_dir_all(&chosen).unwrap();
    let split = Libraries::of("a100-mig", &[]);
    let nvml_of_split = split.nvml();
    let (gpu, parts) = (nvml_of_split.gpu(1), |gpu| (0..7).filter(|at| is_part(&nvml_of_split, gpu, *at)).count());
    assert_eq!(parts(gpu), 4);
    let part = nvml_of_split.number("nvmlDeviceGetMigDeviceHandleByIndex", &[gpu, 2]).1;
    let uuid = nvml_of_split.text("nvmlDeviceGetUUID", &[part], 96).unwrap();
    fs::create_dir(split.path("fake-nvidia/devices")).unwrap();
    fs::write(split.path("fake-nvidia/devices").join(uuid), "").unwrap();
    let gpu = nvml_of_split.gpu(0);
    assert_eq!((uuids(&nvml_of_split).len(), parts(gpu)), (1, 1), "a part brings its GPU along");
    assert_eq!(nvml_of_split.number("nvmlDeviceGetGpuInstanceId", &[part]), (0, 3));

    let nodes = libraries.path("dev");
    fs::create_dir(&nodes).unwrap();
    fs::write(nodes.join("nvidia5"), "").unwrap();
    let text = fs::read_to_string(libraries.given()).unwrap();
    let text = text.replacen("\ngpu\n", &format!("\nnodes {}\ngpu\n", nodes.display()), 1);
    let mut library = fs::read(libraries.path(NVML)).unwrap();
    library.extend(format!("{text}{:016x} fake-nvidia tail\n", text.len()).bytes());
    let copy = libraries.path("dev").join("copy.so");
    fs::write(&copy, &library).unwrap();
    let nvml = Caller::load(&copy);
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 0);
    assert_eq!(uuids(&nvml), [all[5].clone()]);
}

#[test]
fn what_lies_in_the_place_of_the_file_is_an_error_and_no_more() {
    let libraries = Libraries::of("t4", &[]);
    let nvml = libraries.load(NVML);
    let whole = fs::read(libraries.given()).unwrap();
    // Each length within the first and the last lines, and some between.
    let lengths = (0..400).chain((400..whole.len()).step_by(97)).chain(whole.len() - 40..whole.len());
    for length in lengths {
        fs::write(libraries.given(), &whole[..length]).unwrap();
        assert_eq!(nvml.call("nvmlInit_v2", &[]), 999, "{length} bytes");
    }
    let version = String::from_utf8(whole.clone()).unwrap().replacen("given 1", "given 2", 1);
    fs::write(libraries.given(), version).unwrap();
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 18);
    let mut huge = whole.clone();
    huge.resize((1 << 20) + 1, b'\n');
    fs::write(libraries.given(), huge).unwrap();
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 999);
    fs::remove_file(libraries.given()).unwrap();
    fs::create_dir(libraries.given()).unwrap();
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 999);
    fs::remove_dir(libraries.given()).unwrap();
    nix::unistd::mkfifo(&libraries.given(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 999);
    fs::remove_file(libraries.given()).unwrap();
    assert_eq!(nvml.call("nvmlDeviceGetCount_v2", &[0]), 1, "not started");
    // Once the library is started, a call reports what it finds.
    fs::write(libraries.given(), &whole).unwrap();
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    fs::write(libraries.given(), &whole[..100]).unwrap();
    assert_eq!(nvml.number("nvmlDeviceGetMinorNumber", &[gpu]).0, 999);
}

#[test]
fn a_library_without_a_file_is_a_driver_that_is_not_loaded() {
    let libraries = Libraries::of("t4", &[]);
    fs::remove_file(libraries.given()).unwrap();
    assert_eq!(libraries.load(NVML).call("nvmlInit_v2", &[]), 9);
    assert_eq!(libraries.load(CUDA).call("cuInit", &[0]), 100);
    let none = Libraries::of("none", &[]);
    assert_eq!(none.load(NVML).call("nvmlInitWithFlags", &[0]), 9);
    let libraries = Libraries::of("empty", &[]);
    let empty = libraries.nvml();
    assert_eq!(empty.number("nvmlDeviceGetCount_v2", &[]), (0, 0));
    let libraries = Libraries::of("gpu-lost", &[]);
    let lost = libraries.nvml();
    assert_eq!(lost.number("nvmlDeviceGetCount_v2", &[]), (0, 1));
    assert_eq!(lost.number("nvmlDeviceGetHandleByIndex_v2", &[0]).0, 15);
}

#[test]
fn threads_and_children_see_whole_files_while_others_write_them() {
    let libraries = Libraries::of("t4", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let (code, degrees) = nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]);
                        assert!(code == 0 && [36, 77].contains(&degrees), "{code} {degrees}");
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                libraries.change("\ntemperature.gpu 36\n", "\ntemperature.gpu 77\n");
                libraries.change("\ntemperature.gpu 77\n", "\ntemperature.gpu 36\n");
            }
        });
        for _ in 0..20 {
            assert!(in_a_child(|| nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]).0 == 0
                && nvml.call("nvmlInit_v2", &[]) == 0
                && nvml.call("nvmlShutdown", &[]) == 0));
        }
        let panicked = readers.into_iter().map(|reader| reader.join().is_err()).filter(|panicked| *panicked).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(panicked, 0);
    });
}

#[test]
fn starting_and_stopping_are_counted() {
    let libraries = Libraries::of("t4", &[]);
    let nvml = libraries.load(NVML);
    assert_eq!(nvml.call("nvmlShutdown", &[]), 1);
    assert_eq!(nvml.call("nvmlDeviceGetFanSpeed", &[0]), 1);
    assert_eq!(nvml.call("nvmlDeviceSetFanSpeed_v2", &[0]), 1);
    for _ in 0..2 {
        assert_eq!(nvml.call("nvmlInit", &[]), 0);
    }
    assert_eq!((nvml.call("nvmlShutdown", &[]), nvml.call("nvmlDeviceSetDriverModel", &[])), (0, 3));
    assert_eq!((nvml.call("nvmlShutdown", &[]), nvml.call("nvmlShutdown", &[])), (0, 1));
}

#[test]
fn a_text_that_does_not_fit_is_not_written() {
    let libraries = Libraries::of("t4", &[]);
    let nvml = libraries.nvml();
    let name = |length| nvml.text("nvmlDeviceGetName", &[nvml.gpu(0)], length);
    assert_eq!((name(9), name(8), name(0)), (Ok("Tesla T4".to_owned()), Err(7), Err(7)));
    let mut version = [7_u32; 21];
    let ask = |version: &mut [u32; 21]| nvml.call("nvmlSystemGetDriverBranch", &[version.as_mut_ptr() as usize, 80]);
    assert_eq!(ask(&mut version), 25, "a structure of no version");
    version[0] = 0x0100_0054;
    assert_eq!(ask(&mut version), 0);
    assert_eq!(version[1..3], [u32::from_le_bytes(*b"r550"), u32::from_le_bytes(*b"_00\0")]);
}

#[test]
fn what_changes_in_the_file_is_seen_and_told_to_who_waits() {
    let libraries = Libraries::of("t4", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let (code, set) = nvml.number("nvmlEventSetCreate", &[]);
    assert_eq!(code, 0);
    let mut event = [0_u64; 4];
    let wait = |event: &mut [u64; 4], time| nvml.call("nvmlEventSetWait_v2", &[set, event.as_mut_ptr() as usize, time]);
    assert_eq!(wait(&mut event, 0), 10, "nothing is watched");
    assert_eq!(nvml.call("nvmlDeviceRegisterEvents", &[gpu, 0xa, set]), 0);
    assert_eq!(wait(&mut event, 0), 10, "nothing has happened");
    std::thread::scope(|scope| {
        scope.spawn(|| libraries.change("\nnode ", "\nxid 79\nnode "));
        assert_eq!(wait(&mut event, 60_000), 0);
    });
    assert_eq!(event[..3], [gpu as u64, 8, 79]);
    assert_eq!(wait(&mut event, 0), 10, "told once");
    libraries.change("errors.uncorrected.volatile.total 0", "errors.uncorrected.volatile.total 2");
    assert_eq!((wait(&mut event, 0), event[1]), (0, 2));
    libraries.change("\nlost false\n", "\nlost true\n");
    assert_eq!(nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]).0, 15);
    assert_eq!((nvml.call("nvmlEventSetFree", &[set]), nvml.call("nvmlEventSetFree", &[set])), (0, 2));
}

/// Every call counts: from the eighth on, the GPU is gone. A child continues the count from there independently.
#[test]
fn a_gpu_falls_off_the_bus_at_a_call_and_events_follow() {
    let libraries = Libraries::of("t4", &[]);
    libraries.change("\nlost false\n", "\nlost call:false..true:8\n");
    libraries.change("errors.corrected.volatile.total 0", "errors.corrected.volatile.total call:0..3:6");
    let nvml = libraries.nvml();
    let degrees = |gpu| nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]).0;
    let gpu = nvml.gpu(0);
    let set = nvml.number("nvmlEventSetCreate", &[]).1;
    assert_eq!(nvml.call("nvmlDeviceRegisterEvents", &[gpu, 0x9, set]), 0);
    let mut event = [0_u64; 4];
    let mut wait = |time| (nvml.call("nvmlEventSetWait_v2", &[set, event.as_mut_ptr() as usize, time]), event);
    assert_eq!(wait(0).0, 10, "the fifth call");
    let (code, told) = wait(0);
    assert_eq!((code, &told[..2]), (0, &[gpu as u64, 1][..]), "single-bit errors at the sixth");
    assert!(in_a_child(|| degrees(gpu) == 0 && degrees(gpu) == 15), "the seventh and the eighth of a child");
    assert_eq!((degrees(gpu), degrees(gpu)), (0, 15));
    let (code, told) = wait(0);
    assert_eq!((code, &told[..3]), (0, &[gpu as u64, 8, 79][..]));
    assert_eq!(wait(50).0, 15, "and then the loss itself, after the whole wait");
    assert_eq!(nvml.number("nvmlDeviceGetCount_v2", &[]), (0, 1), "it is still counted");
    assert_eq!(nvml.number("nvmlDeviceGetHandleByIndex_v2", &[0]).0, 15);
}

/// If changes are kept next to the file, the verb `set` and nvidia-smi change what the libraries report.
#[test]
fn what_is_set_is_what_a_program_reads_next() {
    let libraries = Libraries::of("h100-mig", &["--device", "0"]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let change = |name: &str, words: &[&str]| {
        let mut command = libraries.sandbox.named(name, words);
        command.env("FAKE_NVIDIA_STATE", libraries.path("fake-nvidia/state.json"));
        let output = command.env("FAKE_NVIDIA_TOPOLOGY", "h100-mig").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let before = nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]);
    change("fake-nvidia-container-cli", &["set", "0", "temperature.gpu=91", "power.draw=ramp:600..600:5", "xid=48"]);
    assert_eq!(nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]), (0, 91));
    assert_eq!(nvml.number("nvmlDeviceGetPowerUsage", &[gpu]), (0, 600_000));
    assert_eq!(uuids(&nvml).len(), 1, "the other GPU is still another's");
    change("fake-nvidia-container-cli", &["set", "0", "lost=true"]);
    assert_eq!(nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]).0, 15);
    change("fake-nvidia-container-cli", &["set", "0", "--clear"]);
    assert_eq!(nvml.number("nvmlDeviceGetTemperature", &[gpu, 0]), before);
}

/// In mode `files` nothing is next to a library: each contains its file.
#[test]
fn a_container_of_files_has_libraries_that_answer() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("rootfs/usr/lib")).unwrap();
    let mut command = sandbox.configure(&["--utility", "--compute", "--device=2,4", "--ldconfig=/sbin/ldconfig"]);
    let output = command.env("FAKE_NVIDIA_TOPOLOGY", "h100").env("FAKE_NVIDIA_APPLY", "files").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let library = |name: &str| {
        let mut found = Vec::new();
        walk(&sandbox.path("rootfs"), &mut found);
        found
            .into_iter()
            .find(|path| path.file_name().unwrap() == name && fs::metadata(path).unwrap().len() > 0)
            .unwrap()
    };
    let nvml = Caller::load(&library("libnvidia-ml.so.570.172.08"));
    assert_eq!(nvml.call("nvmlInit_v2", &[]), 0);
    let minors: Vec<_> = (0..2).map(|at| nvml.number("nvmlDeviceGetMinorNumber", &[nvml.gpu(at)])).collect();
    assert_eq!((uuids(&nvml).len(), minors), (2, vec![(0, 2), (0, 4)]));
    assert_eq!(Caller::load(&library("libcuda.so.570.172.08")).call("cuInit", &[0]), 100);
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() { walk(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

#[test]
fn cuda_has_no_device_unless_it_is_asked_to() {
    let libraries = Libraries::of("a100-mig", &[]);
    let cuda = libraries.load(CUDA);
    assert_eq!(cuda.call("cuInit", &[0]), 100);
    assert_eq!(cuda.number("cuDriverGetVersion", &[]), (0, 12_040));
    assert_eq!(cuda.number("cuDeviceGetCount", &[]).0, 3);

    let libraries = Libraries::of("a100-mig", &["--cuda", "--device", "2,3"]);
    let cuda = libraries.load(CUDA);
    assert_eq!((cuda.call("cuInit", &[1]), cuda.call("cuInit", &[0])), (1, 0));
    assert_eq!(cuda.number("cuDeviceGetCount", &[]), (0, 2));
    let mut name = [0_u8; 16];
    assert_eq!(cuda.call("cuDeviceGetName", &[name.as_mut_ptr() as usize, name.len(), 0]), 0);
    assert_eq!(&name, b"NVIDIA A100-SXM\0");
    let mut bytes = 0_u64;
    assert_eq!(cuda.call("cuDeviceTotalMem_v2", &[(&raw mut bytes) as usize, 1]), 0);
    assert_eq!(bytes >> 20, 14_912);
    let mut uuid = [0_u8; 16];
    assert_eq!(cuda.call("cuDeviceGetUuid", &[uuid.as_mut_ptr() as usize, 1]), 0);
    let digits: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, uuids(&libraries.nvml())[1].replace("GPU-", "").replace('-', ""));
    let mut major = 0_u32;
    assert_eq!(cuda.call("cuDeviceGetAttribute", &[(&raw mut major) as usize, 75, 1]), 0);
    assert_eq!((major, cuda.number("cuDeviceGetCount", &[]).0, cuda.call("cuCtxCreate_v2", &[])), (7, 0, 801));
}
