"""The records of an LMDB database in the order of their keys, round and round."""

import os
import threading
import weakref

from caffe.errors import DataError
from caffe.layer_types.data import lmdb_check

_lock = threading.Lock()
_shared = weakref.WeakValueDictionary()  # path -> _Environment: LMDB opens a file once a process


class _Environment:
    """An open database; several cursors, of a training and a test net say, may share one."""

    def __init__(self, lmdb, path, folder):
        self.env = lmdb.open(path, subdir=folder, readonly=True, lock=False, create=False)


class Records:
    """Cursor over the LMDB at `path`, the folder that holds data.mdb, or that file itself.

    The database is opened for reading only and without its lock file: nobody may write to it
    meanwhile. count: number of records. DataError where it is missing, damaged or empty, or the
    `lmdb` package is not there.
    """

    def __init__(self, path):
        self.path = path
        folder, file = _find(path)
        try:
            import lmdb
        except ImportError:
            raise DataError(
                f"{path}: to read an LMDB install the package lmdb: pip install lmdb"
            ) from None
        self._error = lmdb.Error
        try:
            self._environment = _open(lmdb, path, folder, file)
            self._cursor = self._environment.env.begin().cursor()
            found = self._cursor.first()
        except lmdb.Error as e:
            raise self._refusal(e) from None
        if not found:
            raise DataError(f"{path} holds no records")
        self.count = self._environment.env.stat()["entries"]

    def current(self):
        """(place, bytes) of the record: its database and key in words, and its value."""
        try:
            return f"{self.path}: record {self._cursor.key()!r}", self._cursor.value()
        except self._error as e:
            raise self._refusal(e) from None

    def advance(self):
        """To the next record; from the last to the first."""
        try:
            if not self._cursor.next():
                self._cursor.first()
        except self._error as e:
            raise self._refusal(e) from None

    def _refusal(self, e):
        fix = ": close() it first" if "already open" in str(e) else ""
        return DataError(f"{self.path} cannot be read as an LMDB: {e}{fix}")


def _find(path):
    """(whether `path` is a folder, the path of the data file)."""
    if not path:
        raise DataError("no source is given: name the folder of an LMDB")
    folder = os.path.isdir(path)
    file = os.path.join(path, "data.mdb") if folder else path
    if not os.path.isfile(file):
        leveldb = folder and os.path.isfile(os.path.join(path, "CURRENT"))
        raise DataError(
            "{}: {} (paths count from {})".format(
                path,
                "is a LevelDB: convert it to LMDB"
                if leveldb
                else "is no LMDB, it holds no data.mdb"
                if folder
                else "no such database",
                os.getcwd(),
            )
        )
    return folder, file


def _open(lmdb, path, folder, file):
    with _lock:
        key = os.path.realpath(file)
        lmdb_check.check(file)
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = _Environment(lmdb, path, folder)
        return found
