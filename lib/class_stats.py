"""The classes of a dataset one by one: how often each occurs, and what a net takes it for.

How fast the truth itself grows old: what an output that was right n frames ago scores now.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from lib.labels import IGNORE
from lib.score_util import Scores


class ClassCounts(NamedTuple):
    """pixels, images  int64 a class: labelled pixels of it, labels that hold it
    ignored         pixels that count for no class
    labels          how many labels were counted
    area            float64 a class: share, 0..1, of a label that it covers, mean over those that
                    hold it; nan for a class that none holds
    """

    pixels: np.ndarray
    images: np.ndarray
    ignored: int
    labels: int
    area: np.ndarray


def count_classes(labels, n_classes, ignore=IGNORE):
    """ClassCounts of an iterable of label maps, each H x W or 1 x H x W uint8.

    Raises ValueError where a label holds a class that is not in 0..n_classes-1.
    """
    pixels, images = np.zeros(n_classes, np.int64), np.zeros(n_classes, np.int64)
    area, ignored, number = np.zeros(n_classes), 0, 0
    for number, label in enumerate(labels, 1):
        found = np.bincount(np.ravel(label), minlength=n_classes)
        if ignore < len(found):
            ignored += int(found[ignore])
            found[ignore] = 0
        if found[n_classes:].any():
            raise ValueError(
                f"label {number} (the first is 1) holds the class "
                f"{int(np.nonzero(found)[0][-1])}, classes are 0..{n_classes - 1}: "
                "give the number of classes of this dataset"
            )
        pixels += found[:n_classes]
        area += found[:n_classes] / np.size(label)
        images += found[:n_classes] > 0
    with np.errstate(invalid="ignore"):  # 0/0 is nan: a class that never occurs
        return ClassCounts(pixels, images, ignored, number, area / images)


class Confusion(NamedTuple):
    """truth, output  class numbers: pixels of the one were given the other
    share          of the true class's pixels, 0..1
    """

    truth: int
    output: int
    share: float


def confusions(hist, count=10):
    """The `count` most costly Confusions of a confusion matrix, those of most pixels first.

    hist  n x n counts as Scores.hist of lib.score_util: hist[i, j] pixels of class i labelled j

    Fewer where the matrix holds fewer errors.
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


def stale_truth(shots, ages, n_classes, class_names=None, ignore=IGNORE):
    """{age: Scores} of the labels of video, each scored against the label `age` frames later.

    shots  iterables of label maps in the order of time, H x W uint8, None for a frame without one;
           such a frame is neither output nor truth
    ages   frames, at least 0

    This is what a perfect net would score if its output were always `age` frames old.
    """
    scores = {age: Scores(n_classes, class_names, ignore) for age in ages}
    for shot in shots:
        past = deque(maxlen=max(ages) + 1)  # the present label is the last
        for now in shot:
            past.append(now)
            for age in ages:
                if age < len(past) and now is not None and past[-1 - age] is not None:
                    _add(scores[age], past[-1 - age], now, ignore)
    return scores


def _add(scores, before, now, ignore):
    """Score a label as an output; where it is ignored it says nothing and is not counted."""
    unknown = before == ignore
    scores.add(np.where(unknown, 0, before), np.where(unknown, ignore, now))
