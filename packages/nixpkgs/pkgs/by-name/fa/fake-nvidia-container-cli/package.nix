{
  stdenv,
  rustPlatform,
  nvidia-container-runtime-hook,
  versionCheckHook,
}:

rustPlatform.buildRustPackage {
  pname = "fake-nvidia-container-cli";
  # Of one source, and so of one version.
  inherit (nvidia-container-runtime-hook) version src cargoDeps;

  cargoBuildFlags = [
    "--package=fake-nvidia-container-cli"
  ];

  # The tests want the whole workspace's programs.
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
