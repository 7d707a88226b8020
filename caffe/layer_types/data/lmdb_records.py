"""The records of an LMDB database in the order of their keys, cyclically."""

import os
import threading
import weakref

from caffe.errors import DataError
from caffe.layer_types.data import lmdb_check


class _Environment:
    """An open database; several cursors may share it, such as those of a train and a test net."""

    def __init__(self, lmdb, path, folder):
        self.env = lmdb.open(path, subdir=folder, readonly=True, lock=False, create=False)


# by path, because LMDB may open a file only once per process
_environments: weakref.WeakValueDictionary[str, _Environment] = weakref.WeakValueDictionary()
_lock = threading.Lock()


class Records:
    """Cursor over the records of an LMDB.

    The database is opened read-only and without its lock file: nobody may write to it meanwhile.

    Parameters
    ----------
    path : str
        The folder that holds data.mdb, or that file itself.

    Attributes
    ----------
    count : int
        The number of records.

    Raises
    ------
    DataError
        If the database is missing, damaged or empty, or the package lmdb is not installed.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        folder, file = _locate(path)
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
            any_record = self._cursor.first()
        except lmdb.Error as e:
            raise self._refusal(e) from None
        if not any_record:
            raise DataError(f"{path} holds no records")
        self.count: int = self._environment.env.stat()["entries"]

    def current(self) -> tuple[str, bytes]:
        """Return the place of the record, that is database and key in words, and its value."""
        try:
            return f"{self.path}: record {self._cursor.key()!r}", self._cursor.value()
        except self._error as e:
            raise self._refusal(e) from None

    def advance(self) -> None:
        """Go to the next record, from the last to the first."""
        try:
            if not self._cursor.next():
                self._cursor.first()
        except self._error as e:
            raise self._refusal(e) from None

    def _refusal(self, e):
        """Return the DataError for an error of the library."""
        fix = ": close() it first" if "already open" in str(e) else ""
        return DataError(f"{self.path} cannot be read as an LMDB: {e}{fix}")


def _locate(path):
    """Return whether `path` is a folder, and the path of the data file."""
    if not path:
        raise DataError("no source is given: name the folder of an LMDB")
    folder = os.path.isdir(path)
    file = os.path.join(path, "data.mdb") if folder else path
    if not os.path.isfile(file):
        if not folder:
            problem = "no such database"
        elif os.path.isfile(os.path.join(path, "CURRENT")):
            problem = "is a LevelDB: convert it to LMDB"
        else:
            problem = "is not an LMDB, it holds no data.mdb"
        raise DataError(f"{path}: {problem} (paths are relative to {os.getcwd()})")
    return folder, file


def _open(lmdb, path, folder, file):
    """Return the environment of a database, after checking the file; shared if it is open."""
    with _lock:
        key = os.path.realpath(file)
        lmdb_check.check(file)
        environment = _environments.get(key)
        if environment is None:
            environment = _environments[key] = _Environment(lmdb, path, folder)
        return environment
