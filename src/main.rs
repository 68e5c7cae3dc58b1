//! The program `nvidia-container-runtime-hook`.
fn main() {}
