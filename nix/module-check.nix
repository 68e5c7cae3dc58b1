# What the NixOS modules write, built and read back: the hook accepts its configuration and the hook file names
# programs that are there. `refused` is a configuration that must not build: ci/nix/verify sees to it.
{
  self,
  nixpkgs,
  pkgs,
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;

  etcOf =
    modules:
    (nixpkgs.lib.nixosSystem {
      modules = modules ++ [
        {
          nixpkgs.hostPlatform = system;
          system.stateVersion = "26.05";
        }
      ];
    }).config.environment.etc;

  real = etcOf [
    self.nixosModules.default
    {
      hardware.nvidia-container-runtime-hook = {
        enable = true;
        settings = {
          accept-nvidia-visible-devices-envvar-when-unprivileged = false;
          nvidia-container-cli.environment = [ "A=\"quoted\" \\ value" ];
          nvidia-container-runtime.modes.legacy.cuda-compat-mode = "mount";
        };
      };
    }
  ];
  simulated = etcOf [
    self.nixosModules.fake
    {
      hardware.fake-nvidia-container-cli = {
        enable = true;
        settings.topology = "h100";
      };
    }
  ];

  refused = etcOf [
    self.nixosModules.default
    {
      hardware.nvidia-container-runtime-hook = {
        enable = true;
        settings.nvidia-container-cli.no-cgroups = "yes";
      };
    }
  ];

  fileOf = etc: name: etc.${name}.source;
  hookFile = "containers/oci/hooks.d/oci-nvidia-hook.json";
  configFile = "nvidia-container-runtime/config.toml";
in
pkgs.runCommand "nvidia-container-runtime-hook-nixos-module"
  {
    nativeBuildInputs = [ pkgs.jq ];
    passthru.refused = fileOf refused configFile;
  }
  ''
    for file in ${fileOf real hookFile} ${fileOf simulated hookFile}; do
      test -x "$(jq --exit-status --raw-output .hook.path "$file")"
      jq --exit-status '.stages == ["prestart"] and .hook.args[1] == "prestart"' "$file"
    done

    # Made by the hook's own `check`, so there at all.
    grep -F '"environment" = ["A=\"quoted\" \\ value"]' ${fileOf real configFile}
    grep -F '"path" = "${nixpkgs.lib.getExe self.packages.${system}.fake-nvidia-container-cli-static}"' ${fileOf simulated configFile}
    grep -F '"topology" = "h100"' ${fileOf simulated "fake-nvidia/config.toml"}
    touch "$out"
  ''
