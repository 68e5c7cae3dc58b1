# `cargo demo` without cargo: the suite in its showing mode, on the hook that was built.
{
  lib,
  callPackage,
  writeShellApplication,

  hook,
}:
let
  fake = callPackage ./program.nix { program = "fake-nvidia-container-cli"; };
in
writeShellApplication {
  name = "demo";
  runtimeEnv = {
    HOOK_BIN = lib.getExe hook;
    FAKE_NVIDIA_CONTAINER_CLI = lib.getExe fake;
    FIXTURES_DIR = "${(import ./source.nix { inherit lib; }).fixtures}/fixtures";
  };
  text = ''exec ${hook.testPrograms}/bin/./suite --show "$@"'';
}
