# What is handed out: a program of program.nix after the whole of its tests has passed on that very file. The tests are
# those of test-programs.nix, so an edit of a fixture runs them again and compiles nothing.
{
  lib,
  stdenvNoCC,
  buildPackages,
  callPackage,
  installShellFiles,

  program ? "nvidia-container-runtime-hook",
  compiledProgram ? callPackage ./program.nix { inherit program; },
  # They run where this is built, whatever it is built for.
  testPrograms ? buildPackages.callPackage ./test-programs.nix { },
  # The program that the hook is tested with.
  fakeProgram ? buildPackages.callPackage ./program.nix { program = "fake-nvidia-container-cli"; },
}:
let
  manifest = lib.importTOML ../Cargo.toml;
  source = import ./source.nix { inherit lib; };
  isHook = program == manifest.package.name;

  # Whose suites are whose; each suite is run by one of the packages or by a check of the repository.
  ofFake = [
    "fake-nvidia-container-cli/*"
  ];
  suites =
    (if isHook then [ "*" ] ++ map (suite: "!${suite}") ofFake else ofFake)
    ++ map (suite: "!${suite}") (import ./repository-suites.nix);
in
stdenvNoCC.mkDerivation {
  pname = program;
  inherit (manifest.workspace.package) version;
  src = source.fixtures;

  nativeBuildInputs = [ installShellFiles ];

  dontConfigure = true;
  dontBuild = true;
  # Done where it was compiled; these are the bytes that were tested.
  dontFixup = true;

  doCheck = true;
  checkPhase = ''
    runHook preCheck
    export HOOK_BIN=${if isHook then "${compiledProgram}/bin/${program}" else "/nowhere"}
    export FAKE_NVIDIA_CONTAINER_CLI=${if isHook then lib.getExe fakeProgram else "${compiledProgram}/bin/${program}"}
    export FIXTURES_DIR=$PWD/fixtures
    # Tests that compare documents, which are not here: the checks run them.
    bash ${./run-suites.sh} ${testPrograms} ${lib.escapeShellArgs suites} -- --skip "docs: " --skip suite::documents --skip suite::recipes
    runHook postCheck
  '';

  # Copied, so that what is handed out does not lead back to how it was made.
  installPhase = ''
    runHook preInstall
    cp --recursive ${compiledProgram} "$out"
    chmod --recursive u+w "$out"
  ''
  + lib.optionalString isHook ''
    ${testPrograms}/libexec/manual "$NIX_BUILD_TOP/manual"
    installManPage "$NIX_BUILD_TOP"/manual/man8/*
    installShellCompletion --cmd ${program} \
      --bash "$NIX_BUILD_TOP/manual/completions/${program}.bash" \
      --fish "$NIX_BUILD_TOP/manual/completions/${program}.fish" \
      --zsh "$NIX_BUILD_TOP/manual/completions/_${program}"
  ''
  + lib.optionalString (!isHook) ''
    # Under the name by which it is called.
    ln -s ${program} "$out/bin/nvidia-container-cli"
  ''
  + ''
    runHook postInstall
  '';

  passthru = {
    inherit compiledProgram testPrograms;
  };

  meta = {
    description =
      if isHook then
        manifest.package.description
      else
        (lib.importTOML ../fake-nvidia-container-cli/Cargo.toml).package.description;
    license = lib.licenses.asl20;
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    mainProgram = program;
  };
}
