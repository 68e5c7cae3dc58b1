//! Installing, swapping and removing with dnf and zypper, on a copy of this machine whose database knows only a shell.

use super::documents::blocks;
use super::machine::Machine;
use super::{nvidia, rpm};

const HOOK: &str = "/usr/bin/nvidia-container-runtime-hook";
/// There is no one to answer prompts.
const YES: &str = "printf '[main]\\nassumeyes=True\\n' >/etc/dnf/dnf.conf\n\
    zypper() { command zypper --non-interactive \"$@\"; }\n";

/// A machine with stand-ins for a shell and for NVIDIA's package.
fn machine() -> Machine {
    let (machine, work) = (Machine::new(), tempfile::TempDir::new().unwrap());
    machine.take(rpm::shell(work.path()).as_ref());
    machine.take(nvidia::rpm(work.path()).as_ref());
    machine
}

/// Runs commands whose output goes to standard error, then `after`, whose output is returned.
fn run(before: &str, block: &str, after: &str) -> String {
    machine().run(&format!("{YES}{{ {before}\n{block}\n}} >&2\n{after}"))
}

#[test]
fn what_is_shown_for_dnf_works() {
    for block in blocks("docs/install.md", "tested with dnf") {
        let after = "rpm --verify nvidia-prestart-hook\ndnf remove nvidia-prestart-hook >&2\n\
                     ls -d /usr/bin/nvidia-* /etc/nvidia-* /usr/share/nvidia-* 2>/dev/null || echo nothing";
        assert_eq!(run("dnf install ./shell.rpm", &block, after), "nothing\n");
    }
}

#[test]
fn dnf_swaps_the_published_hook_and_back() {
    for block in blocks("docs/install.md", "tested with dnf and the published hook") {
        let before = "dnf install ./shell.rpm ./nvidia-container-toolkit.rpm";
        let after = format!(
            "rpm --verify nvidia-prestart-hook\n{HOOK} -version | sed 's/ version .*//;q'\n\
             dnf swap nvidia-prestart-hook ./nvidia-container-toolkit.rpm >&2\n{HOOK}\nnvidia-container-toolkit"
        );
        assert_eq!(run(before, &block, &after), "NVIDIA Container Runtime Hook\npublished\npublished\n");
    }
}

#[test]
fn what_is_shown_for_zypper_works() {
    for block in blocks("docs/install.md", "tested with zypper") {
        let after = "zypper remove nvidia-prestart-hook >&2\n\
                     ls -d /usr/bin/nvidia-* /etc/nvidia-* /usr/share/nvidia-* 2>/dev/null || echo nothing";
        let before = "zypper install --allow-unsigned-rpm ./shell.rpm";
        assert_eq!(run(before, &block, after), "nothing\n");
    }
}
