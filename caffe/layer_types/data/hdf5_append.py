"""Append rows to an HDF5 file that is whole at every moment, and never let the library write it.

A process may be killed, or a disk be full, at any write. So the file has all that the library
would change in its first page, and rows are added in two steps: their values are written behind
those that are there, where no reader looks; then the first page is written at once, with the new
number of rows in both datasets. Readers find an ordinary file with either number.

    first page    what HDF5 knows: names, types, shapes, where values are and where the file ends
    rows of the dataset with the smaller rows, and a hole in which it grows
    rows of the other dataset, which grows at the end of the file

When the hole is full, the file is copied with a larger one, and replaced.

The library makes the first page, in memory, for one row; the numbers are then put into it. They
are in the superblock, and in two messages of each dataset: of its dataspace and its data layout.
Source: HDF5 File Format Specification 3.0, II.A (superblock 0), IV.A (object header 1, messages).
"""

import contextlib
import os
import struct
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import h5py
import numpy as np

from caffe.weights.hdf5_writer import PAGE, layout
from caffe.weights.write_whole import write_whole

END_OF_FILE = 40  # the byte of superblock 0 with the size of the file
DATASPACE, DATA_LAYOUT = 0x1, 0x8  # types of messages
HEADER, MESSAGE, NUMBER = struct.Struct("<BxHII4x"), struct.Struct("<HHB3x"), struct.Struct("<Q")
MARK = 16  # bytes at the end of the first page that say who writes the file
HOLE = 2**16  # bytes of the first hole
COPIED = 2**20  # bytes that are copied at once


class Dataset(NamedTuple):
    """A dataset: the bytes of a row, and where the first page has its numbers."""

    row_bytes: int
    rows: tuple[int, int]  # now, and at most
    address: int  # followed by the size in bytes


class State(NamedTuple):
    """What a file holds: its first page, its number of rows, and how many fit into the hole."""

    page: bytes
    rows: int
    hole: int


class RowFile:
    """An HDF5 file with two datasets of float32 that have the same number of rows.

    Parameters
    ----------
    path : str
        The first rows replace what is there.
    shapes : mapping of str to tuple of int
        The names of the datasets, and the shapes of their rows.
    """

    def __init__(self, path: str, shapes: Mapping[str, tuple[int, ...]]):
        self.path, self.shapes = os.path.realpath(path), dict(shapes)
        page, datasets = _first_page(self.shapes)
        # Files of other writers that have as many rows are told apart by what HDF5 does not use.
        self._empty_page = page[:-MARK] + os.urandom(MARK)
        self._datasets = dict(sorted(datasets.items(), key=lambda item: item[1].row_bytes))
        self._state: State | None = None
        self._next: State | None = None  # that of a write which was perhaps interrupted

    def append(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Add rows; if an exception is raised, the file has those that it had before.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            As many rows for each of the datasets.

        Raises
        ------
        WeightsError, OSError, ValueError
            If the file cannot be written or was changed by others, or the rows have another shape.
        """
        for name, shape in self.shapes.items():
            if arrays[name].shape[1:] != shape:
                raise ValueError(
                    f"dataset {name!r} has rows of shape {shape}, this batch "
                    f"{arrays[name].shape[1:]}"
                )
        values = {name: arrays[name] for name in self._datasets}
        count = len(next(iter(values.values())))
        if self._state is None:
            self._replace(values, count, None)
            return
        with open(self.path, "r+b", buffering=0) as file:
            self._find_state(file)
            if self._state.rows + count > self._state.hole:
                self._replace(values, count, file)
            else:
                self._extend(values, count, file)

    def _find_state(self, file):
        """Raise ValueError unless the file is as it was left."""
        page = file.read(PAGE)
        for state in (self._state, self._next):
            if state is not None and state.page == page:
                self._state = state
                return
        raise ValueError(
            "it has changed since the last batch: give each HDF5Output a file of its own, and do "
            "not write to it meanwhile"
        )

    def _extend(self, values, count, file):
        """Write rows behind those that are there, then the first page."""
        rows, hole = self._state.rows, self._state.hole
        size = file.seek(0, os.SEEK_END)
        try:
            for name, start in self._starts(hole).items():
                file.seek(start + rows * self._datasets[name].row_bytes)
                _write(file, values[name])
            os.fsync(file.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), size)  # gives back what was written in vain
            raise
        self._next = self._made(rows + count, hole)
        os.pwrite(file.fileno(), self._next.page, 0)
        self._state = self._next

    def _replace(self, values, count, old):
        """Write the file anew, with the rows of the old one and a larger hole."""
        before = self._state or self._made(0, 0)
        rows = before.rows + count
        least = HOLE // max(1, next(iter(self._datasets.values())).row_bytes)
        self._next = self._made(rows, max(least, 2 * rows if old else rows))
        from_, to = self._starts(before.hole), self._starts(self._next.hole)

        def write(part):
            with open(part, "wb", buffering=0) as file:
                for name, dataset in self._datasets.items():
                    file.seek(to[name])
                    if old is not None:
                        _copy(old, from_[name], before.rows * dataset.row_bytes, file)
                    _write(file, values[name])
                file.truncate(NUMBER.unpack_from(self._next.page, END_OF_FILE)[0])
                os.pwrite(file.fileno(), self._next.page, 0)

        write_whole(self.path, write)
        self._state = self._next

    def _starts(self, hole):
        """Return {name: the byte where its rows begin} for this room in the hole."""
        small, large = self._datasets
        return {small: PAGE, large: PAGE + hole * self._datasets[small].row_bytes}

    def _made(self, rows, hole):
        """Return the State of a file of this number of rows."""
        page, starts, end = bytearray(self._empty_page), self._starts(hole), PAGE
        for name, dataset in self._datasets.items():
            size = rows * dataset.row_bytes
            for at in dataset.rows:
                NUMBER.pack_into(page, at, rows)
            if size:  # else it has no address
                NUMBER.pack_into(page, dataset.address, starts[name])
                end = starts[name] + size
            NUMBER.pack_into(page, dataset.address + NUMBER.size, size)
        NUMBER.pack_into(page, END_OF_FILE, end)
        return State(bytes(page), rows, hole)


def _first_page(shapes):
    """Return the first page of a file with one row, and {name: Dataset}."""
    with layout() as made:
        headers = {}
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.CONTIGUOUS)
        plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        for name, shape in shapes.items():
            space = h5py.h5s.create_simple((1, *shape))
            kind = h5py.h5t.IEEE_F32LE
            dataset = h5py.h5d.create(made.file.id, name.encode(), kind, space, plist)
            headers[name] = h5py.h5o.get_info(dataset).addr
    page = bytearray(PAGE)
    made.pages.seek(0)
    if made.pages.readinto(page) > PAGE - MARK:
        raise ValueError("what HDF5 writes about these datasets does not fit into its first page")
    found = {}
    for name, shape in shapes.items():
        rows, address = _numbers(page, headers[name])
        found[name] = Dataset(4 * int(np.prod(shape, dtype=np.int64)), rows, address)
    return bytes(page), found


def _numbers(page, header):
    """Return the bytes where a dataset's numbers of rows, and its address, are in the page."""
    version, messages, _, _ = HEADER.unpack_from(page, header)
    at, rows, address = header + HEADER.size, None, None
    for _ in range(messages):
        kind, size, _ = MESSAGE.unpack_from(page, at)
        body = at + MESSAGE.size
        if kind == DATASPACE and page[body] == 1 and page[body + 2] == 1:  # with the largest shape
            rows = body + 8, body + 8 + page[body + 1] * NUMBER.size
        elif kind == DATA_LAYOUT and page[body : body + 2] == b"\3\1":  # version 3, contiguous
            address = body + 2
        at = body + size
    if version != 1 or rows is None or address is None:
        raise ValueError("this version of the HDF5 library writes another format: use h5py 3.16")
    return rows, address


def _write(file: BinaryIO, array: np.ndarray) -> None:
    """Write the values of an array; a disk that takes only a part of them raises at the next."""
    left = memoryview(np.ascontiguousarray(array, "<f4").reshape(-1).view("u1").data)
    while left:
        left = left[file.write(left) :]


def _copy(source, start, size, target):
    """Copy bytes from one file to the current place of another."""
    source.seek(start)
    while size:
        read = source.read(min(size, COPIED))
        if not read:
            raise ValueError("it was shortened since the last batch")
        size -= len(read)
        left = memoryview(read)
        while left:
            left = left[target.write(left) :]
