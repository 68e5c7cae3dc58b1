//! Writes the inputs that a target begins with into the folder that SEEDS_INTO names. No target itself.

use std::path::PathBuf;

fn main() {
    let folder = std::env::var_os("SEEDS_INTO").map(PathBuf::from).unwrap_or_default();
    let target = std::env::args().nth(1).unwrap_or_default();
    for (at, seed) in hook_properties::seeds::of(&target).iter().enumerate() {
        if let Err(why) = std::fs::write(folder.join(format!("seed-{at}")), seed) {
            eprintln!("{}: {why}", folder.display());
            std::process::exit(1);
        }
    }
}
