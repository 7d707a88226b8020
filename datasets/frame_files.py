"""Names of the files of video: their suffixes, and the gaps between the numbers of frames.

A clip is a run of frames that follow each other. A file that is missing, or that is spelled another
way and so not found, must not make it shorter without a word.
"""

from collections import Counter
from collections.abc import Sequence

from datasets.errors import DatasetError
from datasets.reading.gate import AnyPath, list_names, show


def names_with(folder: AnyPath, *suffixes: str) -> list[str]:
    """List the names in a folder that end in one of some suffixes, sorted.

    Parameters
    ----------
    folder : path-like
        The folder.
    *suffixes : str
        Ends of names, in lower case where they end in the suffix of a format.

    Returns
    -------
    list of str
        The names; hidden ones are left out.

    Raises
    ------
    DatasetError
        If there is no such folder, or a name has such a suffix in another case, as .PNG.
    """
    lower = tuple(suffix.lower() for suffix in suffixes)
    names = [name for name in list_names(folder) if name.lower().endswith(lower)]
    for name in names:
        if not name.endswith(suffixes):
            raise DatasetError(
                f"{show(folder)}: {name} is not found by this name; rename it to end in "
                f"{' or '.join(suffixes)}"
            )
    return names


def check_no_gap(numbers: Sequence[int], names: Sequence[str], place: str) -> None:
    """Check that numbers of frames follow each other in equal steps.

    Parameters
    ----------
    numbers : sequence of int
        Numbers of the frames of a video, in time order.
    names : sequence of str
        Names of these frames.
    place : str
        Where they are, for the message.

    Raises
    ------
    DatasetError
        If a step is longer than most others.
    """
    step = usual_step(numbers)
    for i in range(1, len(numbers)):
        if numbers[i] - numbers[i - 1] > step:
            raise DatasetError(
                f"{place}: frames are missing between {names[i - 1]} and {names[i]}: frames are "
                f"{step} apart, these {numbers[i] - numbers[i - 1]}; copy them again"
            )


def usual_step(numbers: Sequence[int]) -> int:
    """Return the most frequent difference of neighbours; of several, the smallest."""
    steps = Counter(b - a for a, b in zip(numbers, numbers[1:]))
    return min(steps, key=lambda step: (-steps[step], step), default=1)
