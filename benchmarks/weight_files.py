"""Memory and time for weights files: python -m benchmarks.weight_files [NET.prototxt]

Each of the four (load and save, .caffemodel and .caffemodel.h5) runs in a process of its own.
Memory is the peak above what the process held before, the net and its weights included, divided by
the size of the file: 1 is one extra copy. Time is divided by that of merely reading (or writing and
flushing) as many bytes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.nets import NETS

NET = NETS / "voc-fcn8s.prototxt"  # 134 million weights: 540 MB
CALLS = {"load": "copy_from", "save": "save", "load_h5": "load_hdf5", "save_h5": "save_hdf5"}
BUFFER = bytes(2**24)


def resident(field):
    """Bytes of `field` of this process: VmRSS (now) or VmHWM (the peak). Linux only."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise ValueError(f"/proc/self/status has no {field}")


def measure(call):
    """(bytes at the peak above those before, seconds) of one call."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start = resident("VmRSS"), perf_counter()
    call()
    return resident("VmHWM") - before, perf_counter() - start


def plain_read(path):
    """Seconds to read the file and forget it."""
    start = perf_counter()
    with open(path, "rb", buffering=0) as f:
        into = bytearray(len(BUFFER))
        while f.readinto(into):
            pass
    return perf_counter() - start


def plain_write(path, size):
    """Seconds to write `size` bytes to a new file."""
    start = perf_counter()
    with open(path, "wb", buffering=0) as f:
        for at in range(0, size, len(BUFFER)):
            f.write(BUFFER[: size - at])
    return perf_counter() - start


def child(what, definition, path):
    """In a process of its own: print peak bytes and seconds of one of CALLS."""
    import caffe

    net = caffe.Net(definition, caffe.TEST)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = 1  # every page is there before
    print(*measure(lambda: getattr(net, CALLS[what])(path)))


def rows(definition, folder):
    """[(call, bytes of the file, peak bytes, seconds, seconds of plain reading or writing)]."""
    found = []
    for what in ("save", "load", "save_h5", "load_h5"):
        path = os.path.join(folder, "weights.caffemodel" + ".h5" * what.endswith("h5"))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.weight_files",
                "--child",
                what,
                str(definition),
                path,
            ],
            check=True,
            capture_output=True,
            text=True,
            cwd=NETS.parent,
        )
        peak, seconds = done.stdout.split()
        size = os.path.getsize(path)
        plain = (
            plain_write(os.path.join(folder, "plain"), size) if "save" in what else plain_read(path)
        )
        found.append((what, size, int(peak), float(seconds), plain))
    return found


def main():
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("net", nargs="?", type=Path, default=NET, help="a definition (FCN-8s)")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(*args.child)
    print(f"{'':10}{'file':>10}{'memory / file':>16}{'time / plain':>15}{'seconds':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for what, size, peak, seconds, plain in rows(args.net.resolve(), folder):
            print(
                f"{what:10}{size / 1e6:7.0f} MB{peak / size:16.2f}{seconds / plain:15.1f}"
                f"{seconds:10.2f}"
            )


if __name__ == "__main__":
    main()
