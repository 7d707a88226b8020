"""Memory and time for weights files: python -m benchmarks.weight_files [NET.prototxt].

Each of the four calls (load and save, .caffemodel and .caffemodel.h5) runs in its own process.
Memory is the peak of the call above what the process held before (with the net and its weights),
divided by the file size: 1 is one extra copy. Time is divided by that of reading or writing as many
bytes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from nets.weights import FOLDER, find_net

NET = Path(find_net("voc-fcn8s"))  # 134 million weights: 540 MB
CALLS = {"load": "copy_from", "save": "save", "load_h5": "load_hdf5", "save_h5": "save_hdf5"}
BUFFER = bytes(2**24)


class Row(NamedTuple):
    """One line of the table."""

    call: str
    size: int  # of the file, bytes
    peak: int  # bytes above those before the call
    seconds: float
    plain: float  # seconds to read or write as many bytes


def resident(field: str) -> int:
    """Return this process's memory in bytes: VmRSS (current) or VmHWM (peak). Linux only.

    Raises
    ------
    ValueError
        If /proc/self/status has no such field.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise ValueError(f"/proc/self/status has no {field}")


def measure(call: Callable[[], object]) -> tuple[int, float]:
    """Return the peak memory of a call, in bytes above those before, and its seconds."""
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before, start = resident("VmRSS"), perf_counter()
    call()
    return resident("VmHWM") - before, perf_counter() - start


def plain_read(path: os.PathLike[str] | str) -> float:
    """Return the seconds to read the file and discard its content."""
    start = perf_counter()
    with open(path, "rb", buffering=0) as f:
        buffer = bytearray(len(BUFFER))
        while f.readinto(buffer):
            pass
    return perf_counter() - start


def plain_write(path: os.PathLike[str] | str, size: int) -> float:
    """Return the seconds to write `size` bytes to a new file."""
    start = perf_counter()
    with open(path, "wb", buffering=0) as f:
        for start_byte in range(0, size, len(BUFFER)):
            f.write(BUFFER[: size - start_byte])
    return perf_counter() - start


def child(what: str, definition: str, path: str) -> None:
    """Print peak bytes and seconds of one of `CALLS`; runs in its own process."""
    import caffe

    net = caffe.Net(definition, caffe.TEST)
    for blobs in net.params.values():
        for blob in blobs:
            blob.data[...] = 1  # allocates every page before the measurement
    print(*measure(lambda: getattr(net, CALLS[what])(path)))


def measure_all(definition: os.PathLike[str] | str, folder: str) -> list[Row]:
    """Measure all four calls on the net `definition`, with files in `folder`."""
    rows = []
    for what in ("save", "load", "save_h5", "load_h5"):
        ending = ".h5" if what.endswith("h5") else ""
        path = os.path.join(folder, f"weights.caffemodel{ending}")
        command = [sys.executable, "-m", "benchmarks.weight_files", "--child", what]
        process = subprocess.run(
            [*command, str(definition), path],
            check=True,
            capture_output=True,
            text=True,
            cwd=FOLDER.parent,
        )
        peak, seconds = process.stdout.split()
        size = os.path.getsize(path)
        if "save" in what:
            plain = plain_write(os.path.join(folder, "plain"), size)
        else:
            plain = plain_read(path)
        rows.append(Row(what, size, int(peak), float(seconds), plain))
    return rows


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "net", nargs="?", type=Path, default=NET, help="prototxt (default: voc-fcn8s)"
    )
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(*args.child)
        return
    print(f"{'':10}{'file':>10}{'memory / file':>16}{'time / plain':>15}{'seconds':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for row in measure_all(args.net.resolve(), folder):
            print(
                f"{row.call:10}{row.size / 1e6:7.0f} MB{row.peak / row.size:16.2f}"
                f"{row.seconds / row.plain:15.1f}{row.seconds:10.2f}"
            )


if __name__ == "__main__":
    main()
