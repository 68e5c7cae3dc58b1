"""What the packages of this repository have in common: the version, and how a test suite finds what it tests."""

load("@crates//:defs.bzl", "aliases", "all_crate_deps")
load("@rules_rust//rust:defs.bzl", "rust_test")

# tests/suite/build_files.rs compares it with Cargo.toml.
VERSION = "0.1.0"

EDITION = "2024"

# The simulator's library and the crates of this repository that it consists of. Every target that uses it, directly or not,
# lists them all: rules differ in whether a crate finds its transitive dependencies.
SIMULATOR = [
    "//fake-nvidia-container-cli:fake_nvidia_container_cli",
    "//fake-nvidia-container-cli/given:nvidia_simulated_given",
    "//fake-nvidia-container-cli/libraries:nvidia_simulated_libraries",
    "//fake-nvidia-container-cli/machine:nvidia_simulated_machine",
]

# Cargo sets these when it compiles tests; here the environment names the programs when the tests run.
_CARGO_ONLY = {
    "CARGO_BIN_EXE_fake-nvidia-container-cli": "/given/by/FAKE_NVIDIA_CONTAINER_CLI",
    "CARGO_BIN_EXE_nvidia-container-runtime-hook": "/given/by/HOOK_BIN",
    "CARGO_BIN_EXE_nvidia-hook-conformance": "/given/by/CONFORMANCE_BIN",
    "CARGO_BIN_EXE_nvidia-hookctl": "/given/by/HOOKCTL_BIN",
}

def suites(files, without_harness = [], data = [], deps = [], shared = []):
    """A target NAME_test for each test program `tests/NAME.rs`, run as cargo would.

    Args:
      files: the files, `tests/NAME.rs`.
      without_harness: the names of those that are not made of `#[test]` functions.
      data: what it reads beside the programs and the fixtures.
      deps: what it uses beside the crates of Cargo.toml.
      shared: modules that several suites have in common.
    """
    for file in files:
        name = file[len("tests/"):-len(".rs")]
        _suite(name, file, name not in without_harness, data, deps, shared)

def _suite(name, root, harness, data, deps, shared):
    rust_test(
        # Not the bare name: `docs` is a folder next to it.
        name = name + "_test",
        srcs = [root] + shared,
        aliases = aliases(
            normal = True,
            normal_dev = True,
            proc_macro = True,
            proc_macro_dev = True,
        ),
        # rstest looks up its own name there.
        compile_data = ["Cargo.toml"],
        crate_root = root,
        data = data + [
            "//:fixtures",
            "//:nvidia-container-runtime-hook",
            "//conformance:nvidia-hook-conformance",
            "//fake-nvidia-container-cli",
            "//hookctl:nvidia-hookctl",
        ],
        edition = EDITION,
        env = {
            "CARGO_MANIFEST_DIR": native.package_name() or ".",
            "CONFORMANCE_BIN": "$(rootpath //conformance:nvidia-hook-conformance)",
            "FAKE_NVIDIA_CONTAINER_CLI": "$(rootpath //fake-nvidia-container-cli)",
            "FIXTURES_DIR": "fixtures",
            "HOOKCTL_BIN": "$(rootpath //hookctl:nvidia-hookctl)",
            "HOOK_BIN": "$(rootpath //:nvidia-container-runtime-hook)",
        },
        proc_macro_deps = all_crate_deps(
            proc_macro = True,
            proc_macro_dev = True,
        ),
        rustc_env = _CARGO_ONLY,
        # For a busy machine: on an idle one the longest suite runs for a minute.
        timeout = "long",
        use_libtest_harness = harness,
        version = VERSION,
        deps = deps + all_crate_deps(
            normal = True,
            normal_dev = True,
        ),
    )
