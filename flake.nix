{
  description = "OCI prestart hook that gives NVIDIA GPUs to containers, and what explains, tests and simulates it";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});

      # The programs, and the folders of their packages.
      programs = {
        nvidia-container-runtime-hook = ".";
        nvidia-hookctl = "hookctl";
        nvidia-hook-conformance = "conformance";
        fake-nvidia-container-cli = "fake-nvidia-container-cli";
      };
    in
    {
      overlays.default =
        final: _prev:
        lib.mapAttrs (_: folder: final.callPackage ./nix/package.nix { inherit folder; }) programs;

      packages = forEachSystem (
        pkgs:
        let
          ours = pkgs.extend self.overlays.default;
          # Linked against musl, to run on a host or in a container of any distribution.
          static = pkgs.pkgsStatic.extend self.overlays.default;
        in
        {
          default = ours.nvidia-container-runtime-hook;
          inherit (ours) nvidia-hookctl nvidia-hook-conformance fake-nvidia-container-cli;
          static = static.nvidia-container-runtime-hook;
          nvidia-hookctl-static = static.nvidia-hookctl;
          fake-nvidia-container-cli-static = static.fake-nvidia-container-cli;
        }
      );

      checks = forEachSystem (pkgs: import ./nix/checks.nix { inherit self pkgs; });

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.stdenv.hostPlatform.system}.default ];
          packages = [
            pkgs.cargo-deny
            pkgs.clippy
            pkgs.rust-analyzer
            pkgs.rustfmt
            pkgs.typos
          ];
          env.RUST_SRC_PATH = "${pkgs.rustPlatform.rustLibSrc}";
        };
      });

      nixosModules = {
        default = {
          imports = [ ./nix/module.nix ];
          nixpkgs.overlays = [ self.overlays.default ];
        };
        # Simulated GPUs, to test a NixOS configuration on a machine without GPUs.
        fake = {
          imports = [
            self.nixosModules.default
            ./nix/module-fake.nix
          ];
        };
      };

      # A virtual machine with simulated GPUs; it needs KVM, so it is not a check.
      legacyPackages = forEachSystem (pkgs: {
        vm-test = pkgs.testers.runNixOSTest (import ./nix/vm-test.nix { module = self.nixosModules.fake; });
      });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
