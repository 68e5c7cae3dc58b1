//! Writes the man page of nvidia-hook-conformance to standard output: `cargo run -p nvidia-hook-conformance --example man`.

use std::io::{self, Write};

use clap::CommandFactory;
use nvidia_hook_conformance::arguments::Arguments;

fn main() -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    io::stdout().write_all(&page)
}
