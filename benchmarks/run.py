"""Time the stages of FCN-8s on this machine: python -m benchmarks.run [--repeats N] [NET ...].

All figures are ratios of medians from interleaved measurements in one run. They are therefore
comparable between machines and under load. Seconds are printed for orientation only.

voc-fcn8s runs on small frames here. Its deep stage takes more time than its share of multiply-adds:
reading the 400 MB of fc6's weights takes longer than applying them at a few positions.
"""

import argparse

import torch

from benchmarks.engine import bfloat16, overhead
from benchmarks.nets import staged_net
from benchmarks.stages import stage_shares

# net: (height and width of the frames, None for those of the prototxt; repeats)
NETS = {
    "miniature-cityscapes-fcn8s-light": (None, 5),
    "camvid-fcn8s-light": ((180, 240), 5),
    "voc-fcn8s": ((64, 64), 1),
}
LIGHT = "miniature-cityscapes-fcn8s-light"  # for the engine and precision benchmarks


def report(name: str, repeats: int, size: tuple[int, int] | None) -> None:
    """Print the table of one net's stages; parameters as for `staged_net` and `stage_shares`."""
    net = staged_net(name, size)
    rows, seconds = stage_shares(net, repeats)
    height, width = net.blobs["data"].shape[2:]
    print(f"\n{name}, frames of {height} x {width} (a full pass: {seconds:.2g} s)")
    print(f"  {'stage':10}{'time':>8}{'multiply-adds':>16}")
    for stage, time, macs in rows:
        print(f"  {stage:10}{time:8.1%}{macs:16.1%}")


def main() -> None:
    """Parse the command line and print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "nets", nargs="*", metavar="NET", help=f"of {', '.join(NETS)} (default: all)"
    )
    parser.add_argument("--repeats", type=int, help="measurements of each call")
    args = parser.parse_args()
    unknown = [name for name in args.nets if name not in NETS]
    if unknown:
        parser.error(f"no net {unknown[0]!r}: choose from {', '.join(NETS)}")
    print(
        f"PyTorch {torch.__version__}, {torch.get_num_threads()} thread(s). "
        "Shares of a full pass, medians of one run."
    )
    for name in args.nets or NETS:
        size, repeats = NETS[name]
        report(name, args.repeats or repeats, size)
    net, repeats = staged_net(LIGHT), args.repeats or NETS[LIGHT][1]
    print(f"\n{LIGHT}, full pass")
    print(f"  against the same net in plain torch calls  {overhead(net, repeats):5.2f}")
    print(f"  in bfloat16 against float32                {bfloat16(net, repeats):5.2f}")


if __name__ == "__main__":
    main()
