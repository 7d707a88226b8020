"""Coverage-guided fuzzing with atheris: python -m tests.fuzz.run TARGET [SECONDS]

Each target runs until SECONDS are over or something is found; the input that led there is written
to the current folder as finding-TARGET-...; once its cause is mended, tests.fuzz.cases keeps it
and tests/caffe/test_fuzz_cases.py reads it again with each test run. A new run begins with the
cases and seeds. Only Python code guides the search: libhdf5 and protobuf are not instrumented.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.fuzz import cases

KINDS = ("prototxt", "caffemodel", "hdf5", "rows", "pth", "encoded")


def corpus(target, folder):
    """Fill a folder with the seeds and the cases of a target."""
    from tests.fuzz.seeds import hostile, seeds

    for i, content in enumerate([*seeds(target), *hostile(target), *cases.load(target)]):
        Path(folder, f"start{i}").write_bytes(content)


def main():
    """Parse the command line, instrument the package, and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=KINDS)
    parser.add_argument("seconds", nargs="?", type=int, default=600)
    parser.add_argument("--corpus", help="folder that inputs of new coverage are kept in")
    args = parser.parse_args()
    import atheris
    import torch  # noqa: F401  (before the hooks: it is not what is fuzzed, and it is large)

    with atheris.instrument_imports(include=["caffe", "google.protobuf.text_format"]):
        from tests.fuzz.targets import TARGETS
    folder = args.corpus or tempfile.mkdtemp(prefix="clockwork-corpus-")
    os.makedirs(folder, exist_ok=True)
    corpus(args.target, folder)
    atheris.Setup(
        [
            sys.argv[0],
            folder,
            f"-max_total_time={args.seconds}",
            "-max_len=20000",
            "-timeout=20",
            "-rss_limit_mb=3000",
            "-print_final_stats=1",
            "-close_fd_mask=0",
            f"-artifact_prefix=finding-{args.target}-",
        ],
        TARGETS[args.target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
