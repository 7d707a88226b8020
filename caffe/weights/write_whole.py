"""Write a file whole or not at all.

The new file is written beside the old one under another name, `{name}.part{process}-{thread}`,
flushed to the disk and renamed. Where a write fails it is removed. Where the process is killed it
stays, and a later write of the same file removes it: while somebody writes it, it is locked.
"""

import contextlib
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked, and such files are not removed
    fcntl = None  # type: ignore[assignment]

from caffe.errors import WeightsError
from caffe.files import PathLike, shown

LEFT = 60  # seconds after which a file that nobody holds a lock on was left
LONGEST_NAME = 255 - len(".part-") - 2 * 20  # bytes of a name that leave room for two numbers


def write_whole(path: PathLike, write: Callable[[str], None]) -> None:
    """Write a file atomically: other programs see the old file or the whole new one.

    Parameters
    ----------
    path : path
    write : callable
        ``write(temporary_path)`` fills that file, which is there and empty.

    Raises
    ------
    WeightsError
        If the folder does not exist, the path is a device or the like, or writing or renaming fails
        with OSError or ValueError; then `path` stays as it was.
    """
    path = os.fspath(path)
    try:
        _check_place(path)
        with _locked_part(path) as (part, descriptor):
            write(part)
            if not os.fstat(descriptor).st_size:
                raise ValueError("nothing was written")
            os.fsync(descriptor)
            _unlock(descriptor)  # readers of HDF5 lock what they read, and would be refused
            os.replace(part, path)
    except (OSError, ValueError) as e:
        raise WeightsError(f"{shown(path)}: cannot be written: {e}") from e


def _check_place(path):
    """Raise an error for a path that no file can be renamed to, or that should stay what it is."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise WeightsError(
            f"{shown(path)}: cannot be written, there is no folder {shown(folder)}: make it first"
        )
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise WeightsError(f"{path}: cannot be written, it is a folder: name a file in it")
        if not stat.S_ISREG(mode):
            raise WeightsError(
                f"{path}: cannot be written, it is not a file but a pipe or a device"
            )


@contextlib.contextmanager
def _locked_part(path: str) -> Iterator[tuple[str, int]]:
    """Yield the path and descriptor of an empty file beside `path`; remove it at the end."""
    folder, name = os.path.split(path)
    while len(os.fsencode(name)) > LONGEST_NAME:
        name = name[:-1]
    start = os.path.join(folder, name)
    _remove_left(folder or ".", name)
    part = f"{start}.part{os.getpid()}-{threading.get_ident()}"
    descriptor = None
    try:
        descriptor = _made(part)
        yield part, descriptor
    finally:
        with contextlib.suppress(FileNotFoundError):  # it was renamed
            os.remove(part)
        if descriptor is not None:
            os.close(descriptor)


def _made(part):
    """Make an empty file, lock it and return its descriptor."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    _lock(descriptor, wait=True)
    return descriptor


def _remove_left(folder, name):
    """Remove what writers that were killed have left."""
    left = re.compile(re.escape(name) + r"\.part\d+-\d+")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in [e for e in entries if left.fullmatch(e.name)]:
            with contextlib.suppress(OSError):
                descriptor = os.open(entry.path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
                try:
                    old = time.time() - os.fstat(descriptor).st_mtime > LEFT
                    if old and _lock(descriptor, wait=False):
                        os.remove(entry.path)
                finally:
                    os.close(descriptor)


def _lock(descriptor, wait):
    """Lock a file; return whether that was possible."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (AttributeError, OSError):  # no such locks here, or another holds it
        return False
    return True


def _unlock(descriptor):
    """Give up the lock of a file, which for a while is too new to have been left."""
    os.utime(descriptor)
    with contextlib.suppress(AttributeError, OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
