"""Inputs that fuzzing found worth keeping, one base64 line each in TARGET.txt beside this file:
python -m tests.fuzz.cases TARGET FILE... adds findings, or what a run kept for new coverage."""

import base64
import sys
from pathlib import Path

LARGEST = 3000  # bytes; a larger file hardly shows what a smaller one would not


def _path(target):
    return Path(__file__).with_name(f"{target}.txt")


def load(target):
    """The cases of a target, as bytes."""
    path = _path(target)
    return [base64.b64decode(line) for line in path.read_text().split()] if path.exists() else []


def add(target, contents):
    """Add bytes to the cases of a target, but what is there, empty or large."""
    cases = set(load(target)) | {c for c in contents if 0 < len(c) <= LARGEST}
    lines = [base64.b64encode(case).decode() for case in sorted(cases, key=lambda c: (len(c), c))]
    _path(target).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    add(sys.argv[1], [Path(name).read_bytes() for name in sys.argv[2:]])
