# A program of this workspace.
{
  lib,
  stdenv,
  buildPackages,
  rustPlatform,
  installShellFiles,

  # The folder of its package.
  folder ? ".",
}:
let
  root = ../.;
  inherit (lib.importTOML (root + "/${folder}/Cargo.toml")) package;
  isHook = folder == ".";
  isHookctl = folder == "hookctl";
  isFake = folder == "fake-nvidia-container-cli";
  isConformance = folder == "conformance";
  examples = "target/${stdenv.hostPlatform.rust.cargoShortTarget}/release/examples";
  canExecute = stdenv.buildPlatform.canExecute stdenv.hostPlatform;
in
rustPlatform.buildRustPackage {
  pname = package.name;
  inherit ((lib.importTOML (root + "/Cargo.toml")).workspace.package) version;

  # Only what cargo reads: editing a document rebuilds nothing.
  src = lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.difference (lib.fileset.unions [
      (root + "/Cargo.toml")
      (root + "/Cargo.lock")
      (root + "/benches")
      (root + "/build.rs")
      (root + "/conformance")
      (root + "/docs/nvidia-container-runtime-hook.8")
      (root + "/fake-nvidia-container-cli")
      (root + "/fixtures")
      (root + "/fuzz/properties")
      (root + "/hookctl")
      (root + "/src")
      (root + "/tests")
    ]) (lib.fileset.fileFilter (file: file.name == "BUILD.bazel") root);
  };

  cargoLock.lockFile = root + "/Cargo.lock";

  # Alone, so that another package's features do not reach its dependencies.
  cargoBuildFlags = [
    "--package=${package.name}"
  ]
  ++ lib.optionals (isHookctl || isConformance) [
    "--bins"
    # They write the man pages.
    "--examples"
  ];

  nativeBuildInputs = [ installShellFiles ];

  # The tests need the whole repository: the flake's checks run them.
  doCheck = false;

  postInstall =
    lib.optionalString isHook ''
      installManPage docs/${package.name}.8
    ''
    + lib.optionalString isFake ''
      # The name by which it is called.
      ln -s ${package.name} "$out/bin/nvidia-container-cli"
    ''
    + lib.optionalString (isHookctl && canExecute) ''
      ${examples}/manual manual
      installManPage manual/man8/${package.name}*
      installShellCompletion --cmd ${package.name} \
        --bash manual/completions/${package.name}.bash \
        --fish manual/completions/${package.name}.fish \
        --zsh manual/completions/_${package.name}
    ''
    + lib.optionalString (isConformance && canExecute) ''
      ${examples}/man > ${package.name}.1
      installManPage ${package.name}.1
    '';

  # The hook passes every case in the form in which it is packaged.
  doInstallCheck = canExecute;
  installCheckPhase = ''
    runHook preInstallCheck
    "$out/bin/${package.name}" --version
  ''
  + lib.optionalString isHook (
    let
      conformance = lib.getExe buildPackages.nvidia-hook-conformance;
    in
    # A dynamic program has a loader, which one case rules out.
    if stdenv.hostPlatform.isStatic or false then
      ''
        ${conformance} "$out/bin/${package.name}"
      ''
    else
      ''
        mapfile -t cases < <(${conformance} --list | grep -v the-program-is-static)
        ${conformance} "$out/bin/${package.name}" "''${cases[@]}"
      ''
  )
  + ''
    runHook postInstallCheck
  '';

  meta = {
    inherit (package) description;
    license = lib.licenses.asl20;
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    mainProgram = package.name;
  };
}
