# What is checked beside the packages, which run their own tests. `nix flake check` runs all of it.
{
  self,
  nixpkgs,
  pkgs,
}:
let
  inherit (nixpkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) system;
  hook = self.packages.${system}.default;
  fake = self.packages.${system}.fake-nvidia-container-cli;
  source = import ./source.nix { inherit lib; };
  inherit (hook) testPrograms;

  # The sources and vendored dependencies of the test programs, with another step.
  cargoCheck =
    name: tools: command:
    testPrograms.overrideAttrs (old: {
      pname = "${hook.pname}-${name}";
      src = source.lints;
      nativeBuildInputs = old.nativeBuildInputs ++ tools;
      buildPhase = command;
      installPhase = "touch $out";
    });

  # Test programs on the packages, in a copy of a source.
  underTest =
    name: source: tools: command:
    pkgs.runCommand "${hook.pname}-${name}"
      {
        nativeBuildInputs = tools;
        HOOK_BIN = lib.getExe hook;
        FAKE_NVIDIA_CONTAINER_CLI = lib.getExe fake;
      }
      ''
        cp --recursive --no-preserve=mode ${source} source
        cd source
        export FIXTURES_DIR=$PWD/fixtures
        ${command}
        touch $out
      '';
in
{
  clippy = cargoCheck "clippy" [ pkgs.clippy ] ''
    cargo clippy --workspace --all-targets --offline -- --deny warnings
  '';

  fmt = cargoCheck "fmt" [ pkgs.rustfmt ] ''
    cargo fmt --all --check
  '';

  # Every test that `cargo test` runs, each in a process of its own; its last line has their number.
  nextest = underTest "nextest" source.repository [ pkgs.cargo-nextest ] ''
    export HOME=$PWD NEXTEST_HIDE_PROGRESS_BAR=1
    cargo-nextest nextest run --archive-file ${testPrograms}/tests.tar.zst --workspace-remap . --no-fail-fast \
      --color never --status-level fail --final-status-level fail
  '';

  conformance = underTest "conformance" source.repository [ ] ''
    bash ${./run-suites.sh} ${testPrograms} ./conformance ./suite fake-nvidia-container-cli/suite
  '';

  tidy = underTest "tidy" source.repository [ ] ''
    bash ${./run-suites.sh} ${testPrograms} ${lib.escapeShellArgs (import ./repository-suites.nix)}
  '';

  demo = pkgs.runCommand "${hook.pname}-demo" { } ''
    ${self.apps.${system}.demo.program} | tee "$out"
    grep --quiet configure "$out"
  '';

  nixos-module = import ./module-check.nix { inherit self nixpkgs pkgs; };
}
