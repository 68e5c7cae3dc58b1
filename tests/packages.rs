//! The packages that `.ci/release` makes, installed as users install them: into a Debian root, and into a root that has
//! nothing but rpm's database and a shell. `.ci/run` prepares `RELEASE_DIR`, `OLDER_RELEASE_DIR` and `target/debian`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking, says what it skips, and installs packages"
)]

mod packages {
    pub mod aarch64;
    pub mod debian;
    pub mod dnf;
    pub mod documents;
    pub mod engines;
    pub mod images;
    pub mod linters;
    pub mod machine;
    pub mod nvidia;
    pub mod release;
    pub mod root;
    pub mod rpm;
    pub mod start;
    pub mod verify;
}
