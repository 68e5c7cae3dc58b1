//! A copy of this machine with its engines (machine.sh), in which packages are installed and containers started. Must
//! not know which document shows what.

use std::fs;
use std::path::Path;

use hook_test_support::programs;
use tempfile::TempDir;

use super::release::file;
use super::root::{said, text};

/// Simulated GPUs that are mounted into containers.
const SIMULATED: &str = "mkdir -p /etc/fake-nvidia\n\
    printf 'topology = \"h100\"\\napply = \"mounts\"\\n' >/etc/fake-nvidia/config.toml\n\
    printf '[nvidia-container-cli]\\npath = \"/usr/bin/fake-nvidia-container-cli\"\\n' >/etc/nvidia-container-runtime/config.toml\n";

/// The machine.
pub struct Machine {
    folder: TempDir,
}

impl Machine {
    /// A machine with the packages of a release in the folder where scripts begin, and the tarball of an image.
    pub fn new() -> Self {
        let machine = Self { folder: TempDir::new().unwrap() };
        for end in [".deb", ".rpm"] {
            machine.take(&file("nvidia-prestart-hook", end));
            machine.take(&file("fake-nvidia-container-cli", end));
        }
        let debian = programs::source("target/debian");
        let image = machine.folder.path().join("debian.tar");
        let left_out = ["--exclude=./usr/share", "--exclude=./var", "--exclude=./dev"];
        said("tar", &[&["-C", text(&debian)], &left_out[..], &["-cf", text(&image), "."]].concat(), None);
        machine
    }

    /// Copies a file into that folder.
    pub fn take(&self, file: &Path) {
        self.take_as(file, text(file.file_name().unwrap().as_ref()));
    }

    /// The same, under another name.
    pub fn take_as(&self, file: &Path, name: &str) {
        let place = self.folder.path().join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
    }

    /// Runs a script, which must succeed, and returns its output. Nothing of it is left for the next.
    pub fn run(&self, script: &str) -> String {
        let machine = programs::source("tests/packages/machine.sh");
        let spaces =
            ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
        let words = [&spaces[..], &["sh", text(&machine), text(self.folder.path()), script]].concat();
        let printed = said("unshare", &words, None);
        fs::remove_dir(self.folder.path().join("machine")).unwrap();
        printed
    }

    /// The same, with the Debian packages installed and with simulated GPUs.
    pub fn run_on_debian(&self, script: &str) -> String {
        let install = "apt-get install --yes --no-install-recommends ./nvidia-prestart-hook_*.deb \
                       ./fake-nvidia-container-cli_*.deb >/dev/null\n";
        self.run(&format!("{install}{SIMULATED}{script}"))
    }

    /// The same with the rpm packages; the database does not know what else is installed.
    pub fn run_on_rpm(&self, script: &str) -> String {
        let install = "rpm --install --nodeps nvidia-prestart-hook-*.rpm fake-nvidia-container-cli-*.rpm\n";
        self.run(&format!("{install}{SIMULATED}{script}"))
    }
}
