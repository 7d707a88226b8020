"""Choose the options of a clock on video without labels.

For the adaptive clock: the threshold at which it fires on a given share of frames. When it fires
depends only on the scores before the gated stage. They are recorded once (`record_signatures`, or
`per_frame_recording` along with the oracle); `tune_threshold` then tries thresholds without a net.

For the fixed-rate clock: a period for each stage. The deeper a layer, the slower its scores change,
and the longer it may rest. `changes_over` measures how fast they change, and `choose_rates` gives
each stage the longest period over which at most a given share of its pixels changes class.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import lcm

import numpy as np
from tqdm import tqdm

from lib.changes import class_map, share_of_change, watched
from lib.checks import check_share, check_threshold, check_whole, is_whole
from lib.clips import as_clips, pairs
from lib.cutting import Stages, as_stages
from lib.run_net import feed_net, fires
from lib.schedule import Clip, Step, per_frame
from lib.stages import FCN8S, Net, run_stage, split_at

PERIODS = (1, 2, 4, 8, 16)  # frames
MOST_PHASES = 100_000

Signatures = list[np.ndarray]  # of one clip: a class map, h x w uint8, per frame


def record_signatures(
    net: Net,
    clips: Sequence[Clip],
    stages: Stages = FCN8S,
    gated: str = "deep",
    silent: bool = False,
    watch: str | None = None,
    data: str | None = None,
) -> list[Signatures]:
    """Record what the adaptive clock looks at: the class maps of the scores before a stage.

    Runs the stages before `gated` (up to score_pool4 by default) on every frame.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip, or one Clip
    stages : Stages
    gated : str
        Name of the stage that the clock gates.
    silent : bool
        Show no progress bar.
    watch, data : str, optional
        The blob to compare and the one that takes the frame, as for lib.schedule.adaptive.

    Returns
    -------
    list of lists of h x w uint8 arrays
        For each clip the best class of each pixel, one map per frame.
    """
    stages = as_stages(net, stages)
    before, scores = _watched(net, stages, gated, watch)
    clips = as_clips(clips)

    def signature(in_):
        feed_net(net, in_, data)
        for stage in before:
            run_stage(net, stage)
        return class_map(net.blobs[scores].data)

    return [
        [signature(in_) for in_, _ in pairs(clip)]
        for clip in tqdm(clips, desc="signatures", unit="clip", disable=silent)
    ]


def per_frame_recording(
    net: Net,
    frames: Iterable[np.ndarray],
    signatures: list[Signatures],
    stages: Stages = FCN8S,
    gated: str = "deep",
    watch: str | None = None,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run lib.schedule.per_frame and record the signatures of the clip on the way.

    Saves the run of `record_signatures` if the oracle runs anyway.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    signatures : list
        Gets one more item: what `record_signatures` records of this clip.
    stages : Stages
    gated : str
        Name of the stage that the clock gates.
    watch, data, score : str, optional
        The blob to compare, and those of frame and scores, as for lib.schedule.adaptive.

    Yields
    ------
    Step
    """
    stages = as_stages(net, stages)
    _, scores = _watched(net, stages, gated, watch)
    signatures.append([])
    for step in per_frame(net, frames, stages, data, score):
        signatures[-1].append(class_map(net.blobs[scores].data))
        yield step


def firing_share(signatures: Sequence[Signatures], threshold: float) -> float:
    """Return the share of frames, 0..1, on which lib.schedule.adaptive fires.

    The first frame of each clip always counts.

    Raises ValueError if there are no signatures, or the threshold is none (see
    lib.schedule.adaptive).
    """
    check_threshold("the threshold", threshold)
    clips, fired = _as_signatures(signatures), 0
    for clip in clips:
        at_last_run = None
        for now in clip:
            if fires(now, at_last_run, threshold):
                fired, at_last_run = fired + 1, now
    return fired / sum(map(len, clips))


def tune_threshold(
    signatures: Sequence[Signatures], target: float = 0.5, steps: int = 24
) -> tuple[float, float]:
    """Find the threshold at which the adaptive clock fires on about `target` of the frames.

    Bisects the range of thresholds. The firing share falls with the threshold except for small
    jumps, as earlier firings decide what a frame is compared with. So the best threshold tried is
    returned, not the last.

    Parameters
    ----------
    signatures : sequence of lists of h x w uint8 arrays
        From `record_signatures`.
    target : float
        Share of frames, 0..1.
    steps : int
        How many thresholds to try.

    Returns
    -------
    threshold : float
    share : float
        The firing share at this threshold.

    Raises
    ------
    ValueError
        If there are no signatures, the target is no share, or there are no steps.
    """
    check_share("target", target)
    check_whole("steps", steps, least=1)
    signatures = _as_signatures(signatures)
    low, high, tried = 0.0, 1.0, []
    for _ in range(steps):
        threshold = (low + high) / 2
        share = firing_share(signatures, threshold)
        tried.append((abs(share - target), threshold, share))
        low, high = (threshold, high) if share > target else (low, threshold)
    _, threshold, share = min(tried)
    return threshold, share


def changes_over(
    net: Net,
    clips: Sequence[Clip],
    periods: Sequence[int] = PERIODS,
    stages: Stages = FCN8S,
    silent: bool = False,
    data: str | None = None,
) -> dict[str, dict[int, float]]:
    """Measure how much the scores that end each stage change over k frames.

    All stages but the last (which fuses) run on every frame.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip, or one Clip
    periods : sequence of int
        The values of k, at least 1.
    stages : Stages
    silent : bool
        Show no progress bar.
    data : str, optional
        The blob that takes the frame.

    Returns
    -------
    dict of str to dict of int to float
        {stage name: {k: share}}: share of pixels, 0..1, whose best class differs between frames t
        and t + k, mean over all such pairs. A k for which every clip is too short is left out.

    Raises
    ------
    ValueError
        If every clip is too short for every k, a period is no whole number or below 1, or all is
        one stage.
    """
    periods = _as_periods(periods)
    stages = as_stages(net, stages)
    scored = stages[:-1]
    if not scored:
        raise ValueError(
            f"the net is run as the one stage {stages[0].name!r}, which fuses: there are no stages "
            "before it whose scores could change, give stages such as FCN8S"
        )
    shares: dict[str, dict[int, list[float]]] = {stage.name: defaultdict(list) for stage in scored}
    for clip in tqdm(as_clips(clips), desc="changes", unit="clip", disable=silent):
        recent: deque[dict[str, np.ndarray]] = deque(maxlen=max(periods))  # the latest is last
        for in_, _ in pairs(clip):
            now = _classes(net, in_, scored, data)
            for k in periods:
                if k <= len(recent):
                    for name, before in recent[-k].items():
                        shares[name][k].append(share_of_change(now[name], before))
            recent.append(now)
    if not any(shares.values()):
        raise ValueError(
            f"no clip is longer than the shortest period, {min(periods)} frames: take longer clips"
        )
    return {
        name: {k: float(np.mean(of_stage[k])) for k in sorted(of_stage)}
        for name, of_stage in shares.items()
    }


def choose_rates(changes: Mapping[str, Mapping[int, float]], share: float) -> dict[str, int]:
    """Choose the rates of lib.schedule.fixed_rate.

    The first stage runs on every frame, as all others see the video through it. No stage gets a
    longer period than the next deeper one, which would then run again on unchanged scores.

    Parameters
    ----------
    changes : dict of str to dict of int to float
        From `changes_over`, stages from shallow to deep.
    share : float
        From 0 to 1. Each stage gets the longest period over which, and over all shorter ones, at
        most this share of its pixels changes class; 1 if even the shortest changes more.

    Returns
    -------
    dict of str to int
        {stage name: period in frames}.

    Raises
    ------
    ValueError
        If `share` is not in 0..1 or no stages are given.
    """
    if not isinstance(changes, Mapping) or not changes or not 0 <= share <= 1:
        raise ValueError(
            f"share {share} for {len(changes)} stages: give a share from 0 to 1 and "
            "what changes_over returned"
        )
    rates: dict[str, int] = {}
    deeper = None
    for name in list(changes)[:0:-1]:
        longest = _longest(changes[name], share)
        deeper = rates[name] = longest if deeper is None else min(longest, deeper)
    return {name: rates.get(name, 1) for name in changes}


def every_phase(rates: Mapping[str, int]) -> list[dict[str, int]]:
    """List all phases of a clock, for ``lib.evaluate.evaluate(phases=...)``.

    Over all of them the scores of a stage are used at each age equally often, no matter
    which frames have labels.

    Parameters
    ----------
    rates : mapping of str to int
        {stage name: period in frames}, as for lib.schedule.fixed_rate.

    Returns
    -------
    list of dict of str to int
        {stage name: phase}, one for each frame until the clock repeats itself.

    Raises
    ------
    ValueError
        If a period is no whole number of at least 1, or the clock takes more than 100000 frames
        to repeat itself.
    """
    for name, period in rates.items():
        check_whole(f"the period of {name!r} in frames", period, least=1)
    rates = {name: int(period) for name, period in rates.items()}
    repeats = lcm(*rates.values())
    if repeats > MOST_PHASES:
        raise ValueError(
            f"the rates {rates} repeat themselves after {repeats} frames only: give periods "
            "with common factors, such as powers of 2"
        )
    return [{name: frame % period for name, period in rates.items()} for frame in range(repeats)]


def _as_signatures(signatures):
    """Return a list of the signatures of each clip; raise ValueError if there are none.

    Those of one clip are a list of one: else each row of its maps would pass for a frame.
    """
    clips = list(signatures)
    if clips and all(getattr(clip, "ndim", 0) == 2 for clip in clips):
        clips = [clips]
    if not any(map(len, clips)):
        raise ValueError("no signatures to tune on: record them on at least one clip")
    return clips


def _as_periods(periods):
    periods = [periods] if isinstance(periods, (int, np.integer)) else list(periods)
    if not periods or not all(is_whole(k) and k >= 1 for k in periods):
        raise ValueError(
            f"periods {tuple(periods)}: a period is at least 1 frame, a whole number; give one or "
            "more"
        )
    return [int(k) for k in periods]


def _watched(net, stages, gated, watch):
    """Return the stages before the gated one, and the blob that the clock compares."""
    before, *_ = split_at(stages, gated)
    return before, watched(net, before[-1], watch)


def _classes(net, in_, stages, data):
    """Return {stage name: class map, h x w uint8, of the scores that end the stage}."""
    feed_net(net, in_, data)
    classes = {}
    for stage in stages:
        run_stage(net, stage)
        classes[stage.name] = class_map(net.blobs[watched(net, stage)].data)
    return classes


def _longest(changes, share):
    """Return the longest period up to which no more than `share` changes, 1 if there is none."""
    longest = 1
    for period in sorted(changes):
        if changes[period] > share:
            break
        longest = period
    return longest
