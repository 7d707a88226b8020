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

from lib.labels import changed_share, label_map
from lib.run_net import feed_net, fires
from lib.schedule import Clip, Step, per_frame
from lib.stages import FCN8S, Net, Stage, check_stages, run_stage, split_at

PERIODS = (1, 2, 4, 8, 16)  # frames

Signatures = list[np.ndarray]  # of one clip: a class map, h x w uint8, per frame


def record_signatures(
    net: Net,
    clips: Sequence[Clip],
    stages: Sequence[Stage] = FCN8S,
    gated: str = "deep",
    silent: bool = False,
) -> list[Signatures]:
    """Record what the adaptive clock looks at: the class maps of the scores before a stage.

    Runs the stages before `gated` (up to score_pool4 by default) on every frame.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip
    stages : sequence of Stage
    gated : str
        Name of the stage that the clock gates.
    silent : bool
        Show no progress bar.

    Returns
    -------
    list of lists of h x w uint8 arrays
        For each clip the best class of each pixel, one map per frame.
    """
    check_stages(net, stages)
    before, scores = _watched(net, stages, gated)

    def signature(in_):
        feed_net(net, in_)
        for stage in before:
            run_stage(net, stage)
        return label_map(net.blobs[scores].data[0])

    return [
        [signature(in_) for in_, _ in clip]
        for clip in tqdm(clips, desc="signatures", unit="clip", disable=silent)
    ]


def per_frame_recording(
    net: Net,
    frames: Iterable[np.ndarray],
    signatures: list[Signatures],
    stages: Sequence[Stage] = FCN8S,
    gated: str = "deep",
) -> Iterator[Step]:
    """Run lib.schedule.per_frame and record the signatures of the clip on the way.

    Saves the run of `record_signatures` if the oracle runs anyway.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    signatures : list
        Gets one more item: what `record_signatures` records of this clip.
    stages : sequence of Stage
    gated : str
        Name of the stage that the clock gates.

    Yields
    ------
    Step
    """
    _, scores = _watched(net, stages, gated)
    signatures.append([])
    for step in per_frame(net, frames, stages):
        signatures[-1].append(label_map(net.blobs[scores].data[0]))
        yield step


def firing_share(signatures: Sequence[Signatures], threshold: float) -> float:
    """Return the share of frames, 0..1, on which lib.schedule.adaptive fires.

    The first frame of each clip always counts.
    """
    fired = 0
    for clip in signatures:
        at_last_run = None
        for now in clip:
            if fires(now, at_last_run, threshold):
                fired, at_last_run = fired + 1, now
    return fired / sum(map(len, signatures))


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
        If there are no signatures.
    """
    if not any(map(len, signatures)):
        raise ValueError("no signatures to tune on: record them on at least one clip")
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
    stages: Sequence[Stage] = FCN8S,
    silent: bool = False,
) -> dict[str, dict[int, float]]:
    """Measure how much the scores that end each stage change over k frames.

    All stages but the last (which fuses) run on every frame.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip
    periods : sequence of int
        The values of k, at least 1.
    stages : sequence of Stage
    silent : bool
        Show no progress bar.

    Returns
    -------
    dict of str to dict of int to float
        {stage name: {k: share}}: share of pixels, 0..1, whose best class differs between frames t
        and t + k, mean over all such pairs. A k for which every clip is too short is left out.

    Raises
    ------
    ValueError
        If every clip is too short for every k, or a period is below 1.
    """
    if min(periods) < 1:
        raise ValueError(f"periods {tuple(periods)}: a period is at least 1 frame")
    check_stages(net, stages)
    scored = stages[:-1]
    shares: dict[str, dict[int, list[float]]] = {stage.name: defaultdict(list) for stage in scored}
    for clip in tqdm(clips, desc="changes", unit="clip", disable=silent):
        recent: deque[dict[str, np.ndarray]] = deque(maxlen=max(periods))  # the latest is last
        for in_, _ in clip:
            now = _classes(net, in_, scored)
            for k in periods:
                if k <= len(recent):
                    for name, before in recent[-k].items():
                        shares[name][k].append(changed_share(now[name], before))
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
    if not changes or not 0 <= share <= 1:
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
    """
    return [
        {name: frame % period for name, period in rates.items()}
        for frame in range(lcm(*rates.values()))
    ]


def _watched(net, stages, gated):
    """Return the stages before the gated one, and the blob of their scores."""
    before, *_ = split_at(stages, gated)
    return before, net.top_names[before[-1].end][0]


def _classes(net, in_, stages):
    """Return {stage name: class map, h x w uint8, of the scores that end the stage}."""
    feed_net(net, in_)
    classes = {}
    for stage in stages:
        run_stage(net, stage)
        classes[stage.name] = label_map(net.blobs[net.top_names[stage.end][0]].data[0])
    return classes


def _longest(changes, share):
    """Return the longest period up to which no more than `share` changes, 1 if there is none."""
    longest = 1
    for period in sorted(changes):
        if changes[period] > share:
            break
        longest = period
    return longest
