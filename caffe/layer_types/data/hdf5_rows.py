"""Rows of HDF5 files, round and round: the files of a list, one after the other, in their order or
shuffled.

Only the rows asked for are read, so memory follows the batch, not the file.
"""

import os
from contextlib import contextmanager

import h5py
import numpy as np

from caffe.errors import CaffeError, DataError
from caffe.layer_types.data.files import check_file, read_list
from caffe.weights.hdf5 import DAMAGE
from caffe.weights.hdf5_checks import Refused, check_dataset, member

MOST_SHUFFLED = 2**27  # rows of a file


class Rows:
    """Rows(list file, names of the datasets, random).

    The list holds one path a line, counted from the current folder. The datasets of a file have the
    same number of rows (first axis), and each has the same shape of a row in all files. random: a
    numpy Generator to shuffle files and rows with, anew each round, or None.
    shapes: the shape of a row per dataset.
    """

    def __init__(self, source, names, random=None):
        self.names, self.random, self.shapes = names, random, None
        self._checked = set()  # files, as they were then
        self._files = [line for _, line in read_list(source, "list of HDF5 files, one path a line")]
        self._begin_round()
        with self._open() as datasets:
            self.shapes = [d.shape[1:] for d in datasets]

    def draw(self, count):
        """The next `count` rows: a float32 array per dataset; DataError."""
        out, done = [np.empty((count, *shape), np.float32) for shape in self.shapes], 0
        while done < count:
            with self._open() as datasets:
                if self._rows is None:
                    self._rows, self._row = self._order(len(datasets[0])), 0
                rows = self._rows[self._row : self._row + count - done]
                for array, dataset in zip(out, datasets):
                    _read(dataset, rows, array[done : done + len(rows)])
            done, self._row = done + len(rows), self._row + len(rows)
            if self._row == len(self._rows):
                self._file, self._rows = self._file + 1, None
                if self._file == len(self._files):
                    self._begin_round()
        return out

    def _begin_round(self):
        self._turns, self._file, self._rows = self._order(len(self._files)), 0, None

    def _order(self, n):
        if self.random is None:
            return range(n)
        if n > MOST_SHUFFLED:
            raise DataError("%s: has %d rows, too many to shuffle: split it" % (self._path(), n))
        return self.random.permutation(n)

    def _path(self):
        return self._files[self._turns[self._file]]

    @contextmanager
    def _open(self):
        """The datasets of the file whose turn it is, checked."""
        path = self._path()
        check_file(path, "HDF5 file")
        try:
            with h5py.File(path, "r") as file:
                datasets = [_dataset(file, path, name) for name in self.names]
                self._check(path, datasets)
                self._compare(path, datasets)
                yield datasets
        except CaffeError:
            raise
        except Refused as e:
            raise DataError(f"{path}: {e}") from None
        except DAMAGE as e:
            raise DataError(f"{path} is no HDF5 file, or damaged: {e}: write it again") from None

    def _check(self, path, datasets):
        """Refused where reading could take more memory than their shapes say; once a file, as
        compressed ones are unpacked for it.
        """
        seen = os.stat(path)
        version = path, seen.st_mtime_ns, seen.st_size
        if version not in self._checked:
            for dataset in datasets:
                check_dataset(dataset)
            self._checked.add(version)

    def _compare(self, path, datasets):
        """DataError where the datasets of a file differ in rows, or files in the shape of a row."""
        rows = [len(d) for d in datasets]
        if (
            len(set(rows)) > 1
            or rows[0] == 0
            or self._rows is not None
            and len(self._rows) != rows[0]
        ):
            raise DataError(
                "{}: its datasets have {} rows: they need the same number, of 1 or more".format(
                    path, ", ".join("%r %d" % p for p in zip(self.names, rows))
                )
            )
        for name, dataset, shape in zip(self.names, datasets, self.shapes or ()):
            if dataset.shape[1:] != shape:
                raise DataError(
                    f"{path}: dataset {name!r} has rows of shape {dataset.shape[1:]}, the files before it {shape}: give "
                    "all files one shape"
                )


def _dataset(file, path, name):
    """The dataset `name`; DataError where it is missing or has no rows."""
    found = member(file, name)
    if not isinstance(found, h5py.Dataset):
        raise DataError(
            "{}: dataset {!r} is not there (tops are named as datasets are): the file "
            "has {}".format(path, name, " ".join(list(file)[:20]))
        )
    if not found.shape:
        raise DataError(f"{path}: dataset {name!r} is a single value: it has to be rows of numbers")
    return found


def _read(dataset, rows, out):
    """Fill `out` with rows of the dataset, a range or an array in any order."""
    if isinstance(rows, range):
        out[...] = dataset[rows.start : rows.stop]
    else:
        order = np.argsort(rows)  # h5py reads in increasing order only
        out[order] = dataset[rows[order]]
