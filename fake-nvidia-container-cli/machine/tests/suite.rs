//! The suite of simulated machines: properties of the device selection and of the requirement language.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests fail the test"
)]

mod suite {
    mod requirement;
    mod select;
}
