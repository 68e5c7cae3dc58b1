# How a release was made: https://slsa.dev/spec/v1.0/provenance. This text is what gets signed, so it contains neither a
# build time nor a host name.
{
  _type: "https://in-toto.io/Statement/v1",
  subject: [
    $sums | split("\n")[] | select(length > 0)
    | capture("^(?<sha256>[0-9a-f]{64})  (?<name>.+)$")
    | { name, digest: { sha256 } }
  ],
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: {
    buildDefinition: {
      buildType: "urn:nvidia-container-runtime-hook:release:1",
      externalParameters: {
        command: ".ci/release DIR",
        version: $version,
        machine: $machine,
        programs: (if $programs == "" then ".ci/reproducible build" else "given by PROGRAMS_DIR" end)
      },
      internalParameters: ({ SOURCE_DATE_EPOCH: $time } + if $programs == "" then { rustc: ($rustc | split("\n")) } else {} end),
      resolvedDependencies: [
        { name: "source", digest: { gitCommit: $commit } },
        { name: "Cargo.lock", digest: { sha256: $lock } }
      ]
    },
    runDetails: { builder: { id: $builder } }
  }
}
