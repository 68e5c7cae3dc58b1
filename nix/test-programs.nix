# Every test program that `cargo test` would run, compiled and not run: bin/FOLDER/SUITE, `suites` (which lists each with the
# folder it starts in) and the same as a nextest archive; and the program that writes the manual. An edit of a fixture does not come here.
{
  lib,
  rustPlatform,
  cargo-nextest,
  jq,
}:
let
  manifest = lib.importTOML ../Cargo.toml;
in
rustPlatform.buildRustPackage {
  pname = "${manifest.package.name}-tests";
  inherit (manifest.workspace.package) version;

  src = (import ./source.nix { inherit lib; }).tests;
  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [
    cargo-nextest
    jq
  ];
  # Nobody debugs these: a third of the size.
  env.CARGO_PROFILE_DEV_DEBUG = "0";

  buildPhase = ''
    runHook preBuild
    cargo test --no-run --offline -j "$NIX_BUILD_CORES" --message-format=json > messages.json
    cargo nextest archive --offline --archive-file tests.tar.zst
    runHook postBuild
  '';

  # They run in package.nix and in the checks, beside the fixtures and the programs under test.
  dontCargoCheck = true;

  installPhase = ''
    runHook preInstall
    mkdir -p "$out/bin"
    cp tests.tar.zst "$out"
    install -D target/debug/examples/manual "$out/libexec/manual"
    jq --raw-output '
      select(.reason == "compiler-artifact" and .profile.test and .executable != null)
      | [.target.name, .executable, .manifest_path] | @tsv
    ' messages.json | sort | while IFS=$'\t' read -r suite program manifest; do
      folder=$(realpath --relative-to="$PWD" "$(dirname "$manifest")")
      install -D -m 755 "$program" "$out/bin/$folder/$suite"
      printf '%s\t%s\n' "$suite" "$folder" >> "$out/suites"
    done
    runHook postInstall
  '';

  meta = {
    description = "The test programs of the hook and the fake";
    license = lib.licenses.asl20;
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
