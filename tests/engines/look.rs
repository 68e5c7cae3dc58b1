//! What a container finds when it looks around, and the script that looks: devices by nvidia-smi, by an NVML client and
//! by their nodes, libraries by the linker's cache, and every trace of a GPU in a container that should have none.

/// The libraries that are looked up in the linker's cache, one for each capability.
pub const LIBRARIES: [&str; 5] =
    ["libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-encode.so.1", "libGLX_nvidia.so.0", "libnvidia-ngx.so.1"];

/// Looks around, in busybox's shell. A list is a title and lines, and ends with the next title.
const SCRIPT: &str = r"
echo '[smi]'; command -v nvidia-smi >/dev/null && nvidia-smi -L
echo '[nvml]'; /bin/nvml 2>/dev/null
echo '[nodes]'; for n in /dev/nvidia[0-9]*; do test -e $n && echo ${n#/dev/}; done
echo '[channels]'; for n in /dev/nvidia-caps-imex-channels/channel*; do test -e $n && echo ${n##*channel}; done
echo '[libraries]'; /sbin/ldconfig -p | grep -F libc6,x86-64 | grep -oE 'LIBRARIES'
echo '[driver]'; readlink /usr/lib/ARCH-linux-gnu/libcuda.so.1
echo '[traces]'; ls -d /dev/nvidia* /proc/driver/nvidia /usr/bin/nvidia* /etc/nvidia /run/nvidia* 2>/dev/null; grep -c nvidia /proc/self/mounts
echo '[end]'
";

/// The whole script: it looks, then does what the scenario says.
pub fn script(then: &str) -> String {
    // The cache of another architecture uses another name.
    let look = SCRIPT.replace("x86-64", if cfg!(target_arch = "aarch64") { "AArch64" } else { "x86-64" });
    let look = look.replace("ARCH", std::env::consts::ARCH).replace("LIBRARIES", &LIBRARIES.join("|"));
    format!("{look}{then}")
}

/// The first line of every container that has started.
pub const STARTED: &str = "[smi]";

/// What was found.
#[derive(Debug)]
pub struct Look<'a>(&'a str);

impl<'a> Look<'a> {
    /// The output of a container; nothing if it did not finish.
    pub fn of(stdout: &'a str) -> Option<Look<'a>> {
        stdout.contains("[end]\n").then_some(Look(stdout))
    }

    /// The lines below a title.
    pub fn list(&self, title: &str) -> Vec<&'a str> {
        let lines = self.0.lines().skip_while(|line| line.trim_matches(['[', ']']) != title);
        lines.skip(1).take_while(|line| !line.starts_with('[')).collect()
    }

    /// The UUIDs that nvidia-smi lists; for a GPU with parts, only those of its parts.
    pub fn smi(&self) -> Vec<&'a str> {
        let lines = self.list("smi");
        let is_part = |line: &str| line.starts_with("  MIG");
        let chosen = lines
            .iter()
            .enumerate()
            .filter(|(at, line)| is_part(line) || !lines.get(at + 1).is_some_and(|next| is_part(next)));
        chosen.filter_map(|(_, line)| line.split_once("UUID: ").map(|(_, rest)| rest.trim_end_matches(')'))).collect()
    }

    /// The driver libraries that were looked up and are in the linker's cache.
    pub fn libraries(&self) -> Vec<&'static str> {
        let found = self.list("libraries");
        LIBRARIES.into_iter().filter(|name| found.contains(name)).collect()
    }
}
