"""A check of HDF5 files that libhdf5 lacks: local heaps whose list of free blocks has no end.

A group of the old format keeps its names in a local heap. libhdf5 follows the heap's list of free
blocks and takes memory for each. If a damaged block leads back to itself, it takes all the memory
that there is, and no signal stops it. So the lists are followed here first.

Source: the HDF5 file format specification, III.D (local heaps) and II.A (superblocks).
"""

import mmap

from caffe.weights.hdf5_checks import Refused

HEAP, END = b"HEAP\0", 1  # a heap of version 0; the offset that ends a list of free blocks
# Where the superblock of each version says how many bytes offsets and lengths have.
SIZES = {0: 13, 1: 13, 2: 9, 3: 9}


def check_file(path: str) -> None:
    """Raise Refused if a heap of an HDF5 file has a list of free blocks that has no end.

    Parameters
    ----------
    path : str
        A file that is not empty.
    """
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as content:
        check(content)


def check(content: bytes | mmap.mmap) -> None:
    """Do the same with the bytes of a file."""
    start = SIZES.get(content[8]) if len(content) > 16 else None
    if start is None:
        return  # libhdf5 says what is wrong
    offset_size, length_size = content[start], content[start + 1]
    at = content.find(HEAP)
    while at >= 0:
        _check_heap(content, at, offset_size, length_size)
        at = content.find(HEAP, at + 1)


def _check_heap(content, at, offset_size, length_size):
    """Follow the list of free blocks of the heap at byte `at`."""

    def number(place, size):
        return int.from_bytes(content[place : place + size], "little")

    size, free = number(at + 8, length_size), number(at + 8 + length_size, length_size)
    data = number(at + 8 + 2 * length_size, offset_size)
    seen = set()
    while free != END and free + 2 * length_size <= size and data + free < len(content):
        if free in seen:
            raise Refused(f"the heap at byte {at} has a list of free blocks without end")
        seen.add(free)
        free = number(data + free, length_size)
