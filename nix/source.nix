# What each derivation reads, so that an edit rebuilds only what it can change: README and docs belong to none of the
# programs, fixtures to none of the compilations. Knows paths and nothing of how they are built.
{ lib }:
let
  root = ../.;
  inherit (lib) fileset;
  # Those of a kind, below a folder that need not be there.
  filesOf =
    extension: path:
    fileset.intersection (optional path) (fileset.fileFilter (file: file.hasExt extension) root);
  optional = path: fileset.maybeMissing (root + path);

  toSource =
    sets:
    fileset.toSource {
      inherit root;
      fileset = fileset.difference (fileset.unions sets) (
        fileset.fileFilter (file: file.name == "BUILD.bazel") root
      );
    };

  # Without its sources, the fake is still a member that cargo must find.
  manifests = fileset.unions [
    (root + "/Cargo.toml")
    (root + "/Cargo.lock")
    (root + "/conformance/Cargo.toml")
    (root + "/fake-nvidia-container-cli/Cargo.toml")
    (root + "/fake-nvidia-container-cli/machine/Cargo.toml")
    (root + "/tests/support/Cargo.toml")
  ];
  hook = fileset.unions [
    manifests
    (root + "/build.rs")
    (root + "/link")
    (root + "/src")
  ];
  programs = fileset.unions [
    hook
    (root + "/fake-nvidia-container-cli")
  ];
  tests = fileset.unions [
    programs
    (optional "/conformance")
    (optional "/tests")
    (optional "/benches")
    (filesOf "rs" "/examples")
  ];
in
{
  hook = toSource [ hook ];
  programs = toSource [ programs ];
  tests = toSource [ tests ];
  # What the suites read. A schema is a contract that cases are held against; documents are not read here.
  fixtures = toSource [
    (optional "/fixtures")
    (filesOf "json" "/docs")
  ];

  # What the suites read that look at the repository itself.
  repository = fileset.toSource {
    inherit root;
    fileset = root;
  };

  # What the formatter and the linter read.
  lints = toSource [
    tests
    (root + "/clippy.toml")
    (root + "/rustfmt.toml")
  ];
}
