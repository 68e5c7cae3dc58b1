# NixOS: the hook, the file that makes Podman and CRI-O start it, and its configuration, which nvidia-hookctl checks when
# the system is built. Knows nothing of GPUs: the driver or module-fake.nix provides them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.hardware.nvidia-container-runtime-hook;
  hooksDir = "/etc/containers/oci/hooks.d";
  format = pkgs.formats.toml { };

  configFile = pkgs.runCommand "nvidia-container-runtime-hook-config.toml" { } ''
    cp ${format.generate "config.toml" cfg.settings} "$out"
    ${lib.getExe pkgs.buildPackages.nvidia-hookctl} check --config "$out"
  '';

  hook = {
    version = "1.0.0";
    hook = {
      path = lib.getExe cfg.package;
      args = [
        "nvidia-container-runtime-hook"
        "prestart"
      ];
      # Engines start hooks with only these variables. No empty entry, which would be the working directory.
      env = [ "PATH=${lib.concatStringsSep ":" cfg.path}" ];
    };
    when = {
      always = true;
      commands = [ ".*" ];
    };
    stages = [ "prestart" ];
  };
in
{
  options.hardware.nvidia-container-runtime-hook = {
    enable = lib.mkEnableOption "the NVIDIA OCI prestart hook for Podman and CRI-O";

    package = lib.mkPackageOption pkgs "nvidia-container-runtime-hook" { };

    cliPackage = lib.mkOption {
      type = lib.types.package;
      default = pkgs.libnvidia-container;
      defaultText = lib.literalExpression "pkgs.libnvidia-container";
      example = lib.literalExpression "pkgs.pkgsStatic.fake-nvidia-container-cli";
      description = "The package whose main program is the `nvidia-container-cli` that the hook becomes.";
    };

    path = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ "/run/current-system/sw/bin" ];
      description = "`PATH` of the hook and so of `nvidia-container-cli`.";
    };

    settings = lib.mkOption {
      type = format.type;
      default = { };
      example = lib.literalExpression ''
        {
          accept-nvidia-visible-devices-envvar-when-unprivileged = false;
          nvidia-container-cli.no-cgroups = true;
        }
      '';
      description = ''
        What stands in `/etc/nvidia-container-runtime/config.toml`. A value that the hook would refuse, or a key that
        it does not know, is reported when the system is built.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [
      cfg.package
      pkgs.nvidia-hookctl
    ];

    # Where NixOS keeps the programs that the hook looks for under /usr and /sbin on other systems.
    hardware.nvidia-container-runtime-hook.settings.nvidia-container-cli = {
      path = lib.mkDefault (lib.getExe cfg.cliPackage);
      ldconfig = lib.mkDefault "@${lib.getExe' (lib.getBin pkgs.glibc) "ldconfig"}";
    };

    environment.etc."nvidia-container-runtime/config.toml".source = configFile;
    environment.etc."containers/oci/hooks.d/oci-nvidia-hook.json".text = builtins.toJSON hook;

    virtualisation.containers.containersConf.settings.engine.hooks_dir = [ hooksDir ];
    virtualisation.cri-o.settings = lib.mkIf config.virtualisation.cri-o.enable {
      crio.runtime.hooks_dir = [ hooksDir ];
    };
  };
}
