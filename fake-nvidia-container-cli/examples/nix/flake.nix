# Somebody else's project: a test of a program that calls nvidia-container-cli, on eight simulated GPUs.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  inputs.hook.url = "path:../../.."; # wherever this repository is
  inputs.hook.inputs.nixpkgs.follows = "nixpkgs";

  outputs =
    { nixpkgs, hook, ... }:
    let
      pkgs = nixpkgs.legacyPackages.x86_64-linux;
      fake = hook.packages.x86_64-linux.fake-nvidia-container-cli;
    in
    {
      checks.x86_64-linux.default = pkgs.runCommand "gpus" { nativeBuildInputs = [ fake ]; } ''
        export FAKE_NVIDIA_TOPOLOGY=h100 FAKE_NVIDIA_RECORD=$PWD/record.jsonl
        # The program under test: here, a call that asks for one GPU.
        nvidia-container-cli configure --device=1 --utility --pid=$$ "$PWD"
        grep '"devices":"1"' record.jsonl
        touch "$out"
      '';
    };
}
