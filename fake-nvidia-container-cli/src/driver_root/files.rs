//! What is installed: the topology's driver files, files that belong to them but that no option of nvidia-container-cli
//! asks for, and as much of a system as tools look at.

use super::{Entry, MACHINE, What, ld_cache};
use crate::cli::Version;
use crate::libraries::{self, Width};
use nvidia_simulated_machine::driver_files;
use nvidia_simulated_machine::topology::Topology;

/// The merged folders of a current system.
const MERGED: [(&str, &str); 4] =
    [("/bin", "usr/bin"), ("/sbin", "usr/sbin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64")];
/// The settings of the simulator when it runs in the folder, or for the folder.
const SETTINGS: &str = "/etc/fake-nvidia/config.toml";

pub(super) fn all(machine: &Topology) -> Vec<Entry> {
    let mut all: Vec<Entry> =
        MERGED.iter().map(|(link, to)| ((*link).to_owned(), What::Link((*to).to_owned()))).collect();
    all.extend(["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64"].map(|folder| (folder.to_owned(), What::Folder)));
    all.push(("/var/run".to_owned(), What::Link("../run".to_owned())));
    all.extend(system(machine));
    all.push(("/usr/bin/nvidia-container-cli".to_owned(), What::Simulator));
    all.extend(machine.host.bins.iter().map(|path| (path.clone(), What::Simulator)));
    let (libraries, cached) = libraries(machine);
    all.extend(libraries);
    all.push(("/etc/ld.so.cache".to_owned(), What::File(ld_cache::write(&cached))));
    all.extend(machine.host.firmwares.iter().map(|path| (path.clone(), What::File(b"simulated\n".to_vec()))));
    all.extend(machine.host.ipcs.iter().map(|path| ipc(path)));
    all.extend(graphics(machine));
    all
}

/// A socket of a daemon, or the folder of CUDA's server.
fn ipc(path: &str) -> Entry {
    let what = if path.ends_with("/socket") { What::Socket } else { What::Folder };
    (path.to_owned(), what)
}

/// As much of a system as tools look at to identify it.
fn system(machine: &Topology) -> Vec<Entry> {
    let release = "NAME=\"Simulated machine\"\nPRETTY_NAME=\"Simulated machine\"\nID=debian\nVERSION_ID=\"12\"\n";
    let folders: Vec<String> = folders(machine).into_iter().map(|(folder, _)| format!("{folder}\n")).collect();
    let settings = "# The machine of this folder, for the simulator's own commands.\n\
                    topology = \"machine.json\"\nstate = \"../../run/fake-nvidia/state.json\"\n";
    let topology = serde_json::to_string_pretty(machine).unwrap_or_default() + "\n";
    vec![
        ("/etc/os-release".to_owned(), release.to_owned().into()),
        ("/etc/ld.so.conf".to_owned(), folders.concat().into()),
        // Container tools run a host's ldconfig in the container; this one changes nothing.
        ("/usr/sbin/ldconfig".to_owned(), What::Program(libraries::idle_program())),
        (MACHINE.to_owned(), topology.into()),
        (SETTINGS.to_owned(), settings.to_owned().into()),
        // Control groups of version 2, as on a machine that runs containers.
        ("/sys/fs/cgroup/cgroup.controllers".to_owned(), "cpuset cpu io memory pids\n".to_owned().into()),
        ("/tmp".to_owned(), What::Folder),
    ]
}

/// The folders of libraries, each with the width of its libraries.
fn folders(machine: &Topology) -> Vec<(String, Width)> {
    let wide = machine.host.libs64.iter().map(|path| (path, Width::Wide));
    let narrow = machine.host.libs32.iter().map(|path| (path, Width::Narrow));
    let mut all: Vec<(String, Width)> = Vec::new();
    for (path, width) in wide.chain(narrow) {
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned();
        if !all.iter().any(|(known, _)| *known == folder) {
            all.push((folder, width));
        }
    }
    all
}

/// The libraries, with the names by which programs ask for them, and the entries of the linker's cache.
fn libraries(machine: &Topology) -> (Vec<Entry>, Vec<ld_cache::Row>) {
    let (mut entries, mut rows): (Vec<Entry>, Vec<ld_cache::Row>) = (Vec::new(), Vec::new());
    let wide = machine.host.libs64.iter().map(|path| (path, Width::Wide));
    let narrow = machine.host.libs32.iter().map(|path| (path, Width::Narrow));
    let tools = machine.host.libs64.first().and_then(|path| path.rsplit_once('/')).map(|(folder, _)| tools(folder));
    for (path, width) in wide.chain(narrow).chain(tools.as_ref().map(|path| (path, Width::Wide))) {
        let Some((folder, file)) = path.rsplit_once('/') else { continue };
        let answering = if width == Width::Wide { super::live::library(machine, file) } else { None };
        entries.push((path.clone(), What::File(answering.unwrap_or_else(|| libraries::empty(file, width)))));
        let soname = driver_files::soname(file);
        let links = links(file, &soname);
        let row = |name: &String| ld_cache::Row {
            name: name.clone(),
            path: format!("{folder}/{name}"),
            width,
            kernel: file.starts_with("libnvidia-tls.so").then_some(libraries::KERNEL_OF_TLS),
        };
        rows.push(row(&soname));
        for (link, to) in links {
            let path = format!("{folder}/{link}");
            // If two files have the same SONAME, the later one is linked, as ldconfig takes the newer one.
            entries.retain(|(known, _)| *known != path);
            entries.push((path, What::Link(to)));
            // The cache also has links whose name is a prefix of the SONAME.
            if link != soname && soname.starts_with(&link) {
                rows.push(row(&link));
            }
        }
    }
    for (folder, _) in folders(machine).iter().filter(|(_, width)| *width == Width::Wide) {
        entries.push((format!("{folder}/{}", nvidia_simulated_given::BESIDE), What::Link(super::live::from(folder))));
    }
    rows.sort();
    rows.dedup();
    (entries, rows)
}

/// The library of nvidia-container-cli, in the newest version that the simulator knows.
fn tools(folder: &str) -> String {
    format!("{folder}/libnvidia-container.so.{}", Version::NEWEST)
}

/// The links beside a library: its SONAME, and the other names that the driver's installer makes.
fn links(file: &str, soname: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    if soname != file {
        links.push((soname.to_owned(), file.to_owned()));
    }
    if file.starts_with("libGLX_nvidia.so") {
        links.push(("libGLX_indirect.so.0".to_owned(), file.to_owned()));
    }
    let development = ["libcuda.so", "libnvidia-ml.so", "libnvidia-opticalflow.so", "libnvidia-nvvm.so"];
    for name in development.into_iter().filter(|name| file.starts_with(&format!("{name}."))) {
        links.push((name.to_owned(), soname.to_owned()));
    }
    links
}

/// The files by which graphics libraries are found, if there are any such libraries.
fn graphics(machine: &Topology) -> Vec<Entry> {
    let library = |name: &str| machine.host.libs64.iter().find(|path| path.contains(&format!("/{name}.so.")));
    let (Some(glx), Some(_)) = (library("libGLX_nvidia"), library("libEGL_nvidia")) else { return Vec::new() };
    let folder = glx.rsplit_once('/').map_or("/usr/lib", |(folder, _)| folder);
    let loader = |name: &str| {
        format!(
            "{{\"file_format_version\": \"1.0.0\", \"ICD\": {{\"library_path\": \"{name}\", \"api_version\": \"1.3\"}}}}\n"
        )
    };
    let driver = &machine.driver;
    let empty = |file: &str| What::File(libraries::empty(file, Width::Wide));
    let server = format!("libglxserver_nvidia.so.{driver}");
    vec![
        ("/usr/share/glvnd/egl_vendor.d/10_nvidia.json".to_owned(), loader("libEGL_nvidia.so.0").into()),
        ("/usr/share/vulkan/icd.d/nvidia_icd.json".to_owned(), loader("libGLX_nvidia.so.0").into()),
        ("/usr/share/nvidia/nvoptix.bin".to_owned(), What::File(b"simulated\n".to_vec())),
        (format!("{folder}/gbm/nvidia-drm_gbm.so"), What::Link(format!("../libnvidia-allocator.so.{driver}"))),
        (format!("{folder}/nvidia/xorg/nvidia_drv.so"), empty("nvidia_drv.so")),
        (format!("{folder}/nvidia/xorg/{server}"), empty(&server)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use nvidia_simulated_machine::topology::{Syntax, load, parse};

    fn what<'a>(entries: &'a [Entry], path: &str) -> Option<&'a What> {
        entries.iter().find(|(known, _)| known == path).map(|(_, what)| what)
    }

    #[test]
    fn a_library_has_the_names_that_programs_ask_for() {
        let machine = load(Some("t4")).unwrap();
        let entries = all(&machine);
        for (link, to) in [
            ("libcuda.so.1", "libcuda.so.550.54.15"),
            ("libcuda.so", "libcuda.so.1"),
            ("libnvidia-nvvm.so.4", "libnvidia-nvvm.so.550.54.15"),
            ("libGLX_nvidia.so.0", "libGLX_nvidia.so.550.54.15"),
            ("libGLX_indirect.so.0", "libGLX_nvidia.so.550.54.15"),
            ("fake-nvidia", "../../../run/fake-nvidia"),
        ] {
            let path = format!("/usr/lib/x86_64-linux-gnu/{link}");
            assert_eq!(what(&entries, &path), Some(&What::Link(to.to_owned())), "{link}");
        }
        assert_eq!(
            what(&entries, "/usr/lib/i386-linux-gnu/libcuda.so.1"),
            what(&entries, "/usr/lib/x86_64-linux-gnu/libcuda.so.1")
        );
        assert_eq!(what(&entries, "/usr/lib/x86_64-linux-gnu/libnvidia-glcore.so.1"), None);
    }

    #[test]
    fn a_machine_without_graphics_has_none_of_their_files() {
        let text = "[host]\nlibs64 = [\"/usr/lib64/libcuda.so.550.54.15\"]\nlibs32 = []\nipcs = []\n";
        let machine = parse(text, Syntax::Toml, "x", "x").unwrap();
        let entries = all(&machine);
        assert!(entries.iter().all(|(path, _)| !path.contains("vulkan") && !path.contains("socket")));
        assert_eq!(what(&entries, "/etc/ld.so.conf"), Some(&What::File(b"/usr/lib64\n".to_vec())));
    }
}
