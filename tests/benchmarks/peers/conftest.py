"""A tiny case, and our own environment in the place of the peers': it has some of them."""

import sys
from pathlib import Path

import pytest

from benchmarks.peers.case import Case, write

TINY = Case("tiny", 64, 70, channels=1 / 16)


@pytest.fixture(scope="session")
def peers():
    return Path(sys.prefix)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, peers):
    """Return the folder of a case in all formats."""
    folder = tmp_path_factory.mktemp("tiny")
    write(TINY, folder, ["onnx", "ncnn", "scores"], peers, 1)
    return folder
