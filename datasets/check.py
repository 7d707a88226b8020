"""Which datasets a folder holds, how much of each, what is missing and how to get it.

    python -m datasets.check ROOT

Looks in ROOT and up to two folders below it. Exit status: 0 if all that was found is in order, 1
if something is missing or cannot be used, 2 if no dataset was recognised.
"""

import argparse
import sys
import textwrap
from pathlib import Path

from datasets.errors import DatasetError
from datasets.inventory import TAKE
from datasets.miniature import MANIFEST
from datasets.sources import SOURCES

# Any of these in a folder makes it the root of a dataset. Each belongs to one layout only.
MARKS = {
    "voc": ("SegmentationClass", "ImageSets/Segmentation"),
    "nyud": ("segmentation", "test_rawImages.txt"),
    "youtube": ("v1", "youtube_masks"),
    "cityscapes": ("gtFine", "leftImg8bit", "leftImg8bit_sequence"),
    "camvid": ("trainannot", "valannot"),
}
DEPTH = 2  # folders below ROOT, as VOCdevkit/VOC2011 is
SHOWN = 5  # of a long list; the others are counted
WIDTH = 100  # of a line printed


class Report:
    """What there is of dataset `name` in folder `root`.

    Attributes: counts (lines to read) and faults (lines too; none if all is in order).
    """

    def __init__(self, name, root):
        self.name, self.root, self.counts, self.faults = name, Path(root), [], []

    def count(self, where, **numbers):
        """Note what was found: 'train: images 3, labels 3'."""
        counted = ", ".join(f"{what.replace('_', ' ')} {n}" for what, n in numbers.items())
        self.counts.append(f"{where}: {counted}")

    def note(self, text):
        """Note what a reader should know but is no fault."""
        self.counts.append(text)

    def fault(self, what, items=None):
        """Note what is missing or wrong: always if `items` is None, else if there are any."""
        if items is None and what not in self.faults:
            self.faults.append(what)
        elif items:
            self.faults.append(f"{what}: {len(items)} ({_shorten(items)})")

    def attempt(self, function, *args, default=()):
        """function(*args), or `default` if it raises DatasetError, whose message is a fault."""
        try:
            return function(*args)
        except DatasetError as error:
            self.fault(str(error).partition("\n")[0])
            return default

    def __str__(self):
        fetch, what = SOURCES[self.name][1], self.name
        if (self.root / MANIFEST).is_file():
            fetch = f"python -m datasets.miniature {self.name} --root {self.root}"
            what += ", a rendered miniature"
        faults = [f"missing or wrong: {text}" for text in self.faults]
        verdict = [*faults, f"to get it: {fetch}"] if faults else ["all in order"]
        return "\n".join([f"{self.root}: {what}", *map(_indented, [*self.counts, *verdict])])


def recognise(root, depth=DEPTH):
    """The (name, folder) of every dataset in `root` or at most `depth` folders below it."""
    root = Path(root)
    found = [
        (name, root)
        for name, marks in MARKS.items()
        if any((root / mark).exists() for mark in marks)
    ]
    if not found and depth:
        for folder in _subfolders(root):
            found += recognise(folder, depth - 1)
    return found


def check(root):
    """A Report of every dataset in `root` or a little below it."""
    reports = []
    for name, folder in recognise(root):
        report = Report(name, folder)
        report.attempt(TAKE[name], report, folder)
        reports.append(report)
    return reports


def main(argv=None):
    """Print what is in the folder that the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", metavar="ROOT", type=Path)
    root = parser.parse_args(argv).root
    reports = check(root)
    if not reports:
        what = "no dataset recognised in it" if root.is_dir() else "no such folder"
        print(f"{root}: {what}, of those known:")
        for name, (layout, fetch) in SOURCES.items():
            print(_indented(f"{name}: has {layout}"), _indented(f"to get it: {fetch}", 4), sep="\n")
        return 2
    print("\n\n".join(map(str, reports)))
    return int(any(report.faults for report in reports))


def _subfolders(folder):
    try:
        return sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError:  # no folder, or one that we may not read
        return []


def _indented(text, by=2):
    """`text` in lines of at most WIDTH columns, words such as addresses left whole."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=by * " ",
        subsequent_indent=(by + 4) * " ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _shorten(items):
    items = sorted(map(str, items))
    rest = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + rest


if __name__ == "__main__":
    sys.exit(main())
