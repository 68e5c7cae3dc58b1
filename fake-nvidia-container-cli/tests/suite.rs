//! The suite of the simulator. The recorded runs of the real program are in `vectors`; tests that need root and a
//! container engine are in the `engines` suites of the workspace's root.
#![expect(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

mod suite {
    mod agreement;
    pub(crate) mod c_caller;
    mod cdi;
    mod command_line;
    mod cuda;
    mod documents;
    mod driver_root;
    mod hostile;
    pub(crate) mod hostile_root;
    pub(crate) mod libraries;
    mod nodes;
    mod nvml_cases;
    mod nvml_rules;
    mod nvml_wrapper;
    mod program;
    pub(crate) mod programs;
    mod recipes;
    mod record;
    pub(crate) mod sandbox;
    mod smi;
    mod smi_cases;
}
