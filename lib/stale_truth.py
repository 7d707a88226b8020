"""How fast the truth itself grows old: what an output that was right n frames ago scores now."""
from collections import deque

import numpy as np

from lib.score_util import IGNORE, Scores


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
