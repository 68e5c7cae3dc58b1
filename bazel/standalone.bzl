"""The simulated driver's libraries: crates without std, linked into shared libraries that need nothing but the kernel.

Under cargo, fake-nvidia-container-cli/libraries/build.rs calls rustc for them; here they are ordinary targets, for the
target platform and by the toolchain of every other target. tests/suite/build_files.rs holds the options equal.
"""

load("@rules_rust//rust:defs.bzl", "rust_library", "rust_shared_library")
load(":defs.bzl", "EDITION", "VERSION")

_CRATE = [
    "--cap-lints=allow",
    "--cfg=standalone",
    "-Copt-level=s",
    "-Cpanic=abort",
    "-Ccodegen-units=1",
    "-Coverflow-checks=off",
    "-Cdebug-assertions=off",
]

# Otherwise atomics would be functions that ask a C library about the processor.
_CRATE_AARCH64 = ["-Ctarget-feature=-outline-atomics"]

# rules_rust leaves out bitcode, which link-time optimization needs.
_BITCODE = ["-Cembed-bitcode=yes"]

_LIBRARY = [
    "-Clto=fat",
    "-Cstrip=symbols",
    "-Ctarget-feature=-crt-static",
    "-Clink-arg=-nostdlib",
    "-Clink-arg=-nostartfiles",
]

_LINKER = "-z,defs,-z,now,-z,relro,-z,noexecstack,-Bsymbolic,--hash-style=both,--build-id=none"

def _crate_flags():
    return _CRATE + _BITCODE + select({
        "@platforms//cpu:aarch64": _CRATE_AARCH64,
        "//conditions:default": [],
    })

def standalone_crate(name, srcs, compile_data = [], deps = []):
    """A crate that the libraries are made of.

    Args:
      name: the target, and the crate.
      srcs: its sources.
      compile_data: what the sources include.
      deps: other standalone crates.
    """
    rust_library(
        name = name,
        srcs = srcs,
        compile_data = compile_data,
        edition = EDITION,
        rustc_flags = _crate_flags(),
        version = VERSION,
        deps = deps,
    )

def standalone_library(name, soname, srcs, deps, compile_data = []):
    """A shared library that loads anywhere: no C library, no start-up code, nothing left to look up.

    Args:
      name: the target, and the crate.
      soname: the name that the linker knows the library by.
      srcs: its sources.
      deps: standalone crates.
      compile_data: what the sources include.
    """
    rust_shared_library(
        name = name,
        srcs = srcs,
        compile_data = compile_data,
        edition = EDITION,
        # No C++ library, which the toolchain adds to every link.
        features = ["-default_link_libs"],
        rustc_flags = _crate_flags() + _LIBRARY + ["-Clink-arg=-Wl,%s,-soname,%s" % (_LINKER, soname)],
        version = VERSION,
        deps = deps,
    )
