{
  description = "OCI prestart hook that gives NVIDIA GPUs to containers, and a fake nvidia-container-cli to test with";

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
      packagesOf = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system};

      # The same in the overlay and in `packages`.
      fake = {
        program = "fake-nvidia-container-cli";
      };
      # Linked against musl, so that it runs on a host, or in a container, of any distribution. It is tested by the
      # tests that were compiled for the other packages.
      static =
        pkgs: arguments:
        pkgs.pkgsStatic.callPackage ./nix/package.nix (
          arguments
          // {
            testPrograms = pkgs.callPackage ./nix/test-programs.nix { };
            fakeProgram = pkgs.callPackage ./nix/program.nix fake;
          }
        );
    in
    {
      overlays.default = final: _prev: {
        nvidia-container-runtime-hook = final.callPackage ./nix/package.nix { };
        nvidia-container-runtime-hook-static = static final { };
        fake-nvidia-container-cli = final.callPackage ./nix/package.nix fake;
        fake-nvidia-container-cli-static = static final fake;
      };

      packages = forEachSystem (
        pkgs:
        let
          ours = self.overlays.default pkgs pkgs;
        in
        {
          default = ours.nvidia-container-runtime-hook;
          inherit (ours) fake-nvidia-container-cli fake-nvidia-container-cli-static;
          static = ours.nvidia-container-runtime-hook-static;
        }
      );

      checks = forEachSystem (
        pkgs: packagesOf pkgs // import ./nix/checks.nix { inherit self nixpkgs pkgs; }
      );

      # `nix run .#demo`: the hook on a built-in example, as `cargo demo` shows it.
      apps = forEachSystem (pkgs: {
        demo = {
          type = "app";
          program = lib.getExe (pkgs.callPackage ./nix/demo.nix { hook = (packagesOf pkgs).default; });
          meta.description = "What came in, what was decided and what was executed, on an example";
        };
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ (packagesOf pkgs).default.compiledProgram ];
          packages = [
            pkgs.cargo-nextest
            pkgs.clippy
            pkgs.rust-analyzer
            pkgs.rustfmt
          ];
          env.RUST_SRC_PATH = "${pkgs.rustPlatform.rustLibSrc}";
        };
      });

      nixosModules = {
        default = {
          imports = [ ./nix/module.nix ];
          nixpkgs.overlays = [ self.overlays.default ];
        };
        # Simulated GPUs, for tests of a NixOS configuration on a machine that has none.
        fake = {
          imports = [
            self.nixosModules.default
            ./nix/module-fake.nix
          ];
        };
      };

      # A virtual machine with simulated GPUs; it needs KVM, and so is no check.
      legacyPackages = forEachSystem (pkgs: {
        vm-test = pkgs.testers.runNixOSTest (import ./nix/vm-test.nix { module = self.nixosModules.fake; });
      });

      formatter = forEachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
