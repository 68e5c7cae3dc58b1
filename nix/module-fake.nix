# NixOS: simulated GPUs behind the hook, to test a configuration with GPU containers on any machine. The fake stands in for
# nvidia-container-cli, and for nvidia-smi inside containers.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.hardware.fake-nvidia-container-cli;
  format = pkgs.formats.toml { };
in
{
  options.hardware.fake-nvidia-container-cli = {
    enable = lib.mkEnableOption "simulated NVIDIA GPUs in place of a driver";

    # Static: it also becomes a program inside containers, which have no /nix/store.
    package = lib.mkPackageOption pkgs [ "pkgsStatic" "fake-nvidia-container-cli" ] { };

    settings = lib.mkOption {
      type = format.type;
      default = { };
      example = {
        topology = "a100-mig";
        record = "/run/fake-nvidia.jsonl";
      };
      description = "What stands in `/etc/fake-nvidia/config.toml`: the GPUs, what is done to containers, failures.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc."fake-nvidia/config.toml".source = format.generate "config.toml" cfg.settings;

    hardware.fake-nvidia-container-cli.settings.apply = lib.mkDefault "mounts";
    hardware.nvidia-container-runtime-hook = {
      enable = lib.mkDefault true;
      cliPackage = cfg.package;
    };
  };
}
