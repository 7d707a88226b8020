"""Two schedules side by side: on which frames their outputs differ most.

How far a schedule agrees with the per-frame oracle: no labels needed, any video will do.

The oracle's output stands in for the ground truth. What comes out is the price of the clock alone,
without the errors of the net: a schedule that is wrong where the oracle is wrong loses nothing.


Scores of a schedule by the number of the frame: how it does as a clip goes on.
"""

import numpy as np

from lib.labels import changed_share
from lib.score_util import Scores


def largest_difference(maps, others, count=1, apart=3, among=None):
    """Frame numbers, in order, where two lists of label maps of one clip differ most.

    count   how many frames
    apart   least distance between two of them, in frames: neighbours would show the same thing
            twice
    among   frame numbers to choose from, such as those with labels; all if not given

    Fewer than `count` where the clip is too short for that. Raises ValueError where the lists
    are not equally long.
    """
    shares = [changed_share(a, b) for a, b in zip(maps, others, strict=True)]
    chosen = []
    for t in np.argsort(shares)[::-1].tolist():
        allowed = (among is None or t in among) and all(abs(t - c) >= apart for c in chosen)
        if allowed and len(chosen) < count:
            chosen.append(t)
    return sorted(chosen)


def largest_differences(result, other, count=1, first=0):
    """[(clip number, frame number)] where two schedules differ most, in at most one frame a clip.

    result, other  Results of lib.evaluate.evaluate(..., keep=True) on the same clips
    first          the first frame of each clip that counts, all of which are longer

    The clip with the largest difference comes first. Raises ValueError where label maps were not
    kept or are not of the same clips.
    """
    for given in (result, other):
        if given.labels is None:
            raise ValueError(
                f"{given.name}: its label maps were not kept, call "
                "evaluate(..., keep=True) for both schedules"
            )
    found = []
    for number, (maps, others) in enumerate(zip(result.labels, other.labels, strict=True)):
        t = first + largest_difference(maps[first:], others[first:])[0]
        found.append((-changed_share(maps[t], others[t]), number, t))
    return [(number, t) for _, number, t in sorted(found)[:count]]


def agreement(result, oracle, n_classes, class_names=None):
    """Scores of a schedule's label maps against those of the oracle, on all frames of all clips.

    result     Result of lib.evaluate.evaluate(..., keep=True); where it ran every clip once a
               phase, each run is compared with the one of the oracle
    oracle     the same of lib.schedule.per_frame on the same clips (any other schedule that ran
               them once will do as a reference)

    Raises ValueError where the label maps were not kept or are not of the same clips.
    """
    for given in (result, oracle):
        if given.labels is None:
            raise ValueError(
                f"{given.name}: its label maps were not kept, call "
                "evaluate(..., keep=True) for both schedules"
            )
    phases, left = divmod(len(result.labels), len(oracle.labels))
    if left or not phases:
        _differ(result, oracle, f"{len(result.labels)} runs of clips against {len(oracle.labels)}")
    scores = Scores(n_classes, class_names)
    for i, (maps, clip) in enumerate(zip(result.labels, result.clips, strict=True)):
        reference, name = oracle.labels[i // phases], oracle.clips[i // phases]
        if clip != name or len(maps) != len(reference):
            _differ(
                result,
                oracle,
                f"run {i + 1} is of {clip!r}, {len(maps)} frames, against "
                f"{name!r}, {len(reference)} frames",
            )
        for out, truth in zip(maps, reference, strict=True):
            scores.add(out, truth)
    return scores


def _differ(result, oracle, how):
    raise ValueError(
        f"{result.name} and {oracle.name} did not run the same clips: {how}. Evaluate "
        "both on the same list of clips"
    )


def frame_scores(result, clips, n_classes, class_names=None, region=None):
    """A list of Scores, one for each frame number, over all clips.

    result   Result of lib.evaluate.evaluate(..., keep=True) that ran each clip once
    clips    the clips that it ran, in the same order; their labels may be more than those that were
             scored then, for example those of frames that filled a pipeline
    region   callable, label H x W -> H x W bool: score these pixels only

    A number for which no clip has a label has empty Scores. Raises ValueError where the label maps
    were not kept or are not of these clips.
    """
    if result.labels is None:
        raise ValueError(
            f"{result.name}: its label maps were not kept, call evaluate(..., keep=True)"
        )
    ran, given = [len(kept) for kept in result.labels], [len(clip) for clip in clips]
    if ran != given:
        raise ValueError(
            f"{result.name} ran clips of {ran} frames, the clips given have {given}: "
            "give those that it ran, once each"
        )
    by_number = [Scores(n_classes, class_names) for _ in range(max(given, default=0))]
    for kept, clip in zip(result.labels, clips, strict=True):
        for scores, out, (_, label) in zip(by_number, kept, clip, strict=False):
            if label is not None:
                scores.add(out, label, region)
    return by_number
