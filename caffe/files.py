"""The gate that every file is opened through: it tells what a path is before anything is read.

A path may name a pipe that nobody writes to, a device without an end, a folder or a file of
another kind that holds gigabytes. Each is refused here, and nothing waits. What counts is the file
that was opened, not what the path named a moment before.

>>> with open_file("net.caffemodel", WEIGHTS) as file:  # WeightsError where that cannot be
...     start = file.read(60)
>>> content = read_file("list.txt", LIST)  # bytes; DataError
>>> check_file("net.caffemodel.h5", WEIGHTS)  # for a library that opens files by their path
"""

import difflib
import itertools
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from caffe.errors import CaffeError, DataError, ImageError, WeightsError

PathLike = str | os.PathLike[str]
# What a path can name apart from a file and a folder.
OTHERS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
LISTED = 2000  # names of a folder that are looked at for a similar one; some hold a million images
# Without O_NONBLOCK, opening a pipe waits for its writer. Windows has neither of the first two.
FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
)


class FileError(CaffeError):
    """A file that is missing, cannot be read, or is not of the kind that it should be.

    Attributes
    ----------
    path : path
    reason : str
        The message without the path.
    """

    def __init__(self, path: PathLike, reason: str):
        super().__init__(f"{shown(path)}: {reason}")
        self.path, self.reason = path, reason


class NotAPath(FileError, TypeError):
    """What was given in place of a path is none: a message, an open file, a number."""

    def __init__(self, value: object, reason: str):
        CaffeError.__init__(self, reason)
        self.path, self.reason = value, reason  # type: ignore[assignment]  # it is no path


@dataclass(frozen=True)
class Kind:
    """What a file should be.

    Attributes
    ----------
    name : str
        For messages: "weights file".
    error : callable
        Makes the exception from its message; an exception class.
    most : int, optional
        The largest size in bytes; None if there is no such size.
    missing : str
        What to do if there is no such file, for the message.
    """

    name: str
    error: Callable[[str], Exception] | None = None
    most: int | None = None
    missing: str = ""


DEFINITION = Kind(".prototxt file")
WEIGHTS = Kind(
    "weights file",
    WeightsError,
    missing="see nets/README.md for where weights come from, or check the path",
)
SOLVER_STATE = Kind("solver state", WeightsError)
LIST = Kind("list", DataError, most=2**30)  # the training list of ImageNet is 40 MB
IMAGE = Kind("image", ImageError, most=2**30)
MEAN = Kind("mean file", DataError, most=2**30)
DATA = Kind("data file", DataError)


def open_file(path: PathLike, kind: Kind) -> BinaryIO:
    """Open a regular file for reading.

    Parameters
    ----------
    path : path
    kind : Kind
        What it should be.

    Returns
    -------
    binary file object
        At its start, to be closed by the caller. It holds one byte or more.

    Raises
    ------
    kind.error
        If the file is missing, is a folder, pipe or device, cannot be read, is empty or is larger
        than `kind.most`; FileError if the kind has no error of its own.
    NotAPath
        If `path` is neither str nor os.PathLike.
    """
    path = as_path(path, kind)
    try:
        return _opened(path, kind)
    except FileError as error:
        raise _translated(error, kind) from None


def read_file(path: PathLike, kind: Kind, up_to: int | None = None) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path : path
    kind : Kind
        What it should be.
    up_to : int, optional
        The number of bytes after which to stop.

    Returns
    -------
    bytes

    Raises
    ------
    kind.error
        As `open_file` does, and if reading fails.
    """
    most = -1 if kind.most is None else kind.most + 1  # one more tells that it has grown since
    with open_file(path, kind) as file:
        try:
            content = file.read(most if up_to is None else up_to)
        except OSError as error:
            raise _translated(FileError(path, _reason(error)), kind) from None
    if up_to is None and kind.most is not None and len(content) > kind.most:
        raise _translated(FileError(path, _too_large(len(content), kind)), kind)
    return content


def check_file(path: PathLike, kind: Kind) -> int:
    """Check a file that a library will open by its path.

    Parameters
    ----------
    path : path
    kind : Kind
        What it should be.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    kind.error
        As `open_file` does.
    """
    with open_file(path, kind) as file:
        return os.fstat(file.fileno()).st_size


def as_path(value: object, kind: Kind) -> str:
    """Return a path as str; raise NotAPath for anything that is none.

    Parameters
    ----------
    value : object
    kind : Kind
        What the path should name.
    """
    if isinstance(value, str | os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, bytes):
        what = _a(kind.name)
        raise NotAPath(value, f"bytes in place of the path of {what}: give the path as str")
    name = getattr(value, "name", None)
    if hasattr(value, "read") and isinstance(name, str):
        raise NotAPath(value, f"an open file in place of its path: give the path, {shown(name)!r}")
    given = type(value).__name__
    raise NotAPath(value, f"the path of {_a(kind.name)} is a str or an os.PathLike, not {given}")


def _a(name):
    """Return the name of a kind with its article."""
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def shown(path: object) -> str:
    """Return a path as messages have it: in one line, and cut if it is very long."""
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
    text = text if text and text.isprintable() else ascii(text)
    return text if len(text) <= 500 else f"{text[:200]} ... {text[-50:]}"


def _opened(path, kind):
    """Open a file, without the kind's own error."""
    try:
        _check_type(os.stat(path).st_mode, path, kind)  # some devices act when they are opened
        descriptor = os.open(path, FLAGS)
    except FileNotFoundError:
        raise FileError(path, _missing(path, kind)) from None
    except OSError as error:
        raise FileError(path, _reason(error)) from None
    except ValueError:  # a NUL in the name, or half of a surrogate pair
        raise FileError(path, "no file can have this name") from None
    try:
        status = os.fstat(descriptor)
        _check_type(status.st_mode, path, kind)
        if not status.st_size:
            raise FileError(path, f"is empty: it should be {_a(kind.name)}")
        if kind.most is not None and status.st_size > kind.most:
            raise FileError(path, _too_large(status.st_size, kind))
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check_type(mode, path, kind):
    """Raise FileError for anything but a regular file."""
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise FileError(path, f"this is a folder: name the {kind.name} in it")
    what = next((name for test, name in OTHERS if test(mode)), "not a file")
    raise FileError(path, f"this is {what}, which may never end: name {_a(kind.name)} on disk")


def _missing(path, kind):
    """Say where a file was looked for, and name the files there with a similar name."""
    if cause := _misspelt(path):
        return f"no such {kind.name}: {cause}"
    folder, name = os.path.split(os.path.abspath(path))
    if os.path.islink(path):
        return f"no such {kind.name}: this is a link to {shown(os.readlink(path))}"
    if not os.path.isdir(folder):
        where = f"the folder {shown(folder)} does not exist (working folder {os.getcwd()})"
        return f"no such {kind.name}: {where}"
    similar = difflib.get_close_matches(name, _names(folder), n=3)
    hint = f"; did you mean {' or '.join(map(shown, similar))}?" if similar else ""
    advice = f"; {kind.missing}" if kind.missing and not similar else ""
    return f"no such {kind.name} in {shown(folder)}{hint}{advice}"


def _misspelt(path):
    """Return why a path names no file on any machine, or None."""
    if not path:
        return "the path is empty"
    if re.match(r"[a-z]+://", path):
        return "this is an address: fetch the file first and give its path"
    if path.startswith(("~", "$")):
        return "~ and $ are not expanded: write the path out, or use os.path.expanduser"
    if re.search(r"[\a\b\t\n\v\f\r]", path):
        return "the name has a tab, line end or the like: \\ begins an escape, so write / or \\\\"
    return None


def _names(folder):
    """Return names in a folder, sorted; none if it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in itertools.islice(entries, LISTED))
    except OSError:
        return []


def _reason(error):
    """Say why the system does not open or read a file."""
    advice = ": check its permissions" if isinstance(error, PermissionError) else ""
    return f"cannot be read: {error.strerror}{advice}"


def _too_large(size, kind):
    return f"is {size / 2**20:.4g} MiB, and {_a(kind.name)} has {kind.most / 2**20:.4g} at most"


def _translated(error, kind):
    """Return a FileError as the kind's own error."""
    return kind.error(str(error)) if kind.error else error
