"""Report which datasets a folder holds, how complete they are and how to get what is missing.

    python -m datasets.check ROOT

Searches ROOT and up to two levels of folders below it. Exit status: 0 if all datasets found are in
order, 1 if something is missing or cannot be used, 2 if no dataset was recognised.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from datasets.errors import DatasetError
from datasets.inventory import INVENTORIES
from datasets.reading.gate import is_folder, is_there, list_folders
from datasets.report import Report, indent
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
            print(indent(f"{name}: has {layout}"), indent(f"to get it: {fetch}", 4), sep="\n")
        return 2
    print("\n\n".join(map(str, reports)))
    return int(any(report.faults for report in reports))


if __name__ == "__main__":
    sys.exit(main())
