"""Read small files that other programs may have damaged, or put something else in their place."""

import os
import stat
from pathlib import Path

LIMIT = 200_000_000  # bytes; the largest page of a notebook is a few megabytes


def read_bytes(path: os.PathLike[str] | str, limit: int = LIMIT) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path : path-like
        The file.
    limit : int
        Largest size in bytes.

    Raises
    ------
    OSError
        If the file is missing, unreadable, larger than `limit`, or not a regular file: a named pipe
        would block, a device may never end.
    ValueError
        If the path holds a null character.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            kind = "a named pipe" if stat.S_ISFIFO(status.st_mode) else "a device"
            raise OSError(f"it is not a file but {kind}")
        if status.st_size > limit:
            raise OSError(f"it has {status.st_size} bytes, more than the {limit} that are read")
        return file.read(limit)


def _without_waiting(path, flags):
    """Open `path`; a named pipe would otherwise wait for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_text(path: os.PathLike[str] | str, limit: int = LIMIT) -> str:
    """Return the text of a regular file in UTF-8; raise UnicodeDecodeError, or as `read_bytes`."""
    return read_bytes(path, limit).decode("utf-8-sig")  # some editors begin with a byte order mark


def is_regular(path: Path) -> bool:
    """Return whether `path` is a file that can be read to its end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False
