"""A report on one dataset: what was found, what is missing, and how to get it."""

import os
import textwrap
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from datasets.errors import DatasetError
from datasets.miniature import MANIFEST
from datasets.reading.gate import is_there
from datasets.sources import SOURCES

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
        return "\n".join([f"{self.root}: {what}", *map(indent, [*self.counts, *verdict])])


def indent(text: str, by: int = 2) -> str:
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
