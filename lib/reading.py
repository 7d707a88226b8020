"""Read files that others made: a pipe is not waited for, and no more is read than a limit."""

import json
import os
from typing import Any, BinaryIO


def open_to_read(path: os.PathLike[str] | str) -> BinaryIO:
    """Open a file to read its bytes; a named pipe gives what is in it, and is not waited for.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    return open(path, "rb", opener=_without_waiting)


def read_json(path: os.PathLike[str] | str, largest: int) -> Any:
    """Return what a JSON file holds.

    Parameters
    ----------
    path : path-like
    largest : int
        Bytes that such a file has at most.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no JSON, or larger.
    """
    with open_to_read(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"it has more than {largest} bytes")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _without_waiting(path, flags):
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
