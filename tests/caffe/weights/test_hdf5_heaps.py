"""Heaps of HDF5 files whose list of free blocks has no end."""

import struct

import h5py
import pytest

from caffe.weights.hdf5_checks import Refused
from caffe.weights.hdf5_heaps import check, check_file


@pytest.fixture
def path(tmp_path):
    """A sound file with groups of the old format."""
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["a/b/c"] = 1.0
    return tmp_path / "a.h5"


def test_sound_files(path, tmp_path):
    check_file(path)
    with h5py.File(tmp_path / "new.h5", "w", libver="latest") as f:
        f["a/b/c"] = 1.0
    check_file(tmp_path / "new.h5")


def test_a_free_block_that_leads_back_to_itself(path):
    """libhdf5 would take memory until there is none."""
    content = bytearray(path.read_bytes())
    heaps, at = 0, content.find(b"HEAP")
    while at >= 0:
        _, free, data = struct.unpack("<QQQ", content[at + 8 : at + 32])
        if free != 1:
            changed = bytearray(content)
            changed[data + free : data + free + 8] = struct.pack("<Q", free)
            with pytest.raises(Refused, match=f"heap at byte {at} has a list .* without end"):
                check(bytes(changed))
            heaps += 1
        at = content.find(b"HEAP", at + 1)
    assert heaps == 3  # of the root, a and b


@pytest.mark.parametrize(
    "content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\xff" * 30]
)
def test_what_is_left_to_the_library(content):
    check(content)


def test_a_file_cut_anywhere(path):
    content = path.read_bytes()
    for stop in range(0, len(content), 7):
        check(content[:stop])
