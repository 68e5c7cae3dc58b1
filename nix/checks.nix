# Checks besides the packages: the repository as a whole, and the files that the NixOS modules write.
{ self, pkgs }:
let
  inherit (pkgs) lib;
  inherit (pkgs.stdenv.hostPlatform) system;
  packages = self.packages.${system};

  # A package with its vendored dependencies, but on the whole repository and with another build step.
  cargo =
    name: tools: command:
    packages.default.overrideAttrs (old: {
      pname = "${old.pname}-${name}";
      src = self;
      nativeBuildInputs = old.nativeBuildInputs ++ tools;
      buildPhase = command;
      installPhase = "touch $out";
      doInstallCheck = false;
    });

  etc =
    modules:
    (self.inputs.nixpkgs.lib.nixosSystem {
      modules = modules ++ [
        {
          nixpkgs.hostPlatform = system;
          system.stateVersion = lib.trivial.release;
        }
      ];
    }).config.environment.etc;
  hookFile = modules: (etc modules)."containers/oci/hooks.d/oci-nvidia-hook.json".source;
in
packages
// {
  clippy = cargo "clippy" [ pkgs.clippy ] ''
    cargo clippy --workspace --all-targets --offline -- --deny warnings
  '';

  fmt = cargo "fmt" [ pkgs.rustfmt ] ''
    cargo fmt --all --check
  '';

  # Every suite that `cargo test --workspace` runs, on the programs as they are packaged.
  tests = cargo "tests" [ ] ''
    export HOOK_BIN=${lib.getExe packages.default}
    export CONFORMANCE_BIN=${lib.getExe packages.nvidia-hook-conformance}
    export HOOKCTL_BIN=${lib.getExe packages.nvidia-hookctl}
    export FAKE_NVIDIA_CONTAINER_CLI=${lib.getExe packages.fake-nvidia-container-cli}
    cargo test --workspace --offline
  '';

  nixos-module =
    pkgs.runCommand "nvidia-container-runtime-hook-nixos-module" { nativeBuildInputs = [ pkgs.jq ]; }
      ''
        for file in ${
          hookFile [
            self.nixosModules.default
            { hardware.nvidia-container-runtime-hook.enable = true; }
          ]
        } ${
          hookFile [
            self.nixosModules.fake
            { hardware.fake-nvidia-container-cli.enable = true; }
          ]
        }; do
          test -x "$(jq --exit-status --raw-output .hook.path "$file")"
          jq --exit-status '.stages == ["prestart"] and .hook.args[1] == "prestart"' "$file"
        done
        touch "$out"
      '';
}
