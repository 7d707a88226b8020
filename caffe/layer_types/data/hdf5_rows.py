"""Rows of a list of HDF5 files, cyclically, in order or shuffled.

Only the rows of a batch are read, so that memory depends on the batch, not on the file.
"""

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import h5py
import numpy as np

from caffe.blobs import memory, single
from caffe.errors import CaffeError, DataError
from caffe.layer_types.data.files import check_file, read_list
from caffe.weights import hdf5_heaps
from caffe.weights.hdf5 import DAMAGE
from caffe.weights.hdf5_checks import Refused, check_dataset, member

MOST_SHUFFLED = 2**27  # rows of a file
ALWAYS_SHUFFLED = 2**24  # rows; a file with more has a byte or more for each


class Rows:
    """Cursor over the rows of the HDF5 files that a list names.

    All datasets of a file must have the same number of rows (first axis), and a dataset must have
    the same row shape in all files.

    Parameters
    ----------
    source : str
        A text file with the path of an HDF5 file on each line, relative to the working directory.
    names : sequence of str
        The datasets to read.
    random : numpy.random.Generator, optional
        Shuffles the files, and the rows within each, again in each epoch. No shuffling without it.

    Attributes
    ----------
    shapes : list of tuple of int
        The row shape of each dataset.

    Raises
    ------
    DataError
        If the list, the first file or a dataset is missing, damaged or inconsistent.
    """

    def __init__(
        self, source: str, names: Sequence[str], random: np.random.Generator | None = None
    ) -> None:
        self.names, self.random = names, random
        self.shapes: list[tuple[int, ...]] = []
        self._checked: set[tuple[str, int, int]] = set()  # path, time and size of checked files
        self._files = read_list(source, "list of HDF5 files, one path a line")
        self._file = 0  # position in the order of the files
        self._rows: range | np.ndarray | None = None  # rows of the current file, in reading order
        self._row = 0  # position in them
        self._warned: set[str] = set()
        self._start_epoch()
        with self._open() as datasets:
            self.shapes = [d.shape[1:] for d in datasets]

    def draw(self, count: int) -> list[np.ndarray]:
        """Return the next `count` rows of each dataset as a float32 array.

        Raises
        ------
        DataError
            If a file or dataset is missing, damaged or inconsistent with the ones before.
        """
        memory.check(sum(count * math.prod(s) for s in self.shapes), f"{count} rows of data take")
        out, done = [np.empty((count, *shape), np.float32) for shape in self.shapes], 0
        while done < count:
            with self._open() as datasets:
                if self._rows is None:
                    self._check_order(len(datasets[0]))
                    self._rows, self._row = self._order(len(datasets[0])), 0
                rows = self._rows[self._row : self._row + count - done]
                for array, dataset in zip(out, datasets):
                    self._read(dataset, rows, array[done : done + len(rows)])
            done, self._row = done + len(rows), self._row + len(rows)
            if self._row == len(self._rows):
                self._file, self._rows = self._file + 1, None
                if self._file == len(self._files):
                    self._start_epoch()
        return out

    def _read(self, dataset, rows, out):
        """Fill `out` with these rows of the dataset: a range, or an array in any order."""
        with np.errstate(over="ignore", invalid="ignore"):
            if isinstance(rows, range):
                out[...] = dataset[rows.start : rows.stop]
            else:
                order = np.argsort(rows)  # h5py reads in increasing order only
                out[order] = dataset[rows[order]]
        place = f"{self._path()}: dataset {dataset.name.lstrip('/')!r}"
        if single.is_wider(dataset.dtype) and place not in self._warned and np.isinf(out).any():
            self._warned.add(place)  # once, not with each batch
            single.warn_of_infinite(out, place)

    def _start_epoch(self):
        """Go to the first file of a new order of the files."""
        self._file_order, self._file, self._rows = self._order(len(self._files)), 0, None

    def _order(self, n):
        """Return the numbers below n in the order in which to read files or rows."""
        return range(n) if self.random is None else self.random.permutation(n)

    def _check_order(self, n):
        """Raise DataError if an order of n rows of the current file would take much memory."""
        path = self._path()
        most = min(MOST_SHUFFLED, max(ALWAYS_SHUFFLED, os.path.getsize(path)))
        if self.random is not None and n > most:
            raise DataError(f"{path}: has {n} rows, too many to shuffle: split it")

    def _path(self):
        """Return the path of the current file."""
        return self._files[self._file_order[self._file]][1]

    @contextmanager
    def _open(self) -> Iterator[list[h5py.Dataset]]:
        """Yield the datasets of the current file, after checking them."""
        path = self._path()
        check_file(path, "HDF5 file")
        try:
            stat = os.stat(path)
            version = path, stat.st_mtime_ns, stat.st_size
            if version not in self._checked:
                hdf5_heaps.check_file(path)
            with h5py.File(path, "r") as file:
                datasets = [_dataset(file, path, name) for name in self.names]
                self._check_sizes(version, datasets)
                self._check_shapes(path, datasets)
                yield datasets
        except CaffeError:
            raise
        except Refused as e:
            raise DataError(f"{path}: {e}") from None
        except DAMAGE as e:
            raise DataError(
                f"{path} is not an HDF5 file, or damaged: {e}: write it again"
            ) from None

    def _check_sizes(self, version, datasets):
        """Raise Refused if reading could take more memory than the shapes say.

        Once per version of a file, because compressed chunks are inflated for the check.
        """
        if version not in self._checked:
            for dataset in datasets:
                check_dataset(dataset)
            self._checked.add(version)

    def _check_shapes(self, path, datasets):
        """Raise DataError if datasets differ in their rows, or the file differs from the others."""
        rows = [len(d) for d in datasets]
        changed = self._rows is not None and len(self._rows) != rows[0]
        if len(set(rows)) > 1 or rows[0] == 0 or changed:
            given = ", ".join(f"{name!r} {n}" for name, n in zip(self.names, rows))
            raise DataError(
                f"{path}: its datasets have {given} rows: they need the same number, of 1 or more"
            )
        for name, dataset, shape in zip(self.names, datasets, self.shapes):
            if dataset.shape[1:] != shape:
                raise DataError(
                    f"{path}: dataset {name!r} has rows of shape {dataset.shape[1:]}, the files "
                    f"before it {shape}: give all files one shape"
                )


def _dataset(file, path, name):
    """Return the dataset `name`; raise DataError if it is missing or has no rows."""
    dataset = member(file, name)
    if not isinstance(dataset, h5py.Dataset):
        raise DataError(
            f"{path}: dataset {name!r} is not there (tops are named as datasets are): the file has "
            f"{' '.join(itertools.islice(file, 20))}"
        )
    if not dataset.shape:
        raise DataError(f"{path}: dataset {name!r} is a single value: it must be rows of numbers")
    return dataset
