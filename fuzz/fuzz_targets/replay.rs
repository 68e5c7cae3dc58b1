//! The target `replay`: what must hold is in fuzz/properties.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hook_properties::target("replay")(data));
