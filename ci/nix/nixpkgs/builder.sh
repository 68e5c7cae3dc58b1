# The builder of every derivation of the stand-in: the phases of nixpkgs' stdenv and the steps of its Rust hooks that
# nix/ relies on, in their order, with their names.
set -euo pipefail

export PATH=$hostPath TZ=UTC LC_ALL=C.UTF-8 HOME=/homeless-shelter SOURCE_DATE_EPOCH=315532800
for input in ${nativeBuildInputs-}; do PATH=$input/bin:$PATH; done

runHook() {
  if declare -F "$1" >/dev/null; then "$1"; else eval "${!1-}"; fi
}

installManPage() {
  local page
  for page; do install -D -m 644 -t "$out/share/man/man${page##*.}" "$page"; done
}

installShellCompletion() { # --cmd NAME --bash FILE --fish FILE --zsh FILE
  local name=$2
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
      --bash) install -D -m 644 "$2" "$out/share/bash-completion/completions/$name" ;;
      --fish) install -D -m 644 "$2" "$out/share/fish/vendor_completions.d/$name.fish" ;;
      --zsh) install -D -m 644 "$2" "$out/share/zsh/site-functions/_$name" ;;
    esac
    shift 2
  done
}

unpackPhase() {
  cp -r "$src" source
  chmod -R u+w source
  cd source
}

patchPhase() {
  runHook postPatch
  [ -n "${cargoDeps-}" ] || return 0
  # Where no configuration in the source can hide it.
  mkdir -p "$NIX_BUILD_TOP/.cargo" "$NIX_BUILD_TOP/cargo-home"
  export CARGO_HOME=$NIX_BUILD_TOP/cargo-home
  cp -r "$cargoDeps" "$NIX_BUILD_TOP/cargo-vendor-dir"
  local flags=
  [ -z "${rustStatic-}" ] || flags='rustflags = ["-C", "target-feature=+crt-static"]'
  cat >"$NIX_BUILD_TOP/.cargo/config.toml" <<CARGO
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$NIX_BUILD_TOP/cargo-vendor-dir"
[target.$rustTarget]
linker = "$(type -P cc)"
$flags
CARGO
}

buildPhase() {
  [ -n "${cargoDeps-}" ] || return 0
  runHook preBuild
  export CARGO_PROFILE_RELEASE_STRIP=false
  # shellcheck disable=SC2086 # words
  cargo build --offline -j "$NIX_BUILD_CORES" --target "$rustTarget" --release \
    ${cargoBuildNoDefaultFeatures:+--no-default-features} ${cargoBuildFlags-}
  runHook postBuild
}

installPhase() {
  runHook preInstall
  find "target/$rustTarget/release" -maxdepth 1 -type f -executable -exec install -D -t "$out/bin" {} +
  runHook postInstall
}

fixupPhase() {
  local file
  find "$out" -type f -perm -0100 | while read -r file; do
    if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then strip -S -p "$file"; fi
  done
}

runPhase() { # a phase given as text comes before the one of that name
  echo "Running phase: $1" >&2
  if [ -n "${!1-}" ]; then eval "${!1}"; else "$1"; fi
}

if [ -n "${buildCommandPath-}" ]; then
  # shellcheck disable=SC1090
  source "$buildCommandPath"
elif [ -n "${buildCommand-}" ]; then
  eval "$buildCommand"
else
  runPhase unpackPhase
  runPhase patchPhase
  [ -n "${dontBuild-}" ] || runPhase buildPhase
  if [ -n "${doCheck-}" ] && [ -n "${checkPhase-}" ]; then runPhase checkPhase; fi
  runPhase installPhase
  [ -n "${dontFixup-}" ] || runPhase fixupPhase
fi
