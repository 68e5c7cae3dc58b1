{
  stdenv,
  lib,
  rustPlatform,
  installShellFiles,
  nvidia-container-runtime-hook,
  versionCheckHook,
}:

rustPlatform.buildRustPackage {
  pname = "nvidia-hook-conformance";
  # All programs share one source, and so one version.
  inherit (nvidia-container-runtime-hook) version src cargoDeps;

  cargoBuildFlags = [
    "--package=nvidia-hook-conformance"
    "--bins"
    # They write the manual.
    "--examples"
  ];

  nativeBuildInputs = [ installShellFiles ];

  # The tests need the programs of the whole workspace.
  doCheck = false;

  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    target/${stdenv.hostPlatform.rust.cargoShortTarget}/release/examples/man > nvidia-hook-conformance.1
    installManPage nvidia-hook-conformance.1
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
    mainProgram = "nvidia-hook-conformance";
  };
}
