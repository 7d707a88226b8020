"""Replace a folder so that it is never half there, whenever the process is killed.

The new folder is filled beside the old one, in a work folder. Then two renames exchange them. After
a kill between the two, `recover` finds the new folder complete in the work folder, and puts it in
its place.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEW, OLD, USELESS = "new", "old", "useless"  # in a work folder


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """Fill a new folder that then takes the place of `folder`; not if an exception is raised.

    Parameters
    ----------
    folder : Path
        The folder, which need not exist; its parent must. Not a link. The caller holds a lock.

    Yields
    ------
    Path
        The new folder, empty, on the same file system.
    """
    work = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    try:
        (work / NEW).mkdir()
        yield work / NEW
        if folder.exists():
            folder.rename(work / OLD)
        (work / NEW).rename(folder)
    finally:
        _finish(work, folder)


def recover(folder: Path) -> None:
    """Put right what killed processes left of `folder`, and remove their work folders.

    Parameters
    ----------
    folder : Path
        What was to be replaced. The caller holds a lock, so nobody is at it now.
    """
    for name in os.listdir(folder.parent):
        if name.startswith(_prefix(folder)):
            _finish(folder.with_name(name), folder)


def _finish(work, folder):
    """End an exchange of which one half is done, and remove the work folder."""
    if (work / OLD).exists():  # the new folder was complete, or it would not have gone there
        if not folder.exists():
            (work / (NEW if (work / NEW).exists() else OLD)).rename(folder)
        if (work / OLD).exists():
            (work / OLD).rename(work / USELESS)  # or one half removed would pass for whole later
    shutil.rmtree(work, ignore_errors=True)


def _prefix(folder):
    """Return how the names of the work folders of `folder` begin."""
    return f".{folder.name}.unfinished-"
