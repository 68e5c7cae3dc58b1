//! NVML and nvidia-smi on one machine: what one shows, the other shows too.

use super::libraries::Libraries;
use super::programs::source;
use super::sandbox::Sandbox;
use std::fs;

/// What follows from a reading that moves moves with it, and what does not follow stays.
#[test]
fn what_follows_from_a_reading_is_worked_out_when_it_is_read() {
    let libraries = Libraries::of("h100", &[]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let set = |changes: &[&str]| {
        let mut command = libraries.sandbox.named("fake-nvidia-container-cli", &[&["set", "0"], changes].concat());
        command.env("FAKE_NVIDIA_STATE", libraries.path("fake-nvidia/state.json"));
        assert!(command.env("FAKE_NVIDIA_TOPOLOGY", "h100").status().unwrap().success());
    };
    let limits = || [0, 1, 3].map(|which| nvml.number("nvmlDeviceGetTemperatureThreshold", &[gpu, which]));
    let left = || {
        let mut margin = [0x0100_0008_u32, 0];
        (nvml.call("nvmlDeviceGetMarginTemperature", &[gpu, margin.as_mut_ptr() as usize]), margin[1])
    };
    let reasons = || nvml.number("nvmlDeviceGetCurrentClocksEventReasons", &[gpu]);
    let field = |id: u64| {
        let mut field = [id, 0, 0, 0, 0];
        assert_eq!(nvml.call("nvmlDeviceGetFieldValues", &[gpu, 1, field.as_mut_ptr() as usize]), 0);
        (field[3] >> 32, field[4])
    };
    let energy = || {
        let mut energy = 0_u64;
        assert_eq!(nvml.call("nvmlDeviceGetTotalEnergyConsumption", &[gpu, (&raw mut energy) as usize]), 0);
        energy
    };
    let (before, first) = (limits(), energy());
    assert_eq!(reasons(), (0, 1), "it is idle");
    // At the first call, which the writer sees, each is something else.
    set(&["temperature.gpu=call:42..86:2", "utilization.gpu=call:0..84:2", "power.draw=call:100..524:2"]);
    set(&["power.limit=call:700..600:2"]);
    assert_eq!((left(), limits(), reasons()), ((0, 1), before, (0, 0)));
    assert_eq!((field(185), field(186), field(190)), ((0, 524_000), (0, 524_000), (0, 600_000)));
    assert_eq!(nvml.number("nvmlDeviceGetEnforcedPowerLimit", &[gpu]), (0, 600_000));
    set(&["power.draw=600"]);
    let high = energy();
    set(&["power.draw=1"]);
    assert!(first <= high && high <= energy(), "energy never falls");
    // What is stated counts.
    set(&["temperature.gpu.tlimit=7", "power.draw.instant=333"]);
    assert_eq!((left(), field(186)), ((0, 7), (0, 333_000)));
}

/// NVML and `nvidia-smi mig` count the same instances and the same room.
#[test]
fn instances_and_room_are_the_same_everywhere() {
    let libraries = Libraries::of("h100", &[]);
    let smi = |words: &[&str]| {
        let mut command = libraries.sandbox.named("nvidia-smi", &[words, &["-i", "0"]].concat());
        command.env("FAKE_NVIDIA_STATE", libraries.path("fake-nvidia/state.json"));
        let output = command.env("FAKE_NVIDIA_TOPOLOGY", "h100").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    smi(&["-mig", "1"]);
    smi(&["mig", "-cgi", "9,19"]);
    smi(&["mig", "-gi", "2", "-cci", "0"]);
    let nvml = libraries.nvml();
    let gpu = nvml.gpu(0);
    let table = smi(&["mig", "-lgip"]);
    assert!(table.matches("  MIG ").count() > 5, "{table}");
    for row in table.lines().filter(|line| line.contains("  MIG ")) {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let at = cells.iter().position(|cell| cell.contains('/')).unwrap();
        let (id, free) = (cells[at - 1].parse().unwrap(), cells[at].split_once('/').unwrap().0.parse().unwrap());
        assert_eq!(nvml.number("nvmlDeviceGetGpuInstanceRemainingCapacity", &[gpu, id]), (0, free), "{row}");
    }
    for (profile, count) in [(9, 1), (19, 1), (14, 0)] {
        let (mut handles, mut found) = ([0_usize; 8], 7_u32);
        let arguments = [gpu, profile, handles.as_mut_ptr() as usize, (&raw mut found) as usize];
        assert_eq!((nvml.call("nvmlDeviceGetGpuInstances", &arguments), found), (0, count), "{profile}");
    }
    let (_, instance) = nvml.number("nvmlDeviceGetGpuInstanceById", &[gpu, 2]);
    let listed = smi(&["mig", "-lcip", "-gi", "2"]);
    let rows: Vec<Vec<&str>> =
        listed.lines().filter(|line| line.contains("  MIG ")).map(|row| row.split_whitespace().collect()).collect();
    for number in 0..7 {
        let mut profile = [0_u32; 9];
        let arguments = [instance, number, 0, profile.as_mut_ptr() as usize];
        let code = nvml.call("nvmlGpuInstanceGetComputeInstanceProfileInfo", &arguments);
        let row = rows.iter().find(|row| {
            let at = row.iter().position(|cell| cell.contains('/')).unwrap();
            row[at - 1].trim_end_matches('*').parse() == Ok(number)
        });
        assert_eq!(code == 0, row.is_some(), "{number}: {listed}");
        let Some(row) = row else { continue };
        let at = row.iter().position(|cell| cell.contains('/')).unwrap();
        assert_eq!(profile[3].to_string(), row[at + 1], "multiprocessors of {number}: {listed}");
        let room = nvml.number("nvmlGpuInstanceGetComputeInstanceRemainingCapacity", &[instance, number]);
        assert_eq!(room.1.to_string(), row[at].split_once('/').unwrap().0, "room for {number}: {listed}");
    }
}

/// NVML tells the memory that a query shows, also of drivers that did not count what they reserve.
#[test]
fn memory_is_the_same_everywhere() {
    let case = source("tests/cases/smi/query-gpu-470-memory");
    let libraries = Libraries::of(case.join("machine.toml").to_str().unwrap(), &[]);
    let nvml = libraries.nvml();
    let shown = fs::read_to_string(case.join("expected")).unwrap();
    for (at, row) in shown.lines().skip(1).enumerate() {
        let mib = |part: &str| part.strip_suffix(" MiB").unwrap().parse::<u64>().unwrap();
        let numbers: Vec<u64> = row.split(", ").skip(1).map(mib).collect();
        let mut told = [0_u64; 3];
        assert_eq!(nvml.call("nvmlDeviceGetMemoryInfo", &[nvml.gpu(at), told.as_mut_ptr() as usize]), 0);
        let [total, free, used] = told.map(|bytes| bytes >> 20);
        assert_eq!([total, used, free].as_slice(), numbers, "{row}");
    }
}

/// NVML and `topo` show the same connections.
#[test]
fn connections_are_the_same_everywhere() {
    const LEVELS: [(&str, usize); 6] = [("X", 0), ("PIX", 10), ("PXB", 20), ("PHB", 30), ("NODE", 40), ("SYS", 50)];
    for topology in ["l40s", "h100", "v100x16"] {
        let libraries = Libraries::of(topology, &["--cuda"]);
        let nvml = libraries.nvml();
        let table = |words: &[&str]| {
            let mut command = libraries.sandbox.named("nvidia-smi", &[&["topo"], words].concat());
            let output = command.env("FAKE_NVIDIA_TOPOLOGY", topology).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let rows = text.lines().map(str::trim_start).filter(|line| line.starts_with("GPU"));
            rows.map(|row| row.split_whitespace().skip(1).map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
        };
        let (links, ways) = (table(&["-m"]), table(&["-mp"]));
        let count = links.len();
        let (reads, atomics) = (table(&["-p2p", "r"]), table(&["-p2p", "a"]));
        for (one, other) in (0..count).flat_map(|one| (0..count).map(move |other| (one, other))) {
            if one == other {
                continue;
            }
            let pair = [nvml.gpu(one), nvml.gpu(other)];
            let level = LEVELS.iter().find(|(word, _)| *word == ways[one][other]).unwrap().1;
            assert_eq!(
                nvml.number("nvmlDeviceGetTopologyCommonAncestor", &pair),
                (0, level),
                "{topology} {one} {other}"
            );
            for (way, told) in [(0, &reads), (2, &atomics), (3, &atomics)] {
                let status = nvml.number("nvmlDeviceGetP2PStatus", &[pair[0], pair[1], way]);
                let word = if status == (0, 0) { "OK" } else { "NS" };
                assert_eq!(word, told[one][other], "{topology} {one} {other} in way {way}");
            }
            assert_eq!(atomics[one][other] == "OK", links[one][other].starts_with("NV"));
        }
        let last = count - 1;
        let mut words = [0_u64; 4];
        let arguments = [nvml.gpu(last), 4, words.as_mut_ptr() as usize];
        assert_eq!(nvml.call("nvmlDeviceGetCpuAffinity", &arguments), 0, "{topology}");
        let first = words.iter().position(|word| *word != 0).unwrap();
        let processors = first * 64 + words[first].trailing_zeros() as usize;
        let (told, _) = links[last][links[last].len() - 3].split_once('-').unwrap();
        assert_eq!(told, processors.to_string(), "{topology}");
        let wrong = libraries.sandbox.named("nvidia-smi", &["topo", "-p2p", "zz"]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(2));
    }
}

/// A machine's processors are its own, however many this host has; a topology can name those of the host.
#[test]
fn processors_and_memory_near_a_gpu_are_the_same_everywhere() {
    let own = "gpus = 8\nmodel = \"H100\"\n[state]\ncpu_affinity = \"0-1\"\nnuma_affinity = 0\n";
    for (machine, last, node, cpus) in
        [("gpus = 8\nmodel = \"H100\"\n", [0, u64::MAX], 1, "64-127"), (own, [3, 0], 0, "0-1")]
    {
        let libraries = Libraries { sandbox: Sandbox::new() };
        fs::write(libraries.sandbox.path("machine.toml"), machine).unwrap();
        libraries.write("machine.toml", &[]);
        let nvml = libraries.nvml();
        let gpu = nvml.gpu(7);
        let words = |name: &str, scope: &[usize]| {
            let mut words = [7_u64; 2];
            assert_eq!(nvml.call(name, &[&[gpu, 2, words.as_mut_ptr() as usize], scope].concat()), 0, "{name}");
            words
        };
        assert_eq!(words("nvmlDeviceGetCpuAffinity", &[]), last);
        assert_eq!(words("nvmlDeviceGetMemoryAffinity", &[0]), [1 << node, 0]);
        let run = |argv0: &str, words: &[&str]| {
            let mut command = libraries.sandbox.named(argv0, words);
            let output = command.env("FAKE_NVIDIA_TOPOLOGY", "machine.toml").output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let table = run("nvidia-smi", &["topo", "-m"]);
        let row: Vec<&str> = table.lines().find(|line| line.starts_with("GPU7")).unwrap().split_whitespace().collect();
        assert_eq!(row[9..11], [cpus, node.to_string().as_str()], "{table}");
        run("fake-nvidia-container-cli", &["driver-root", "host"]);
        let path = libraries.sandbox.path("host/sys/bus/pci/devices/0000:43:00.0/numa_node");
        assert_eq!(fs::read_to_string(path).unwrap(), format!("{node}\n"));
    }
}

/// Drivers before 470 named a MIG device by its GPU and its instances; all accept that name.
#[test]
fn the_name_of_a_mig_device_is_the_same_everywhere() {
    for (driver, is_early) in [("450.80.02", true), ("550.54.15", false)] {
        let libraries = Libraries { sandbox: Sandbox::new() };
        let run = |argv0: &str, words: &[&str]| {
            let mut command = libraries.sandbox.named(argv0, words);
            command.env("FAKE_NVIDIA_TOPOLOGY", "machine.json").env("FAKE_NVIDIA_STATE", libraries.path("state"));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{argv0} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let machine = libraries.sandbox.named("fake-nvidia-container-cli", &["topologies", "a100-mig"]).output();
        let mut machine: serde_json::Value = serde_json::from_slice(&machine.unwrap().stdout).unwrap();
        machine["driver"] = driver.into();
        fs::write(libraries.sandbox.path("machine.json"), machine.to_string()).unwrap();
        libraries.write("machine.json", &[]);
        let list = run("nvidia-smi", &["-L"]);
        let line = list.lines().find(|line| line.starts_with("  MIG ")).unwrap();
        let name = line.rsplit_once("UUID: ").unwrap().1.trim_end_matches(')').to_owned();
        assert_eq!(name.starts_with("MIG-GPU-"), is_early, "{name}");
        let nvml = libraries.nvml();
        let (_, part) = nvml.number("nvmlDeviceGetMigDeviceHandleByIndex", &[nvml.gpu(0), 0]);
        assert_eq!(nvml.text("nvmlDeviceGetUUID", &[part], 96).unwrap(), name);
        let of = &machine["gpus"][0];
        let (uuid, mig) = (of["uuid"].as_str().unwrap(), &of["mig"][0]);
        let early = format!("MIG-{uuid}/{}/{}", mig["gi"], mig["ci"]);
        for name in [early.as_str(), mig["uuid"].as_str().unwrap()] {
            let words = format!("{name}\0");
            let found = nvml.number("nvmlDeviceGetHandleByUUID", &[words.as_ptr() as usize]);
            assert_eq!(found, (0, part), "{driver} {name}");
            run("nvidia-container-cli", &["list", "--device", name]);
            run("fake-nvidia-container-cli", &["set", name, "memory.used=5"]);
        }
    }
}

/// What a program uses, its MIG device uses: the GPU instance's memory, which the compute instances share.
#[test]
fn the_memory_of_a_mig_device_follows_its_programs() {
    let libraries = Libraries { sandbox: Sandbox::new() };
    let machine = r#"[[gpus]]
model = "H100"
mig = [
    { profile = "1c.3g.40gb", gi = 2 },
    { profile = "2c.3g.40gb", gi = 2, ci = 1 },
    { profile = "2g.20gb", gi = 3, state.memory.used = 17 },
    "1g.10gb",
]
processes = [
    { pid = 4711, name = "python3", memory = 2048, gi = 2, ci = 0 },
    { pid = 4712, name = "python3", memory = 100, gi = 2, ci = 1 },
    { pid = 4713, name = "python3", memory = 512, gi = 3, ci = 0 },
]
"#;
    fs::write(libraries.sandbox.path("machine.toml"), machine).unwrap();
    libraries.write("machine.toml", &[]);
    let nvml = libraries.nvml();
    let memory = |device: usize| {
        let mut memory = [7_u64; 3];
        assert_eq!(nvml.call("nvmlDeviceGetMemoryInfo", &[device, memory.as_mut_ptr() as usize]), 0);
        memory.map(|bytes| bytes >> 20)
    };
    let gpu = nvml.gpu(0);
    let parts = [0, 1, 2, 3].map(|at| nvml.number("nvmlDeviceGetMigDeviceHandleByIndex", &[gpu, at]).1);
    let (shared, own) = ([40_448, 38_300, 2_148], [20_096, 20_079, 17]);
    assert_eq!(parts.map(memory), [shared, shared, own, [9_984, 9_984, 0]], "total, free, used");
    let mut command = libraries.sandbox.named("nvidia-smi", &[]);
    let output = command.env("FAKE_NVIDIA_TOPOLOGY", "machine.toml").output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let used =
        table.lines().filter_map(|line| line.split_once("MiB / ").map(|(used, _)| used.rsplit_once(' ').unwrap().1));
    // The last of each three is the window of the processor.
    let used: Vec<&str> = used.collect();
    assert_eq!(used, ["2660", "2148", "0", "17", "0", "0", "0"], "{table}");
}

/// A rack's GPUs are one clique of one cluster; without a fabric beyond the machine both are zero.
#[test]
fn a_gpu_of_a_rack_knows_its_cluster() {
    let cluster = [0x6f, 0x0d, 0x3c, 0x5e, 0x41, 0xb8, 0x4d, 0x2a, 0x9c, 0x77, 0xe8, 0x5a, 0x1b, 0x20, 0xf3, 0x94];
    let (none, zeros) = ("00000000-0000-0000-0000-000000000000", [0_u8; 16]);
    for (topology, uuid, clique, words) in [
        ("gb200", cluster, 32_766_u32, "6f0d3c5e-41b8-4d2a-9c77-e85a1b20f394, 32766\n"),
        ("h100", zeros, 0, &*format!("{none}, 0\n")),
    ] {
        let libraries = Libraries::of(topology, &[]);
        let nvml = libraries.nvml();
        let mut info = [7_u8; 28];
        let last = nvml.gpu(3);
        assert_eq!(nvml.call("nvmlDeviceGetGpuFabricInfo", &[last, info.as_mut_ptr() as usize]), 0, "{topology}");
        // The cluster, the status, the clique, and the state: completed.
        assert_eq!((&info[..16], &info[16..20]), (&uuid[..], &[0; 4][..]), "{topology}");
        assert_eq!((&info[20..24], info[24]), (&clique.to_le_bytes()[..], 3), "{topology}");
        let words_asked = ["--query-gpu=fabric.clusterUuid,fabric.cliqueId", "--format=csv,noheader", "-i", "3"];
        let mut command = libraries.sandbox.named("nvidia-smi", &words_asked);
        let output = command.env("FAKE_NVIDIA_TOPOLOGY", topology).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), words);
    }
}
