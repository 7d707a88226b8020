"""The one way to files and folders: regular files of bounded size; DatasetError for all others.

A named pipe would block its reader for ever, a device may not end, and a file of gigabytes may be
anything. So what is found is looked at before it is opened, and a file is never read beyond the
limit of its kind.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from datasets.errors import DatasetError

AnyPath = os.PathLike[str] | str

# The largest file of each kind, in bytes: some times the largest of any dataset.
LIMITS = {
    "image": 1 << 26,  # a frame of Cityscapes has 3 MB, one of 8K video up to 60
    "MATLAB file": 1 << 26,
    "list": 1 << 23,
    "manifest": 1 << 20,
}
UNPACK = "is the dataset unpacked completely?"

_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_OTHERS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# Not to wait for the writer of a pipe that took the place of the file that was looked at.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_file(path: AnyPath, kind: str, missing: str = f"no such file; {UNPACK}") -> BinaryIO:
    """Open a file for reading.

    Parameters
    ----------
    path : path-like
        The file, or a link to it.
    kind : str
        What it should be, a key of LIMITS.
    missing : str
        What to say if there is no such file, and the fix.

    Returns
    -------
    binary file

    Raises
    ------
    DatasetError
        If it is missing, empty, too large, not a regular file, or cannot be read.
    """
    found = _look(path)
    if found is None:
        raise DatasetError(f"{show(path)}: {missing}")
    _check(path, kind, found, missing)
    try:
        file = os.fdopen(os.open(path, _FLAGS), "rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        _check(path, kind, os.fstat(file.fileno()), missing)
    except BaseException:
        file.close()
        raise
    return file


def read_file(path: AnyPath, kind: str, missing: str = f"no such file; {UNPACK}") -> bytes:
    """Read a whole file; arguments and errors are those of `open_file`."""
    with open_file(path, kind, missing) as file:
        try:
            return file.read(LIMITS[kind])
        except OSError as error:
            raise _unreadable(path, error) from error


def is_there(path: AnyPath) -> bool:
    """Return whether anything has this name, if only a link that leads nowhere."""
    return _look(path, os.lstat) is not None


def is_folder(path: AnyPath) -> bool:
    """Return whether `path` is a folder or a link to one."""
    found = _look(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def list_names(folder: AnyPath, missing: str = f"no such folder; {UNPACK}") -> list[str]:
    """List the names in a folder, sorted, without the hidden ones that systems leave there.

    Parameters
    ----------
    folder : path-like
        The folder.
    missing : str
        What to say if there is no such folder, and the fix.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    DatasetError
        If there is no such folder, or it cannot be read.
    """
    if not is_folder(folder):
        raise DatasetError(f"{show(folder)}: {missing}")
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error


def list_folders(folder: AnyPath, missing: str = f"no such folder; {UNPACK}") -> list[str]:
    """List the names of the sub-folders of `folder`; errors are those of `list_names`."""
    return [name for name in list_names(folder, missing) if is_folder(Path(folder, name))]


def show(path: AnyPath) -> str:
    """Return a path as text for a message, its middle left out if it is very long."""
    text = str(path)
    if len(text) <= 500:
        return text
    return f"{text[:200]}...{text[-100:]} ({len(text)} characters)"


def _look(path, how=os.stat):
    """Return what the system tells of `path`, None if there is nothing."""
    try:
        return how(path)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise _unreadable(path, error) from error
    except ValueError as error:  # a zero byte in the name
        raise DatasetError(f"{show(path)!r}: not the name of a file ({error})") from error


def _check(path, kind, found, missing):
    """Raise DatasetError unless `found` tells of a regular file of a size for its kind."""
    for is_other, what in _OTHERS:
        if is_other(found.st_mode):
            raise DatasetError(f"{show(path)}: {missing} (there is {what} of this name)")
    if found.st_size == 0 and kind != "list":  # what an empty list means, its reader says
        raise DatasetError(f"{show(path)}: damaged, as the file is empty; download it again")
    if found.st_size > LIMITS[kind]:
        raise DatasetError(
            f"{show(path)}: has {found.st_size:,} bytes, but a {kind} has at most "
            f"{LIMITS[kind]:,}; is this another file?"
        )


def _unreadable(path, error):
    """Return the DatasetError for an OSError."""
    return DatasetError(
        f"{show(path)}: cannot be read ({error.strerror or error}); correct the path or its rights"
    )
