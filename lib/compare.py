"""Compare schedules frame by frame, by the label maps that `evaluate(..., keep=True)` kept.

`largest_difference` finds the frames on which two outputs differ most. `agreement` scores a
schedule against the output of the per-frame oracle in place of ground truth: the cost of the clock
alone, without the errors of the net, on any video, labelled or not. `frame_scores` tells how a
schedule does as a clip goes on.
"""

from collections.abc import Collection, Sequence
from typing import NoReturn

import numpy as np

from lib.evaluate import Result
from lib.labels import changed_share
from lib.schedule import Clip
from lib.score_util import Region, Scores


def largest_difference(
    maps: Sequence[np.ndarray],
    others: Sequence[np.ndarray],
    count: int = 1,
    apart: int = 3,
    among: Collection[int] | None = None,
) -> list[int]:
    """Find the frames of a clip on which two sequences of label maps differ most.

    Parameters
    ----------
    maps, others : sequences of H x W uint8 arrays
        One per frame.
    count : int
        How many frames to find.
    apart : int
        Least distance between two of them, in frames: neighbours would show the same twice.
    among : collection of int, optional
        Frame numbers to choose from, such as those with labels; all by default.

    Returns
    -------
    list of int
        Frame numbers in order, fewer than `count` if the clip is too short.

    Raises
    ------
    ValueError
        If the sequences differ in length.
    """
    shares = [changed_share(a, b) for a, b in zip(maps, others, strict=True)]
    chosen: list[int] = []
    for t in np.argsort(shares)[::-1].tolist():
        allowed = (among is None or t in among) and all(abs(t - c) >= apart for c in chosen)
        if allowed and len(chosen) < count:
            chosen.append(t)
    return sorted(chosen)


def largest_differences(
    result: Result, other: Result, count: int = 1, first: int = 0
) -> list[tuple[int, int]]:
    """Find the clips, and a frame in each, on which two schedules differ most.

    Parameters
    ----------
    result, other : Result
        Of the same clips, evaluated with ``keep=True``.
    count : int
        How many clips to find.
    first : int
        First frame of each clip to consider; all clips are longer.

    Returns
    -------
    list of (int, int)
        Clip number and frame number, largest difference first.

    Raises
    ------
    ValueError
        If label maps were not kept or are not of the same clips.
    """
    differences = []
    pairs = zip(result.kept_runs()[0], other.kept_runs()[0], strict=True)
    for number, (maps, others) in enumerate(pairs):
        t = first + largest_difference(maps[first:], others[first:])[0]
        differences.append((-changed_share(maps[t], others[t]), number, t))
    return [(number, t) for _, number, t in sorted(differences)[:count]]


def agreement(
    result: Result, oracle: Result, n_classes: int, class_names: Sequence[str] | None = None
) -> Scores:
    """Score a schedule's label maps against those of the oracle, on all frames of all clips.

    Parameters
    ----------
    result : Result
        Evaluated with ``keep=True``. If it ran every clip once per phase, each run is compared
        with the one run of the oracle.
    oracle : Result
        The reference: usually lib.schedule.per_frame on the same clips, once each, with
        ``keep=True``.
    n_classes : int
    class_names : sequence of str, optional

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If the label maps were not kept or are not of the same clips.
    """
    runs, clips = result.kept_runs()
    references, names = oracle.kept_runs()
    phases, left = divmod(len(runs), len(references))
    if left or not phases:
        _raise_other_clips(result, oracle, f"{len(runs)} runs of clips against {len(references)}")
    scores = Scores(n_classes, class_names)
    for i, (maps, clip) in enumerate(zip(runs, clips, strict=True)):
        reference, name = references[i // phases], names[i // phases]
        if clip != name or len(maps) != len(reference):
            _raise_other_clips(
                result,
                oracle,
                f"run {i + 1} is of {clip!r}, {len(maps)} frames, against "
                f"{name!r}, {len(reference)} frames",
            )
        for out, truth in zip(maps, reference, strict=True):
            scores.add(out, truth)
    return scores


def frame_scores(
    result: Result,
    clips: Sequence[Clip],
    n_classes: int,
    class_names: Sequence[str] | None = None,
    region: Region | None = None,
) -> list[Scores]:
    """Score each frame number on its own, over all clips.

    Parameters
    ----------
    result : Result
        Evaluated with ``keep=True``, each clip once.
    clips : sequence of Clip
        The clips that it ran, in the same order. They may have more labels than were scored then,
        for example on the frames that filled a pipeline.
    n_classes : int
    class_names : sequence of str, optional
    region : callable, optional
        Label (H x W) to mask (H x W bool): score these pixels only.

    Returns
    -------
    list of Scores
        One per frame number; empty Scores if no clip has a label there.

    Raises
    ------
    ValueError
        If the label maps were not kept or are not of these clips.
    """
    runs, _ = result.kept_runs()
    ran, given = [len(run) for run in runs], [len(clip) for clip in clips]
    if ran != given:
        raise ValueError(
            f"{result.name} ran clips of {ran} frames, the clips given have {given}: "
            "give those that it ran, once each"
        )
    by_number = [Scores(n_classes, class_names) for _ in range(max(given, default=0))]
    for run, clip in zip(runs, clips, strict=True):
        for scores, out, (_, label) in zip(by_number, run, clip, strict=False):
            if label is not None:
                scores.add(out, label, region)
    return by_number


def _raise_other_clips(result: Result, oracle: Result, how: str) -> NoReturn:
    raise ValueError(
        f"{result.name} and {oracle.name} did not run the same clips: {how}. Evaluate "
        "both on the same list of clips"
    )
