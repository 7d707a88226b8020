"""A lock between processes: two that would render the same folder take turns."""

import os
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def locked(path):
    """Inside is one process or thread at a time of all that name the file `path`; others wait.

    The file lives as long as the lock; what a killed process leaves of it locks nobody out. Gives
    True; False where the system has no flock, and nobody waits.
    """
    if fcntl is None:
        yield False
        return
    lock = _acquire(path)
    try:
        yield True
    finally:
        os.unlink(path)
        os.close(lock)


def _acquire(path):
    """A descriptor that holds the lock on the file that lies at `path` now."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                return lock
        except FileNotFoundError:
            pass  # the holder before us removed the file while we waited: lock the next one
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
