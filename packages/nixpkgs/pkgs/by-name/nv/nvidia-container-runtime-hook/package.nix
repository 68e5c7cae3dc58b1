{
  lib,
  stdenv,
  buildPackages,
  rustPlatform,
  fetchFromGitHub,
  installShellFiles,
  nix-update-script,
  versionCheckHook,
}:

rustPlatform.buildRustPackage (finalAttrs: {
  pname = "nvidia-container-runtime-hook";
  version = "@VERSION@";

  src = fetchFromGitHub {
    owner = "@OWNER@";
    repo = "@NAME@";
    tag = "v${finalAttrs.version}";
    hash = "@HASH@";
  };

  cargoHash = "@CARGO_HASH@";

  # Alone, so that another program's features do not reach its dependencies.
  cargoBuildFlags = [ "--package=nvidia-container-runtime-hook" ];

  nativeBuildInputs = [ installShellFiles ];

  # The tests need the programs of the whole workspace; the published cases below run on the installed program.
  doCheck = false;

  postInstall = ''
    installManPage docs/nvidia-container-runtime-hook.8
  '';

  doInstallCheck = stdenv.buildPlatform.canExecute stdenv.hostPlatform;
  nativeInstallCheckInputs = [
    buildPackages.nvidia-hook-conformance
    versionCheckHook
  ];
  # Every case, except that a program with a loader skips the one that forbids a loader.
  postInstallCheck =
    if stdenv.hostPlatform.isStatic then
      ''
        nvidia-hook-conformance "$out/bin/nvidia-container-runtime-hook"
      ''
    else
      ''
        mapfile -t cases < <(nvidia-hook-conformance --list | grep -v the-program-is-static)
        nvidia-hook-conformance "$out/bin/nvidia-container-runtime-hook" "''${cases[@]}"
      '';

  passthru.updateScript = nix-update-script { };

  meta = {
    description = "@DESCRIPTION@";
    homepage = "https://github.com/@REPOSITORY@";
    changelog = "https://github.com/@REPOSITORY@/blob/v${finalAttrs.version}/CHANGELOG.md";
    license = lib.licenses.asl20;
    maintainers = with lib.maintainers; [ "@MAINTAINER@" ];
    mainProgram = "nvidia-container-runtime-hook";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
})
