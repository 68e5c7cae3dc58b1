# A machine with eight simulated GPUs: Podman starts containers through the hook, and each sees what it was given. It
# needs KVM: `nix build .#legacyPackages.x86_64-linux.vm-test`.
{ module }:
{
  name = "nvidia-container-runtime-hook";

  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ module ];

      virtualisation.podman.enable = true;
      hardware.fake-nvidia-container-cli = {
        enable = true;
        settings = {
          topology = "a100";
          record = "/run/fake-nvidia.jsonl";
        };
      };

      # An image from the store: the machine has no network.
      environment.etc."image.tar".source = pkgs.dockerTools.buildImage {
        name = "shell";
        tag = "test";
        copyToRoot = [ pkgs.pkgsStatic.busybox ];
      };
      environment.systemPackages = [ pkgs.jq ];
    };

  testScript = ''
    machine.wait_for_unit("multi-user.target")
    machine.succeed("podman load -i /etc/image.tar")
    run = "podman run --rm --network=none"

    with subtest("the configuration is one that the hook accepts"):
        machine.succeed("nvidia-hookctl check")

    with subtest("a container that asks for no GPU gets none"):
        machine.succeed(f"{run} shell:test /bin/true")
        machine.fail("test -e /run/fake-nvidia.jsonl")

    with subtest("a container sees the one GPU that it asked for"):
        listed = machine.succeed(
            f"{run} -e NVIDIA_VISIBLE_DEVICES=1 -e NVIDIA_DRIVER_CAPABILITIES=utility shell:test nvidia-smi -L"
        )
        assert listed.count("GPU ") == 1, listed
        machine.succeed("jq --exit-status '.argv | index(\"--device=1\")' /run/fake-nvidia.jsonl")

    with subtest("a requirement that the driver does not meet stops the container, and says why"):
        status, output = machine.execute(
            f"{run} -e NVIDIA_VISIBLE_DEVICES=all -e NVIDIA_REQUIRE_CUDA='cuda>=99.0' shell:test /bin/true 2>&1"
        )
        assert status != 0 and "unsatisfied condition" in output, output
  '';
}
