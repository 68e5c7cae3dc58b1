{
  stdenv,
  lib,
  rustPlatform,
  installShellFiles,
  nvidia-container-runtime-hook,
  versionCheckHook,
}:

rustPlatform.buildRustPackage {
  pname = "nvidia-hookctl";
  # All programs share one source, and so one version.
  inherit (nvidia-container-runtime-hook) version src cargoDeps;

  cargoBuildFlags = [
    "--package=nvidia-hookctl"
    "--bins"
    # They write the manual.
    "--examples"
  ];

  nativeBuildInputs = [ installShellFiles ];

  # The tests need the programs of the whole workspace.
  doCheck = false;

  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    target/${stdenv.hostPlatform.rust.cargoShortTarget}/release/examples/manual manual
    installManPage manual/man8/nvidia-hookctl*
    installShellCompletion --cmd nvidia-hookctl \
      --bash manual/completions/nvidia-hookctl.bash \
      --fish manual/completions/nvidia-hookctl.fish \
      --zsh manual/completions/_nvidia-hookctl
  '';

  doInstallCheck = stdenv.buildPlatform.canExecute stdenv.hostPlatform;
  nativeInstallCheckInputs = [ versionCheckHook ];

  meta = {
    inherit (nvidia-container-runtime-hook.meta)
      homepage
      changelog
      license
      maintainers
      platforms
      ;
    description = "@DESCRIPTION@";
    mainProgram = "nvidia-hookctl";
  };
}
