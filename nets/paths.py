"""Find the file that a name or a path stands for, with or without its suffix."""

import difflib
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path


class NotFoundError(Exception):
    """No file has the path, with or without one of the suffixes."""


class UnfitError(Exception):
    """There is a file, but it cannot be what is looked for, or more than one fits."""


def text_of(name: os.PathLike[str] | str) -> str:
    """Return a name or path as text.

    Raises
    ------
    TypeError
        If it is neither.
    UnfitError
        If it is empty.
    """
    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"{name!r} is {type(name).__name__}: give a name or a path, as str or Path")
    text = os.fsdecode(name)
    if not text:
        raise UnfitError("the name is empty: give a name or a path")
    return text


def is_bare(text: str) -> bool:
    """Return whether `text` is a plain name, without a folder."""
    return os.path.basename(text) == text and text not in (os.curdir, os.pardir)


def find_file(path: Path, suffixes: Sequence[str]) -> Path:
    """Return `path` if it is a file, else `path` with the one suffix that makes it a file.

    Parameters
    ----------
    path : Path
        Absolute, or relative to the working folder.
    suffixes : sequence of str
        Those of the kind of file, such as ".prototxt".

    Returns
    -------
    Path
        A regular file that is not empty.

    Raises
    ------
    NotFoundError
        If nothing is there.
    UnfitError
        If a folder, a named pipe, a device or an empty file is there, or several files fit.
    """
    with_suffix = [Path(f"{path}{suffix}") for suffix in suffixes]
    status = _status(path)
    files = [path] if status and stat.S_ISREG(status.st_mode) else []
    files = files or [p for p in with_suffix if (s := _status(p)) and stat.S_ISREG(s.st_mode)]
    if len(files) > 1:
        raise UnfitError(
            f"{path} may be {' or '.join(p.name for p in files)}: give the path with its suffix"
        )
    if not files:
        for candidate in (path, *with_suffix):
            if there := _status(candidate):
                raise UnfitError(f"{candidate} is {_kind(there.st_mode)}: give the path of a file")
        raise NotFoundError(f"{path} is missing (looked in {os.getcwd()})")
    if not files[0].stat().st_size:
        raise UnfitError(f"{files[0]} is empty: copy or download it again")
    return files[0]


def similar(text: str, names: Iterable[str]) -> str:
    """Return a sentence that names the name most like `text`, "" if none is."""
    close = difflib.get_close_matches(text, list(names), 1)
    return f"Did you mean {close[0]}? " if close else ""


def _status(path):
    """Return the status of what is at `path`, None if nothing is."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # such as a loop of links, a null, a path too long
        raise UnfitError(f"{str(path)[:200]!r} cannot be opened: {_reason(error)}") from None


def _reason(error):
    """Return what is wrong, without the path, which may be very long."""
    return getattr(error, "strerror", None) or str(error)


def _kind(mode):
    """Return what is at a path by its `st_mode`, with its article."""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a named pipe" if stat.S_ISFIFO(mode) else "a socket or a device"
