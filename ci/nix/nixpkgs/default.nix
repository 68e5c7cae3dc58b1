# The packages: mkDerivation, buildRustPackage and the few builders beside them, run by builder.sh on the programs of
# the host. A program that a flake of this repository names is one word in `hostPrograms`.
{
  system,
  overlays ? [ ],
  static ? false,
}:
let
  lib = import ./lib.nix;
  host = builtins.fromJSON (builtins.readFile ./host.json);
  cpu = builtins.head (builtins.split "-" system);

  platform = rec {
    inherit system;
    isStatic = static;
    canExecute = other: other.system == system;
    # Where the toolchain has no std for musl, static means glibc linked statically.
    rust.cargoShortTarget = "${cpu}-unknown-linux-${
      if static && (host.musl || system != host.system) then "musl" else "gnu"
    }";
  };

  base =
    self:
    let
      mkDerivation =
        arguments:
        let
          # What is not for the builder.
          forBuilder = removeAttrs arguments [
            "env"
            "meta"
            "passthru"
          ];
          flatten =
            value:
            if builtins.isList value then
              map flatten value
            else if value ? outPath then
              "${value}"
            else
              value;
          drv = derivation (
            builtins.mapAttrs (_: flatten) (forBuilder // arguments.env or { })
            // {
              inherit system;
              name = arguments.name or "${arguments.pname}-${arguments.version}";
              builder = "${host.prefix}/bin/bash";
              args = [ ./builder.sh ];
              outputs = [ "out" ];
              hostPath = host.path;
            }
          );
        in
        drv
        // arguments.passthru or { }
        // {
          inherit arguments;
          pname = arguments.pname or arguments.name;
          nativeBuildInputs = arguments.nativeBuildInputs or [ ];
          meta = arguments.meta or { };
          overrideAttrs = f: mkDerivation (arguments // f arguments);
        };

      hostProgram =
        name: programs:
        mkDerivation {
          inherit name programs;
          buildCommand = ''
            mkdir -p "$out/bin"
            for program in $programs; do
              real=$(type -P "$program") || real=${host.prefix}/bin/false
              ln -s "$real" "$out/bin/$program"
            done
          '';
          meta.mainProgram = lib.last ([ name ] ++ lib.optional (!lib.elem name programs) (lib.head programs));
        };
      hostPrograms =
        lib.genAttrs [
          "cargo-nextest"
          "jq"
          "rust-analyzer"
          "rustfmt"
        ] (name: hostProgram name [ name ])
        // {
          clippy = hostProgram "clippy" [
            "cargo-clippy"
            "clippy-driver"
          ];
          glibc = hostProgram "glibc" [ "ldconfig" ];
          libnvidia-container = hostProgram "libnvidia-container" [ "nvidia-container-cli" ];
          nixfmt-tree = hostProgram "treefmt" [ "treefmt" ];
          busybox = hostProgram "busybox" [ "busybox" ];
        };

      # A crate is a file that is in the store already, put there by its checksum in Cargo.lock.
      crate =
        package:
        derivation {
          name = "${package.name}-${package.version}.crate";
          inherit system;
          builder = "${host.prefix}/bin/false";
          outputHashMode = "flat";
          outputHashAlgo = "sha256";
          outputHash = package.checksum;
        };
      vendor =
        lockFile:
        self.runCommand "cargo-vendor-dir"
          {
            crates = map crate (builtins.filter (p: p ? source) (lib.importTOML lockFile).package);
            sums = map (p: p.checksum) (builtins.filter (p: p ? source) (lib.importTOML lockFile).package);
          }
          ''
            sums=($sums)
            mkdir -p "$out"
            for crate in $crates; do
              tar -xf "$crate" -C "$out"
              name=$(basename "$crate" .crate)
              printf '{"files":{},"package":"%s"}' "''${sums[0]}" >"$out/''${name#*-}/.cargo-checksum.json"
              sums=("''${sums[@]:1}")
            done
          '';
      buildRustPackage =
        arguments:
        mkDerivation (
          {
            doCheck = true;
            cargoBuildType = "release";
          }
          // removeAttrs arguments [
            "cargoLock"
            "buildNoDefaultFeatures"
          ]
          // {
            cargoDeps = vendor arguments.cargoLock.lockFile;
            cargoBuildNoDefaultFeatures = arguments.buildNoDefaultFeatures or false;
            rustTarget = platform.rust.cargoShortTarget;
            rustStatic = static;
          }
        );
    in
    hostPrograms
    // {
      inherit lib mkDerivation;
      stdenv = {
        inherit mkDerivation;
        hostPlatform = platform;
        buildPlatform = platform;
      };
      stdenvNoCC = self.stdenv;
      buildPackages = self;
      # builder.sh has its functions.
      installShellFiles = self.runCommand "install-shell-files" { } "mkdir $out";
      pkgsStatic =
        if static then
          self
        else
          import ./. {
            inherit system overlays;
            static = true;
          };
      callPackage = lib.callPackageWith self;

      rustPlatform = {
        inherit buildRustPackage;
        rustLibSrc = self.runCommand "rust-lib-src" { } "mkdir $out";
      };

      runCommand =
        name: arguments: buildCommand:
        mkDerivation (
          arguments
          // {
            inherit name buildCommand;
            passAsFile = [ "buildCommand" ] ++ arguments.passAsFile or [ ];
          }
        );
      writeText =
        name: text:
        self.runCommand name {
          inherit text;
          passAsFile = [ "text" ];
        } ''cp "$textPath" "$out"'';
      writeShellApplication =
        {
          name,
          text,
          runtimeEnv ? { },
          runtimeInputs ? [ ],
        }:
        self.runCommand name
          {
            script = ''
              #!${host.prefix}/bin/bash
              set -euo pipefail
              PATH=${lib.makeBinPath runtimeInputs}:$PATH
              ${lib.concatLines (lib.mapAttrsToList (n: v: "export ${n}=${lib.escapeShellArg v}") runtimeEnv)}
              ${text}
            '';
            passAsFile = [ "script" ];
            meta.mainProgram = name;
          }
          ''
            install -D -m 755 "$scriptPath" "$out/bin/${name}"
          '';
      mkShell =
        { packages, inputsFrom, ... }:
        mkDerivation {
          name = "nix-shell";
          nativeBuildInputs = packages ++ builtins.concatMap (p: p.nativeBuildInputs) inputsFrom;
          buildCommand = "export >$out";
        };

      formats.toml = _: { type = lib.types.toml; };
      dockerTools.buildImage = { name, ... }: self.writeText name "an image";
      # The machines are evaluated, down to every file in their /etc; nothing is run.
      testers.runNixOSTest =
        test:
        let
          machine =
            node:
            (lib.nixosSystem {
              pkgsFor =
                system: overlays:
                import ./. {
                  inherit system overlays;
                };
              modules = [
                node
                { nixpkgs.hostPlatform = system; }
              ];
            }).config;
          written = node: lib.mapAttrsToList (_: file: "${file.source}") (machine node).environment.etc;
        in
        self.runCommand "vm-test-${test.name}" {
          inherit (test) testScript;
          files = builtins.concatMap written (builtins.attrValues test.nodes);
        } "echo 'a machine needs KVM' >&2; exit 1";
    };
in
let
  self = builtins.foldl' (
    packages: overlay: packages // overlay self packages
  ) (base self) overlays;
in
self
