"""A file lock, so that two processes do not render the same folder at the same time."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # mypy knows the name only as a module


@contextmanager
def locked(path: os.PathLike[str] | str, waiting: str = "") -> Iterator[bool]:
    """Hold an exclusive lock on a file; other processes and threads wait for it.

    The file is removed when the lock is released. A file left by a killed process blocks nobody.

    Parameters
    ----------
    path : path-like
        The lock file; created if it does not exist.
    waiting : str
        Line to print on stderr if there is someone to wait for.

    Yields
    ------
    bool
        True; False if the system has no flock and the lock has no effect.
    """
    if fcntl is None:
        yield False
        return
    lock = _acquire(path, waiting)
    try:
        yield True
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)
        os.close(lock)


def _acquire(path, waiting):
    """Return a descriptor that holds the lock on the file currently at `path`."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting:
                    print(waiting, file=sys.stderr, flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                return lock
        except FileNotFoundError:
            pass  # the previous holder removed the file while we waited: lock the next one
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
