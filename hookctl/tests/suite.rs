//! Every test of nvidia-hookctl: its cases, its agreement with the hook over the hook's own cases, and the documents
//! that show its output.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes the machines that it looks at"
)]

extern crate nvidia_container_runtime_hook as hook;

mod suite {
    pub mod agreement;
    pub mod capture;
    pub mod cases;
    pub mod check;
    pub mod docs;
    pub mod doctor;
    pub mod driver_root;
    pub mod explain;
    pub mod nodes;
    pub mod oci_hook;
    pub mod schemas;
    pub mod usage;
    pub mod why;
}
