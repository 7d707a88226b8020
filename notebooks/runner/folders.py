"""Temporary folders of kernels, and what runs leave behind that were killed.

A runner that is killed cannot remove the folders of its kernels. Each folder has a lock file that
its runner holds; the system releases the lock when the runner ends, however it ends. So a folder
whose lock is free belongs to nobody.
"""

import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # mypy knows the name only as a module

PREFIX = "clockwork-kernel-"
LOCK, CONNECTION, SOCKET = "lock", "kernel.json", "socket"  # sockets are called socket-1 ...
LONGEST = 80  # characters of a folder's path; the path of a socket may have about 100
UNFINISHED = re.compile(r"\..+\.(ipynb|html|json)\.\d")  # as lib.atomic names them
OLD = 60  # seconds; a file takes less than one to write


@contextmanager
def kernel_folder() -> Iterator[Path]:
    """Make a temporary folder for one kernel; remove it at the end.

    Yields
    ------
    Path
        The folder, with a path short enough for sockets.
    """
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        with suppress(OSError):  # a kernel that dies late may still hold or make a file
            _remove(folder)
        if lock is not None:
            os.close(lock)


def remove_abandoned() -> None:
    """Remove the folders of kernels whose runner was killed."""
    if fcntl is None:
        return
    for parent in {tempfile.gettempdir(), _short_parent()} - {None}:
        for folder in Path(parent).glob(f"{PREFIX}*"):
            with suppress(OSError):  # its runner lives, or has just removed it
                _remove_if_abandoned(folder)


def remove_unfinished(results: Path) -> None:
    """Remove the files in `results` that a runner or kernel was writing when it was killed."""
    for path in results.glob(".*"):
        with suppress(OSError):  # another runner was faster
            status = path.lstat()
            old = time.time() - status.st_mtime > OLD
            if UNFINISHED.match(path.name) and stat.S_ISREG(status.st_mode) and old:
                path.unlink()


def _short_parent():
    """Return a folder for kernel folders if the default one has too long a path, else None."""
    return "/tmp" if len(tempfile.gettempdir()) > LONGEST - len(PREFIX) - 8 else None


def _locked_folder():
    """Return a new folder and the descriptor of its lock; the latter is None without flock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_parent()))
        if fcntl is None:
            return folder, None
        with suppress(FileNotFoundError):  # remove_abandoned of another runner saw it without lock
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / LOCK).exists():
                return folder, lock
            os.close(lock)


def _remove_if_abandoned(folder):
    """Remove `folder` if it is a kernel folder of this user and its lock is free."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        return
    with suppress(FileNotFoundError):  # killed before it had a lock: the folder is empty
        lock = os.open(folder / LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        finally:
            os.close(lock)
        return
    folder.rmdir()


def _remove(folder):
    """Remove a kernel folder; one that holds anything else stays, as it is not ours."""
    names = os.listdir(folder)
    if all(name in (LOCK, CONNECTION) or name.startswith(f"{SOCKET}-") for name in names):
        for name in sorted(names, key=LOCK.__eq__):  # the lock last
            with suppress(FileNotFoundError):
                os.unlink(folder / name)
        os.rmdir(folder)
