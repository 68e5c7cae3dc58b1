# Stands in for nixpkgs where it cannot be fetched: as much of its interface as this repository's flakes use, on the
# host's own toolchain. `ci/nix/verify` writes host.json, which says where that is. What it cannot show is in
# docs/build.md.
{
  description = "As much of nixpkgs as this repository uses, on the host's toolchain";

  outputs =
    { self }:
    let
      lib = import ./lib.nix;
      pkgsFor = system: overlays: import ./. { inherit system overlays; };
    in
    {
      lib = lib // {
        nixosSystem = { modules }: lib.nixosSystem { inherit modules pkgsFor; };
      };
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: pkgsFor system [ ]);
    };
}
