//! The built-in machines, each a TOML file in `builtin`: they are examples as much as data.

/// Name and text of each.
pub const ALL: [(&str, &str); 14] = [
    ("none", include_str!("builtin/none.toml")),
    ("t4", include_str!("builtin/t4.toml")),
    ("l40s", include_str!("builtin/l40s.toml")),
    ("a100", include_str!("builtin/a100.toml")),
    ("a100-mig", include_str!("builtin/a100-mig.toml")),
    ("h100", include_str!("builtin/h100.toml")),
    ("h100-mig", include_str!("builtin/h100-mig.toml")),
    ("b200", include_str!("builtin/b200.toml")),
    ("gb200", include_str!("builtin/gb200.toml")),
    ("laptop", include_str!("builtin/laptop.toml")),
    ("mixed", include_str!("builtin/mixed.toml")),
    ("v100x16", include_str!("builtin/v100x16.toml")),
    ("empty", include_str!("builtin/empty.toml")),
    ("gpu-lost", include_str!("builtin/gpu-lost.toml")),
];
