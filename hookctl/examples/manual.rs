//! Writes the man pages and shell completions below target/manual for packages; the programs carry neither.
//! `cargo manual` runs it. The pages and completions of nvidia-hookctl come from the same definitions as its help. The
//! page of the hook, whose command line is Go's, is docs/nvidia-container-runtime-hook.8.
#![allow(clippy::disallowed_methods, reason = "a tool of the build, which writes files")]

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use nvidia_hookctl::arguments::Arguments;

const NAME: &str = "nvidia-hookctl";
const HOOK_PAGE: &str = include_str!("../../docs/nvidia-container-runtime-hook.8");

fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args_os().nth(1).unwrap_or_else(|| OsString::from("target/manual"));
    let target = PathBuf::from(target);
    fs::create_dir_all(target.join("completions"))?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        generate_to(shell, &mut Arguments::command(), NAME, target.join("completions"))?;
    }
    fs::create_dir_all(target.join("man8"))?;
    fs::write(target.join("man8/nvidia-container-runtime-hook.8"), HOOK_PAGE)?;
    let whole = Arguments::command();
    page(&target, NAME, whole.clone())?;
    for command in whole.get_subcommands() {
        // Names live as long as the program, which ends here.
        let name: &'static str = Box::leak(format!("{NAME}-{}", command.get_name()).into_boxed_str());
        page(&target, name, command.clone().name(name).bin_name(format!("{NAME} {}", command.get_name())))?;
    }
    Ok(())
}

fn page(target: &Path, name: &str, command: Command) -> Result<(), Box<dyn Error>> {
    let mut text = Vec::new();
    Man::new(command.version(env!("CARGO_PKG_VERSION"))).section("8").render(&mut text)?;
    fs::write(target.join("man8").join(format!("{name}.8")), text)?;
    Ok(())
}
