"""Report which datasets a folder holds, how complete they are and how to get what is missing.

    python -m datasets.check ROOT

Searches ROOT and up to two levels of folders below it. Exit status: 0 if all datasets found are in
order, 1 if something is missing or cannot be used, 2 if no dataset was recognised.
"""

import argparse
import os
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from datasets.errors import DatasetError
from datasets.inventory import INVENTORIES
from datasets.miniature import MANIFEST
from datasets.reading.gate import is_folder, is_there, list_folders
from datasets.sources import SOURCES

# A folder with any of these is the root of a dataset. Each occurs in one layout only.
MARKERS = {
    "voc": ("SegmentationClass", "ImageSets/Segmentation"),
    "nyud": ("segmentation", "test_rawImages.txt"),
    "youtube": ("v1", "youtube_masks"),
    "cityscapes": ("gtFine", "leftImg8bit", "leftImg8bit_sequence"),
    "camvid": ("trainannot", "valannot"),
}
DEPTH = 2  # levels of folders searched below ROOT; VOCdevkit/VOC2011 has two
SHOWN = 5  # items printed of a long list; the rest are counted
WIDTH = 100  # columns of the output

Result = TypeVar("Result")


class Report:
    """Contents and faults of one dataset; str() formats them.

    Parameters
    ----------
    name : str
        Name of the dataset.
    root : path-like
        Its folder.

    Attributes
    ----------
    name : str
        Name of the dataset.
    root : Path
        Its folder.
    counts : list of str
        Lines that tell what was found.
    faults : list of str
        Lines that tell what is missing or wrong; empty if all is in order.
    """

    def __init__(self, name: str, root: os.PathLike[str] | str) -> None:
        self.name = name
        self.root = Path(root)
        self.counts: list[str] = []
        self.faults: list[str] = []

    def count(self, where: str, **numbers: int) -> None:
        """Add a line of counts, such as 'train: images 3, labels 3'."""
        counted = ", ".join(f"{what.replace('_', ' ')} {n}" for what, n in numbers.items())
        self.counts.append(f"{where}: {counted}")

    def note(self, text: str) -> None:
        """Add a remark that is not a fault."""
        self.counts.append(text)

    def fault(self, what: str, items: Collection[object] | None = None) -> None:
        """Add a fault.

        Parameters
        ----------
        what : str
            What is missing or wrong.
        items : collection, optional
            The items affected. If given and empty, no fault is added.
        """
        if items is None and what not in self.faults:
            self.faults.append(what)
        elif items:
            self.faults.append(f"{what}: {len(items)} ({_shorten(items)})")

    def attempt(self, function: Callable[..., Result], *args: object) -> Result | tuple[()]:
        """Call a function and record a DatasetError as a fault.

        Parameters
        ----------
        function : callable
            The function.
        *args
            Its arguments.

        Returns
        -------
        object
            The function's result; an empty tuple if it raised DatasetError.
        """
        try:
            return function(*args)
        except DatasetError as error:
            self.fault(str(error).partition("\n")[0])
            return ()

    def __str__(self) -> str:
        _, fetch = SOURCES[self.name]
        what = self.name
        if is_there(self.root / MANIFEST):
            fetch = f"python -m datasets.miniature {self.name} --root {self.root}"
            what += ", a rendered miniature"
        faults = [f"missing or wrong: {text}" for text in self.faults]
        verdict = [*faults, f"to get it: {fetch}"] if faults else ["all in order"]
        return "\n".join([f"{self.root}: {what}", *map(_indent, [*self.counts, *verdict])])


def recognise(root: os.PathLike[str] | str, depth: int = DEPTH) -> list[tuple[str, Path]]:
    """Find datasets by their layout.

    Parameters
    ----------
    root : path-like
        Folder to search.
    depth : int
        Levels of folders to search below `root`.

    Returns
    -------
    list of (str, Path)
        Name and folder of each dataset.
    """
    root = Path(root)
    datasets = [
        (name, root)
        for name, markers in MARKERS.items()
        if any(is_there(root / marker) for marker in markers)
    ]
    if not datasets and depth:
        for folder in list_folders(root) if is_folder(root) else []:
            try:
                datasets += recognise(root / folder, depth - 1)
            except DatasetError as error:  # of another user, perhaps
                print(f"{error}. It was left out.", file=sys.stderr)
    return datasets


def check(root: os.PathLike[str] | str) -> list[Report]:
    """Return a report of each dataset that `recognise` finds in `root`."""
    reports = []
    for name, folder in recognise(root):
        report = Report(name, folder)
        report.attempt(INVENTORIES[name], report, folder)
        reports.append(report)
    return reports


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default, sys.argv) and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", metavar="ROOT", type=Path)
    root = parser.parse_args(argv).root
    try:
        reports = check(root)
        there = is_folder(root)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 2
    if not reports:
        what = "no dataset recognised" if there else "no such folder"
        print(f"{root}: {what}. Known datasets:")
        for name, (layout, fetch) in SOURCES.items():
            print(_indent(f"{name}: has {layout}"), _indent(f"to get it: {fetch}", 4), sep="\n")
        return 2
    print("\n\n".join(map(str, reports)))
    return int(any(report.faults for report in reports))


def _indent(text, by=2):
    """Wrap `text` at WIDTH columns, indented by `by`, without breaking words such as URLs."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=by * " ",
        subsequent_indent=(by + 4) * " ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _shorten(items):
    """Format the first SHOWN items and the number of the rest."""
    items = sorted(map(str, items))
    rest = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + rest


if __name__ == "__main__":
    sys.exit(main())
