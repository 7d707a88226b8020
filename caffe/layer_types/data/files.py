"""Checks of a file before it is opened, and text files that list others."""

import os

from caffe import files
from caffe.errors import DataError

LONGEST_LIST = 2**30  # bytes; the training list of ImageNet has 40 MB


def check_file(path: str, what: str) -> None:
    """Raise DataError unless `path` is a regular file that can be read and is not empty.

    Parameters
    ----------
    path : str
        The file.
    what : str
        What the file should be, for the error message.
    """
    if not path:
        raise DataError(f"no {what} is named, its path is ''")
    files.check_file(path, files.Kind(what, DataError))


def read_list(path: str, what: str) -> list[tuple[int, str]]:
    """Return line number and stripped text of the lines of a text file that are not blank.

    Parameters
    ----------
    path : str
        The file.
    what : str
        What the file should be, for the error message.

    Raises
    ------
    DataError
        If the file is missing, longer than 1 GiB, not text, or has only blank lines.
    """
    check_file(path, what)
    if os.path.getsize(path) > LONGEST_LIST:
        raise DataError(f"{path} is {os.path.getsize(path) / 2**30:.1f} GiB: it cannot be a {what}")
    try:
        with open(path, "rb") as f:
            binary = b"\0" in f.read(4096)
        if binary:
            raise DataError(f"{path} is a binary file: the source should be a {what}")
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            lines = [(i, line.strip()) for i, line in enumerate(f, 1)]
    except OSError as e:
        raise DataError(f"{path} cannot be read: {e.strerror}") from None
    lines = [(i, line) for i, line in lines if line]
    if not lines:
        raise DataError(f"{path} has only blank lines: it should be a {what}")
    return lines
