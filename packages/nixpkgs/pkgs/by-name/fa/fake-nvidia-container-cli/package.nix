{
  stdenv,
  rustPlatform,
  nvidia-container-runtime-hook,
  versionCheckHook,
}:

rustPlatform.buildRustPackage {
  pname = "fake-nvidia-container-cli";
  # All programs share one source, and so one version.
  inherit (nvidia-container-runtime-hook) version src cargoDeps;

  cargoBuildFlags = [
    "--package=fake-nvidia-container-cli"
  ];

  # The tests need the programs of the whole workspace.
  doCheck = false;

  postInstall = ''
    # The name by which it is called.
    ln -s fake-nvidia-container-cli "$out/bin/nvidia-container-cli"
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
    mainProgram = "fake-nvidia-container-cli";
  };
}
