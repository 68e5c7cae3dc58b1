//! CDI names, `VENDOR/CLASS=NAME` (Container Device Interface specification, "Kind" and "Devices"). Must not know any
//! device.

/// Whether a text is a fully qualified CDI name.
#[must_use]
pub fn is_qualified(name: &str) -> bool {
    let Some((kind, device)) = name.split_once('=') else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    is_qualifier(vendor) && is_qualifier(class) && is_device(device)
}

/// A vendor or a class: begins with a letter and ends with a letter or digit; `_`, `-` and `.` are also allowed in
/// between.
fn is_qualifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// A device: begins and ends with a letter or digit; `_`, `-`, `.` and `:` are also allowed in between.
fn is_device(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::is_qualified;

    #[test]
    fn names_follow_the_specification() {
        for name in ["nvidia.com/gpu=0", "a/b=c", "NVIDIA.com/gpu=all", "v/c=0:1", "v_x/c-d=GPU-1.2"] {
            assert!(is_qualified(name), "{name}");
        }
        for name in [
            "",
            "0",
            "nvidia.com/gpu",
            "nvidia.com/gpu=",
            "-x/gpu=0",
            "x./gpu=0",
            "x/_g=0",
            "x/g=0=1",
            "/g=0",
            "x/y/z=0",
        ] {
            assert!(!is_qualified(name), "{name}");
        }
    }
}
