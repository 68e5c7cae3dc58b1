//! What a place sees of a machine: a container sees what it was given, the host all of it. It is kept as a machine with
//! the GPUs and parts of the place and no others, so that everything else is answered as on a whole machine.

use crate::driver::caps;
use crate::simulate::Choice;
use nvidia_simulated_given as given;
use nvidia_simulated_machine::state::connections::Connections;
use nvidia_simulated_machine::state::{self, State};
use nvidia_simulated_machine::topology::live::Process;
use nvidia_simulated_machine::topology::{self, Gpu, Syntax, Topology};
use serde::{Deserialize, Serialize};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The version of the file.
const VERSION: u32 = 3;

/// Where a container's file is: where nvidia-container-cli puts it, and where a CDI specification mounts it, since no
/// engine mounts below /proc.
const FOLDERS: [&str; 2] = ["/proc/driver/.fake-nvidia", "/run/fake-nvidia"];
/// The folder beside the file that selects devices: if it exists, only the devices whose UUID is the name of an entry
/// in it are given. A CDI specification gives each device by mounting its entry.
const DEVICES: &str = "devices";

/// The devices of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    version: u32,
    /// The machine, with only what was given.
    pub machine: Topology,
    /// For each GPU, whether only parts of it are seen.
    pub hidden: Vec<bool>,
    /// The folder whose device nodes select devices: a device without nodes there was not given.
    pub nodes: Option<String>,
}

/// The file as read; the machine is text that the topology's own reader checks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    machine: serde_json::Value,
    hidden: Vec<bool>,
    nodes: Option<String>,
}

impl Given {
    /// The devices of a choice. The driver lists GPUs in its own order, whatever the order of the choice. A right to
    /// change or watch the layout shows every part of a GPU. The host's processes are not seen.
    #[must_use]
    pub fn new(machine: &Topology, choice: &Choice) -> Self {
        let (mut gpus, mut hidden) = (Vec::new(), Vec::new());
        for (place, gpu) in machine.gpus.iter().enumerate().filter(|(at, _)| choice.devices.gpus.contains(at)) {
            let all = choice.config.contains(&place) || choice.monitor.contains(&place);
            let seen = |at: usize| all || choice.devices.migs.contains(&(place, at));
            let parts = gpu.mig.iter().enumerate().filter(|(at, _)| seen(*at)).map(|(_, part)| part.clone());
            hidden.push(gpu.mig_enabled && !all);
            let index = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
            gpus.push(Gpu { index, mig: parts.collect(), processes: unseen(&gpu.processes), ..gpu.clone() });
        }
        Self { version: VERSION, machine: among(machine, gpus), hidden, nodes: None }
    }

    /// The whole machine, as its owner sees it.
    #[must_use]
    pub fn everything(machine: Topology) -> Self {
        Self { version: VERSION, hidden: vec![false; machine.gpus.len()], machine, nodes: None }
    }

    /// The same for places where device nodes select devices and the host's programs are not seen.
    #[must_use]
    pub fn by_nodes(mut self, folder: &str) -> Self {
        self.machine.gpus.iter_mut().for_each(|gpu| gpu.processes = unseen(&gpu.processes));
        Self { nodes: Some(folder.to_owned()), ..self }
    }

    /// What this place was given, and the folder that says so, if there is one; `None` outside of any container.
    #[must_use]
    pub fn find() -> Option<(Result<Self, String>, Option<PathBuf>)> {
        let outside = outer_root().map(|root| root.join(FOLDERS[1].trim_start_matches('/')));
        let mut folders = outside.into_iter().chain(FOLDERS.iter().map(PathBuf::from));
        let found = folders.find_map(|folder| Some((Self::find_in(&folder)?, Some(folder))));
        found.or_else(|| Some((Self::read(&end_of_program()?).map(Self::chosen), None)))
    }

    /// What a folder says; `None` if it has no file.
    fn find_in(folder: &Path) -> Option<Result<Self, String>> {
        let file = folder.join(super::FILE);
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return None,
            Err(why) => return Some(Err(format!("{}: {why}", file.display()))),
        };
        let given = Self::read(&text).map_err(|why| format!("{}: {why}", file.display()));
        let entries = fs::read_dir(folder.join(DEVICES)).map(|entries| {
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect::<Vec<String>>()
        });
        let given = given.map(Self::chosen);
        Some(given.map(|given| if let Ok(names) = entries { given.only(&names) } else { given }))
    }

    /// Keeps the devices whose nodes exist, if nodes select devices. A GPU without a part's nodes is seen without that
    /// part.
    fn chosen(mut self) -> Self {
        let Some(folder) = self.nodes.clone() else { return self };
        let is_there = |node: &str| Path::new(&folder).join(node).exists();
        let (mut gpus, mut hidden) = (Vec::new(), Vec::new());
        for (mut gpu, was_hidden) in self.machine.gpus.clone().into_iter().zip(self.hidden) {
            let parts = gpu.mig.len();
            let mut kept = Vec::new();
            for part in &gpu.mig {
                let nodes = caps::accesses(&gpu, part).map(|access| access.dev());
                kept.push(nodes.iter().all(|node| is_there(node.trim_start_matches("/dev/"))));
            }
            let mut kept = kept.into_iter();
            gpu.mig.retain(|_| kept.next().unwrap_or_default());
            if is_there(&format!("nvidia{}", gpu.minor)) {
                gpu.index = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
                hidden.push(was_hidden || gpu.mig.len() < parts);
                gpus.push(gpu);
            }
        }
        self.machine = among(&self.machine, gpus);
        Self { hidden, ..self }
    }

    /// Only the devices with these UUIDs; a part brings its GPU along.
    #[must_use]
    pub fn only(mut self, uuids: &[String]) -> Self {
        let is_named = |uuid: &str| uuids.iter().any(|name| name == uuid);
        let (mut gpus, mut hidden) = (Vec::new(), Vec::new());
        for (mut gpu, was_hidden) in self.machine.gpus.clone().into_iter().zip(self.hidden) {
            let is_whole = is_named(&gpu.uuid);
            gpu.mig.retain(|part| is_whole || is_named(&part.uuid));
            if is_whole || !gpu.mig.is_empty() {
                gpu.index = u32::try_from(gpus.len()).unwrap_or(u32::MAX);
                gpus.push(gpu);
                hidden.push(was_hidden || !is_whole);
            }
        }
        self.machine = among(&self.machine, gpus);
        Self { hidden, ..self }
    }

    /// Reads what [`Given::new`] wrote.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let file: File = serde_json::from_slice(text).map_err(|why| why.to_string())?;
        if file.version != VERSION {
            return Err(format!("version {} is not {VERSION}", file.version));
        }
        let machine = topology::parse(&file.machine.to_string(), Syntax::Json, "given", "machine")?;
        Ok(Self { version: VERSION, machine, hidden: file.hidden, nodes: file.nodes })
    }
}

/// Programs of the host as a container has them: they use memory, but are not seen, so they have no name.
fn unseen(processes: &[Process]) -> Vec<Process> {
    let bare = |p: &Process| Process { pid: p.pid, memory: p.memory, gi: p.gi, ci: p.ci, ..Process::default() };
    processes.iter().map(bare).collect()
}

/// A machine with some of its GPUs, which are connected as they are among all. If the figures cannot be read, each is
/// connected by its new place.
fn among(machine: &Topology, gpus: Vec<Gpu>) -> Topology {
    let place = |gpu: &Gpu| machine.gpus.iter().position(|other| other.uuid == gpu.uuid);
    let kept: Vec<usize> = gpus.iter().filter_map(place).collect();
    if kept.len() == machine.gpus.len() {
        return Topology { gpus, ..machine.clone() };
    }
    let Ok(devices) = state::devices(machine, &State::default(), 0) else {
        return Topology { gpus, ..machine.clone() };
    };
    let mut among = Connections::of(machine, &devices).only(&kept);
    for (gpu, mut given) in among.gpus.iter_mut().zip(gpus) {
        given.state = gpu.state.clone();
        *gpu = given;
    }
    among
}

/// The root of the machine in a folder, if this program was started from there: a program is in `usr/bin` of its root.
fn outer_root() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    own.ancestors().nth(3).filter(|root| root.parent().is_some()).map(Path::to_owned)
}

/// The file at the end of this program, if there is one.
fn end_of_program() -> Option<Vec<u8>> {
    let mut own = fs::File::open("/proc/self/exe").ok()?;
    let size = own.metadata().ok()?.len();
    let mut last = [0; given::TAIL_LENGTH];
    own.seek(SeekFrom::Start(size.checked_sub(last.len() as u64)?)).ok()?;
    own.read_exact(&mut last).ok()?;
    let (from, length) = given::tail(size, &last)?;
    let mut text = vec![0; usize::try_from(length).ok().filter(|length| *length <= given::LIMIT)?];
    own.seek(SeekFrom::Start(from)).ok()?;
    own.read_exact(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nvidia_simulated_machine::select::Selection;

    #[test]
    fn a_place_sees_what_it_was_given_and_no_more() {
        let machine = topology::load(Some("a100-mig")).unwrap();
        let devices = Selection { gpus: vec![1, 3], migs: vec![(1, 2)], ..Selection::default() };
        let given = Given::new(&machine, &Choice { devices, ..Choice::default() });
        assert_eq!(given.hidden, [true, false]);
        let names: Vec<_> = given.machine.gpus.iter().map(|gpu| (gpu.index, gpu.minor, gpu.mig.len())).collect();
        assert_eq!(names, [(0, 1, 1), (1, 3, 0)]);
        let again = Given::read(&serde_json::to_vec(&given).unwrap()).unwrap();
        assert_eq!(again, given);
    }

    #[test]
    fn a_gpu_is_connected_in_a_place_as_on_its_machine() {
        for topology in ["l40s", "v100x16", "gb200"] {
            let machine = topology::load(Some(topology)).unwrap();
            let last = machine.gpus.len() - 1;
            let seen = |machine: &Topology, one: usize, other: usize| {
                let all = state::devices(machine, &State::default(), 0).unwrap();
                let connections = Connections::of(machine, &all);
                let words = [true, false].map(|has_links| connections.word(one, other, has_links));
                (words, connections.processors(&all[other]), connections.node(&all[other]))
            };
            let devices = Selection { gpus: vec![last - 1, last], ..Selection::default() };
            let given = Given::new(&machine, &Choice { devices, ..Choice::default() });
            assert_eq!(seen(&given.machine, 0, 1), seen(&machine, last - 1, last), "{topology}");
            let named = [machine.gpus[0].uuid.clone(), machine.gpus[last].uuid.clone()];
            let given = Given::everything(machine.clone()).only(&named);
            assert_eq!(seen(&given.machine, 0, 1), seen(&machine, 0, last), "{topology}");
        }
    }

    #[test]
    fn a_folder_of_devices_chooses_among_those_of_the_file() {
        let top = tempfile::tempdir().unwrap();
        assert!(Given::find_in(top.path()).is_none());
        let given = Given::everything(topology::load(Some("a100-mig")).unwrap());
        fs::write(top.path().join(crate::smi::FILE), serde_json::to_vec(&given).unwrap()).unwrap();
        assert_eq!(Given::find_in(top.path()), Some(Ok(given.clone())));
        let devices = top.path().join(DEVICES);
        fs::create_dir(&devices).unwrap();
        assert_eq!(Given::find_in(top.path()).unwrap().unwrap().machine.gpus.len(), 0);
        for uuid in [&given.machine.gpus[1].mig[2].uuid, &given.machine.gpus[3].uuid] {
            fs::write(devices.join(uuid), "").unwrap();
        }
        let chosen = Given::find_in(top.path()).unwrap().unwrap();
        let names: Vec<_> = chosen.machine.gpus.iter().map(|gpu| (gpu.index, gpu.minor, gpu.mig.len())).collect();
        assert_eq!((names, chosen.hidden), (vec![(0, 1, 1), (1, 3, 0)], vec![true, false]));
        fs::write(top.path().join(crate::smi::FILE), "torn").unwrap();
        assert!(Given::find_in(top.path()).unwrap().unwrap_err().contains("given.json"));
    }

    #[test]
    fn a_folder_of_nodes_chooses_if_the_file_names_one() {
        let top = tempfile::tempdir().unwrap();
        let machine = topology::load(Some("a100-mig")).unwrap();
        let nodes = caps::accesses(&machine.gpus[1], &machine.gpus[1].mig[2]).map(|access| access.dev());
        let given = Given::everything(machine).by_nodes(top.path().to_str().unwrap());
        let seen = |given: &Given| {
            let chosen = given.clone().chosen();
            let parts: Vec<_> = chosen.machine.gpus.iter().map(|gpu| (gpu.index, gpu.minor, gpu.mig.len())).collect();
            (parts, chosen.hidden)
        };
        assert_eq!(seen(&given), (vec![], vec![]));
        fs::create_dir(top.path().join("nvidia-caps")).unwrap();
        for node in ["nvidia1", "nvidia3"].into_iter().chain(nodes.iter().map(|node| node.trim_start_matches("/dev/")))
        {
            fs::write(top.path().join(node), "").unwrap();
        }
        assert_eq!(seen(&given), (vec![(0, 1, 1), (1, 3, 0)], vec![true, false]));
        fs::remove_file(top.path().join(nodes[1].trim_start_matches("/dev/"))).unwrap();
        assert_eq!(seen(&given), (vec![(0, 1, 0), (1, 3, 0)], vec![true, false]));
    }

    #[test]
    fn a_file_that_is_cut_or_of_another_version_is_an_error() {
        let given = Given::everything(topology::load(None).unwrap());
        let text = serde_json::to_vec(&given).unwrap();
        for length in (0..text.len()).step_by(61) {
            assert!(Given::read(&text[..length]).is_err());
        }
        assert!(
            Given::read(b"{\"version\":1,\"machine\":{},\"hidden\":[],\"nodes\":null}")
                .unwrap_err()
                .contains("version 1")
        );
    }
}
