# One program, compiled: what package.nix tests and hands out. An edit of a test or a fixture does not come here.
{
  lib,
  rustPlatform,
  stdenv,

  # A package of the workspace and its program, which have one name.
  program ? "nvidia-container-runtime-hook",
}:
let
  manifest = lib.importTOML ../Cargo.toml;
  source = import ./source.nix { inherit lib; };
  isHook = program == manifest.package.name;

  # Cargo wants a file for every target that Cargo.toml names, also for those that are not built.
  absent = [
    "conformance/src/lib.rs"
    "fake-nvidia-container-cli/src/lib.rs"
    "fake-nvidia-container-cli/src/main.rs"
    "fake-nvidia-container-cli/tests/vectors.rs"
    "fake-nvidia-container-cli/machine/src/lib.rs"
    "tests/support/src/lib.rs"
  ]
  ++ map (target: target.path or "tests/${target.name}.rs") (manifest.test or [ ])
  ++ map (target: target.path or "benches/${target.name}.rs") (manifest.bench or [ ]);
in
rustPlatform.buildRustPackage {
  pname = "${program}-unwrapped";
  inherit (manifest.workspace.package) version;

  src = if isHook then source.hook else source.programs;
  postPatch = ''
    for file in ${lib.escapeShellArgs absent}; do
      [ -e "$file" ] || install -D /dev/null "$file"
    done
  '';

  cargoLock.lockFile = ../Cargo.lock;
  cargoBuildFlags = [
    # Alone: not one dependency of another package is compiled into the hook.
    "--package=${program}"
  ];

  # That it starts. The suites run over this very file in package.nix.
  checkPhase = ''
    runHook preCheck
    "target/${stdenv.hostPlatform.rust.cargoShortTarget}/$cargoBuildType/${program}" --version
    runHook postCheck
  '';

  meta = {
    description = "The program ${program}, before its tests";
    license = lib.licenses.asl20;
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    mainProgram = program;
  };
}
