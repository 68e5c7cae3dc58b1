//! What the build files of Bazel and Nix repeat must match Cargo.toml and the build scripts: the version, the
//! toolchain, the suites without a test harness, the options of the driver's libraries. Reads the repository. Must not
//! know how the programs work.

use std::collections::BTreeSet;

use hook_test_support::programs;
use libtest_mimic::Trial;
use toml_edit::{DocumentMut, Item};

use crate::test;

/// The tests.
pub fn tests() -> Vec<Trial> {
    vec![
        test("docs: bazel has the version of the workspace", bazel_has_the_version_of_the_workspace),
        test("docs: bazel knows the suites without a harness", bazel_knows_the_suites_without_a_harness),
        test("docs: bazel leaves out the suites of a feature", bazel_leaves_out_the_suites_of_a_feature),
        test("docs: bazel makes the driver's libraries as cargo does", bazel_makes_the_libraries_as_cargo_does),
        test("docs: bazel reads the manifest of every member", bazel_reads_the_manifest_of_every_member),
        test("docs: what a registry of bazel gets is of this module", the_registry_entry_is_of_this_module),
        test("docs: nixpkgs gets a package for every program", nixpkgs_gets_every_program),
    ]
}

fn text(path: &str) -> String {
    std::fs::read_to_string(programs::source(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of MODULE.bazel; `None` under a Bazel older than modules, whose runfiles lack it.
fn module() -> Option<String> {
    let path = programs::source("MODULE.bazel");
    path.exists().then(|| text("MODULE.bazel"))
}

fn manifest() -> DocumentMut {
    text("Cargo.toml").parse().unwrap()
}

/// The quoted words of a list that follows a name.
fn words_behind(text: &str, name: &str) -> BTreeSet<String> {
    let list = text.split_once(&format!("{name} = [")).unwrap().1.split_once(']').unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn bazel_has_the_version_of_the_workspace() {
    let manifest = manifest();
    let version = manifest["workspace"]["package"]["version"].as_str().unwrap();
    assert!(text("bazel/defs.bzl").contains(&format!("\nVERSION = \"{version}\"\n")));
    assert!(module().is_none_or(|module| module.contains(&format!("    version = \"{version}\",\n"))));
}

fn bazel_knows_the_suites_without_a_harness() {
    let manifest = manifest();
    let suites = manifest["test"].as_array_of_tables().unwrap().iter();
    let without = suites.filter(|suite| suite.get("harness").and_then(Item::as_bool) == Some(false));
    let without: BTreeSet<String> = without.map(|suite| suite["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(words_behind(&text("BUILD.bazel"), "without_harness"), without);
}

fn bazel_leaves_out_the_suites_of_a_feature() {
    let manifest = manifest();
    let suites = manifest["test"].as_array_of_tables().unwrap().iter();
    let asks = |suite: &&toml_edit::Table| match suite.get("required-features").and_then(Item::as_array) {
        Some(features) => !features.is_empty(),
        None => false,
    };
    let left_out = suites.filter(asks).map(|suite| format!("tests/{}.rs", suite["name"].as_str().unwrap()));
    let build = text("BUILD.bazel");
    assert_eq!(words_behind(build.split_once("suites(").unwrap().1, "exclude"), left_out.collect());
}

fn bazel_reads_the_manifest_of_every_member() {
    let manifest = manifest();
    let members = manifest["workspace"]["members"].as_array().unwrap().iter().filter_map(|member| member.as_str());
    let labels = members.map(|member| format!("//{member}:Cargo.toml"));
    let labels: BTreeSet<String> = labels.chain(["//:Cargo.toml".to_owned()]).collect();
    assert!(module().is_none_or(|module| words_behind(&module, "manifests") == labels));
}

/// The entry's templates parse once they are filled in, and name what MODULE.bazel and the BUILD files name.
fn the_registry_entry_is_of_this_module() {
    let filled = |path: &str| {
        let text = text(&format!("packages/bazel/{path}"));
        let pieces: Vec<&str> = text.split('@').collect();
        // Words between two `@`; the `@` of a label has no second one.
        let is_word = |piece: &str| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        pieces.iter().map(|piece| if is_word(piece) { "1" } else { piece }).collect::<String>()
    };
    let json = |path: &str| serde_json::from_str::<serde_json::Value>(&filled(path)).unwrap();
    let metadata = json("metadata.json");
    assert!(metadata["maintainers"][0]["github_user_id"].is_u64() && metadata["yanked_versions"].is_object());
    let source = json("source.json");
    let prefix = source["strip_prefix"].as_str().unwrap();
    assert!(source["url"].as_str().unwrap().ends_with(&format!("/{prefix}.tar.gz")), "{source}");
    let presubmit = text("packages/bazel/presubmit.yml");
    let lines = presubmit.lines().filter(|line| !line.trim_start().starts_with('#'));
    let yaml = nvidia_hookctl::yaml::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap();
    let targets = yaml["tasks"]["programs"]["build_targets"].as_array().unwrap();
    let name = targets[0].as_str().unwrap().trim_start_matches('@').split_once("//").unwrap().0.to_owned();
    assert!(module().is_none_or(|module| module.contains(&format!("    name = \"{name}\",\n"))));
    for target in targets {
        let label = target.as_str().unwrap().split_once("//").unwrap().1;
        let (folder, program) = label.split_once(':').unwrap_or((label, label.rsplit('/').next().unwrap()));
        let build = text(format!("{folder}/BUILD.bazel").trim_start_matches('/'));
        assert!(build.contains(&format!("rust_binary(\n    name = \"{program}\",")), "{label}");
    }
    let test_module = &yaml["bcr_test_module"];
    let place = programs::source(&format!("{}/BUILD.bazel", test_module["module_path"].as_str().unwrap()));
    let test = test_module["tasks"]["simulator"]["test_targets"][0].as_str().unwrap();
    // A separate module, whose files Bazel hides from this one's tests, as it hides those of the gate.
    if programs::source(".ci/run").exists() {
        let build = std::fs::read_to_string(place).unwrap();
        assert!(build.contains(&format!("name = \"{}\"", test.trim_start_matches("//:"))));
    }
}

fn nixpkgs_gets_every_program() {
    let flake = text("flake.nix");
    let programs = flake.split_once("programs = {").unwrap().1.split_once('}').unwrap().0;
    for (name, folder) in programs.lines().filter_map(|line| line.trim().trim_end_matches(';').split_once(" = ")) {
        let package = text(&format!("packages/nixpkgs/pkgs/by-name/{}/{name}/package.nix", &name[..2]));
        assert!(package.contains(&format!("mainProgram = \"{name}\";")), "{name}");
        let manifest = text(&format!("{}/Cargo.toml", folder.trim_matches('"')));
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
        assert!(package.contains(&format!("--package={name}\"")), "{name}");
    }
}

/// Options that Bazel need not give: rules_rust sets them, or the target does not come up.
const CARGO_ONLY: [&str; 1] = ["-Clink-self-contained=no"];

fn bazel_makes_the_libraries_as_cargo_does() {
    let build = text("fake-nvidia-container-cli/libraries/build.rs");
    let bazel = text("bazel/standalone.bzl");
    let is_option = |word: &&str| ["-C", "--cap-lints", "--cfg"].iter().any(|begin| word.starts_with(begin));
    let is_whole = |word: &&str| !word.contains('{') && !word.ends_with('=') && !CARGO_ONLY.contains(word);
    let of_cargo: BTreeSet<String> = build.split('"').filter(is_option).filter(is_whole).map(str::to_owned).collect();
    let lists = ["_CRATE", "_CRATE_AARCH64", "_LIBRARY"];
    let of_bazel: BTreeSet<String> = lists.iter().flat_map(|name| words_behind(&bazel, name)).collect();
    assert_eq!(of_bazel, of_cargo);
    let linker = build.split_once("let options = ").unwrap().1.split(';').next().unwrap();
    assert!(bazel.contains(&format!("_LINKER = {linker}\n")), "{linker}");
}
