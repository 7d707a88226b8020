"""Statistics of the classes of a dataset.

How often each class occurs (`count_classes`), what a net confuses it with (`confusions`), and how
fast ground truth goes stale on video (`stale_truth`).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lib.labels import IGNORE
from lib.score_util import Scores


class ClassCounts(NamedTuple):
    """How often each class occurs in a set of labels.

    Attributes
    ----------
    pixels : int64 array, one per class
        Pixels with this class.
    images : int64 array, one per class
        Labels that contain it.
    ignored : int
        Pixels with the ignored label.
    labels : int
        How many labels were counted.
    area : float64 array, one per class
        Share of a label, 0..1, that the class covers: mean over the labels that contain it, nan
        if none does.
    """

    pixels: np.ndarray
    images: np.ndarray
    ignored: int
    labels: int
    area: np.ndarray


def count_classes(
    labels: Iterable[np.ndarray], n_classes: int, ignore: int = IGNORE
) -> ClassCounts:
    """Count the pixels of each class.

    Parameters
    ----------
    labels : iterable of uint8 arrays
        Label maps, H x W or 1 x H x W.
    n_classes : int
    ignore : int
        Label of the pixels that belong to no class.

    Returns
    -------
    ClassCounts

    Raises
    ------
    ValueError
        If a label contains a class that is not in 0..n_classes-1.
    """
    pixels, images = np.zeros(n_classes, np.int64), np.zeros(n_classes, np.int64)
    area, ignored, number = np.zeros(n_classes), 0, 0
    for number, label in enumerate(labels, 1):
        counts = np.bincount(np.ravel(label), minlength=n_classes)
        if ignore < len(counts):
            ignored += int(counts[ignore])
            counts[ignore] = 0
        if counts[n_classes:].any():
            raise ValueError(
                f"label {number} (the first is 1) contains the class "
                f"{int(np.nonzero(counts)[0][-1])}, classes are 0..{n_classes - 1}: "
                "give the number of classes of this dataset"
            )
        pixels += counts[:n_classes]
        area += counts[:n_classes] / np.size(label)
        images += counts[:n_classes] > 0
    with np.errstate(invalid="ignore"):  # 0/0 is nan: a class that never occurs
        return ClassCounts(pixels, images, ignored, number, area / images)


class Confusion(NamedTuple):
    """Pixels of the class `truth` that were labelled `output`: a share, 0..1, of its pixels."""

    truth: int
    output: int
    share: float


def confusions(hist: np.ndarray, count: int = 10) -> list[Confusion]:
    """List the errors of a confusion matrix that cost most.

    Parameters
    ----------
    hist : n x n counts
        As `Scores.hist` of lib.score_util: hist[i, j] pixels of class i were labelled j.
    count : int
        How many to list.

    Returns
    -------
    list of Confusion
        By number of pixels, largest first; fewer than `count` if there are fewer errors.
    """
    hist = np.asarray(hist)
    wrong = hist - np.diag(np.diag(hist))
    worst = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = zip(*np.unravel_index(worst, hist.shape), strict=True)
    return [
        Confusion(int(i), int(j), float(hist[i, j] / hist[i].sum()))
        for i, j in pairs
        if wrong[i, j]
    ]


def stale_truth(
    shots: Iterable[Iterable[np.ndarray | None]],
    ages: Sequence[int],
    n_classes: int,
    class_names: Sequence[str] | None = None,
    ignore: int = IGNORE,
) -> dict[int, Scores]:
    """Score the labels of video against the labels some frames later.

    This is the score of a perfect net whose output is always `age` frames old.

    Parameters
    ----------
    shots : iterable of iterables of H x W uint8 arrays
        Label maps in time order. A frame with None is neither output nor truth.
    ages : sequence of int
        In frames, at least 0.
    n_classes : int
    class_names : sequence of str, optional
    ignore : int
        Pixels with this label, in either of the two label maps, are not counted.

    Returns
    -------
    dict of int to Scores
        By age.
    """
    scores = {age: Scores(n_classes, class_names, ignore) for age in ages}
    for shot in shots:
        past: deque[np.ndarray | None] = deque(maxlen=max(ages) + 1)  # the present label is last
        for now in shot:
            past.append(now)
            if now is None:
                continue
            for age in ages:
                before = past[-1 - age] if age < len(past) else None
                if before is not None:
                    _add(scores[age], before, now, ignore)
    return scores


def _add(scores, before, now, ignore):
    """Score a label as an output, without the pixels that it ignores."""
    unknown = before == ignore
    scores.add(np.where(unknown, 0, before), np.where(unknown, ignore, now))
