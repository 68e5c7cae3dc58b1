# run-suites.sh TEST_PROGRAMS SUITE... [-- ARGUMENT...]
#
# Runs test programs out of test-programs.nix the way `cargo test` does: each in its package's folder, below the folder
# this starts in. HOOK_BIN, FAKE_NVIDIA_CONTAINER_CLI and FIXTURES_DIR say what they test; see tests/support/src/programs.rs.
# A suite is called FOLDER/NAME; `SUITE` may be a pattern, and `!SUITE` takes some away. Fails when none is meant.
set -euo pipefail

tests=$1
shift
suites=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  suites+=("$1")
  shift
done
arguments=("${@:2}")
top=$PWD
export HOME=/homeless-shelter TERM=dumb

wanted() {
  local suite=$1 verdict=1 pattern
  for pattern in "${@:2}"; do
    # shellcheck disable=SC2053 # patterns
    case $pattern in
      !*) [[ $suite != ${pattern#!} ]] || verdict=1 ;;
      *) [[ $suite != $pattern ]] || verdict=0 ;;
    esac
  done
  return $verdict
}

ran=0
while IFS=$'\t' read -r suite folder; do
  wanted "$folder/$suite" "${suites[@]}" || continue
  echo "suite $suite"
  mkdir -p "$top/$folder"
  (cd "$top/$folder" && CARGO_MANIFEST_DIR=$PWD RUST_TEST_THREADS=${NIX_BUILD_CORES:-1} "$tests/bin/$folder/$suite" "${arguments[@]}")
  ran=$((ran + 1))
done <"$tests/suites"

if [ "$ran" = 0 ]; then
  echo "no suite is called: ${suites[*]}" >&2
  exit 1
fi
