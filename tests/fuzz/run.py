"""Coverage-guided fuzzing with atheris: python -m tests.fuzz.run TARGET [SECONDS]

Each target runs until SECONDS are over or something is found; the input that led there is written
to the current folder as finding-TARGET-...; once its cause is mended, tests.fuzz.cases keeps it
and tests/caffe/test_fuzz_cases.py, or that of tests/datasets, reads it again with each test run. A
new run begins with the cases and seeds. Only Python code guides the search: libhdf5, protobuf and
what Pillow has in C are not instrumented.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.fuzz import cases

CAFFE = ("prototxt", "caffemodel", "hdf5", "rows", "pth", "encoded")  # of targets.py
DATA = ("mat", "image", "names", "manifest")  # of data_targets.py


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
    """Parse the command line, instrument the package, and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=(*CAFFE, *DATA))
    parser.add_argument("seconds", nargs="?", type=int, default=600)
    parser.add_argument("--corpus", help="folder that inputs of new coverage are kept in")
    args = parser.parse_args()
    import atheris

    if args.target in DATA:
        with atheris.instrument_imports(include=["datasets", "PIL"]):
            from tests.fuzz.data_targets import TARGETS
    else:
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
