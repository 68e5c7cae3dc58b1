//! The program `fake-nvidia-container-cli`; all of it is in the library beside this file.

fn main() -> std::process::ExitCode {
    fake_nvidia_container_cli::main()
}
