"""Checks of a file before it is opened, and text files that list others."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from caffe import files
from caffe.errors import DataError

LONGEST_LIST = 2**29  # bytes; the training list of ImageNet has 40 MB
LONGEST_LINE = 2**15  # bytes; a path has 4096 at most
MOST_LINES = 2**24  # ImageNet-22k has 14 million images


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


class Lines(Sequence[tuple[int, str]]):
    """Number and stripped text of the lines of a text file that are not blank.

    They are kept as the bytes of the file: a Python string for each line would take several times
    the memory.

    Parameters
    ----------
    content : bytes
        UTF-8; other bytes are kept as they are, as in the names of files.

    Raises
    ------
    ValueError
        If there are more or longer lines than a list can have.
    """

    def __init__(self, content: bytes) -> None:
        content = content.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in content:
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if (count := content.count(b"\n")) > MOST_LINES:
            raise ValueError(f"has {count} lines, {MOST_LINES} are the most")
        ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))
        self._content, self._ends = content, np.append(ends, len(content))
        lengths = np.diff(self._ends, prepend=-1)
        if lengths.max() > LONGEST_LINE:
            raise ValueError(
                f"has a line of {lengths.max()} bytes (line {lengths.argmax() + 1}), "
                f"{LONGEST_LINE} are the most"
            )
        kept = np.fromiter((bool(self._text(i)) for i in range(count + 1)), bool, count + 1)
        self._kept = np.flatnonzero(kept)

    def _text(self, i):
        """Return the text of line number i, counted from 0."""
        start = self._ends[i - 1] + 1 if i else 0
        return self._content[start : self._ends[i]].decode("utf-8", "surrogateescape").strip()

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, i: int) -> tuple[int, str]: ...
    @overload
    def __getitem__(self, i: slice) -> list[tuple[int, str]]: ...
    def __getitem__(self, i):
        """Return number i of the lines that are not blank: its number in the file, and its text."""
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        line = int(self._kept[i])
        return line + 1, self._text(line)


def read_list(path: str, what: str) -> Lines:
    """Return the lines of a text file that are not blank.

    Parameters
    ----------
    path : str
        The file.
    what : str
        What the file should be, for the error message.

    Raises
    ------
    DataError
        If the file is missing, too long, not text, or has only blank lines.
    """
    if not path:
        raise DataError(f"no {what} is named, its path is ''")
    content = files.read_file(path, files.Kind(what, DataError, most=LONGEST_LIST))
    shown = files.shown(path)
    if b"\0" in content[:4096]:
        raise DataError(
            f"{shown} is a binary file: the source should be a {what} (if it is text in UTF-16, "
            "save it as UTF-8)"
        )
    try:
        lines = Lines(content)
    except ValueError as e:
        raise DataError(f"{shown} {e}: it should be a {what}") from None
    if not lines:
        raise DataError(f"{shown} has only blank lines: it should be a {what}")
    return lines
