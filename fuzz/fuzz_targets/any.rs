//! Every target in one program, which is linked once: FUZZ_TARGET says which one runs. With SEEDS_INTO it first writes
//! the initial inputs into that folder, which libFuzzer then reads. The properties are in fuzz/properties.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use hook_properties::{Property, seeds, target};

static PROPERTY: OnceLock<Property> = OnceLock::new();

fn property() -> Property {
    *PROPERTY.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let property = target(&name);
        if let Some(folder) = std::env::var_os("SEEDS_INTO") {
            for (at, seed) in seeds::of(&name).iter().enumerate() {
                std::fs::write(Path::new(&folder).join(format!("seed-{at}")), seed).unwrap();
            }
        }
        property
    })
}

libfuzzer_sys::fuzz_target!(init: property(), |data: &[u8]| property()(data));
