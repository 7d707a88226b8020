"""Coverage-guided fuzzing with atheris: python -m tests.fuzz.run TARGET [SECONDS]

Each target runs until SECONDS are over or something is found; the input that led there is written
to the current folder as finding-TARGET-...; once its cause is mended, tests.fuzz.cases keeps it
and tests/caffe/test_fuzz_cases.py, or that of tests/datasets, reads it again with each test run. A
new run begins with the cases and seeds. Only Python code guides the search: libhdf5, protobuf and
what Pillow has in C are not instrumented.

The process is started again after ROUND inputs, with what it found so far: under instrumentation
its memory grows with each input, and libFuzzer would take that for a leak.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import cases

CAFFE = ("prototxt", "caffemodel", "hdf5", "rows", "pth", "encoded")  # of targets.py
DATA = ("mat", "image", "names", "manifest")  # of data_targets.py
ROUND = 40_000  # inputs


def corpus(target, folder):
    """Fill a folder with the seeds and the cases of a target."""
    if target in DATA:
        from tests.fuzz.data_targets import seeds

        start = seeds(target)
    else:
        from tests.fuzz.seeds import hostile, seeds

        start = [*seeds(target), *hostile(target)]
    for i, content in enumerate([*start, *cases.load(target)]):
        Path(folder, f"start{i}").write_bytes(content)


def main():
    """Parse the command line, and fuzz in rounds; the exit status is that of the last one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=(*CAFFE, *DATA))
    parser.add_argument("seconds", nargs="?", type=int, default=600)
    parser.add_argument("--corpus", help="folder that inputs of new coverage are kept in")
    parser.add_argument("--round", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.round:
        return fuzz(args.target, args.seconds, args.corpus)
    folder = args.corpus or tempfile.mkdtemp(prefix="clockwork-corpus-")
    os.makedirs(folder, exist_ok=True)
    corpus(args.target, folder)
    start = time.monotonic()
    while (left := int(start + args.seconds - time.monotonic())) > 0:
        command = [sys.executable, "-m", "tests.fuzz.run", args.target, str(left)]
        if status := subprocess.call([*command, "--corpus", folder, "--round"]):
            sys.exit(status)


def fuzz(target, seconds, folder):
    """Instrument the package, and fuzz for one round; this ends the process."""
    import atheris

    if target in DATA:
        with atheris.instrument_imports(include=["datasets", "PIL"]):
            from tests.fuzz.data_targets import TARGETS
    else:
        import torch  # noqa: F401  (before the hooks: it is not what is fuzzed, and it is large)

        with atheris.instrument_imports(include=["caffe", "google.protobuf.text_format"]):
            from tests.fuzz.targets import TARGETS
    atheris.Setup(
        [
            sys.argv[0],
            folder,
            f"-max_total_time={seconds}",
            f"-runs={ROUND}",
            "-max_len=20000",
            "-timeout=20",
            "-rss_limit_mb=3000",
            "-print_final_stats=1",
            "-close_fd_mask=0",
            f"-artifact_prefix=finding-{target}-",
        ],
        TARGETS[target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
