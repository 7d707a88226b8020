"""Find the threshold of the adaptive clock that fires a given share of the time.

When it fires depends on the scores before the gated stage only, so that these are recorded once
and any threshold is then tried without the net.


Rates for the fixed-rate clock, chosen on video without labels.

The idea of the paper: the deeper a layer, the slower its scores change, so that its clock may tick
more slowly. How slowly is measured: a stage may rest for as many frames as leave its best class
the same on all but a given share of pixels.
"""

from collections import defaultdict, deque
from math import lcm

import numpy as np
from tqdm import tqdm

from lib.labels import changed_share, label_map
from lib.run_net import feed_net, fires
from lib.schedule import per_frame
from lib.stages import FCN8S, check_stages, run_stage, split_at


def record_signatures(net, clips, stages=FCN8S, gated="deep", silent=False):
    """What the adaptive clock looks at: for each clip a list with a map h x w uint8 a frame.

    It is the best class of each pixel of the scores before the gated stage (score_pool4). Runs the
    stages up to there; clips as for lib.evaluate.evaluate.
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


def per_frame_recording(net, frames, signatures, stages=FCN8S, gated="deep"):
    """The schedule per_frame, which besides appends to the list `signatures` what
    record_signatures records of this clip: spares a run where the oracle is run anyway.
    """
    _, scores = _watched(net, stages, gated)
    signatures.append([])
    for step in per_frame(net, frames, stages):
        signatures[-1].append(label_map(net.blobs[scores].data[0]))
        yield step


def firing_share(signatures, threshold):
    """The share of frames, 0..1, on which lib.schedule.adaptive fires; each first frame does."""
    fired = 0
    for clip in signatures:
        seen = None
        for now in clip:
            if fires(now, seen, threshold):
                fired, seen = fired + 1, now
    return fired / sum(map(len, signatures))


def tune_threshold(signatures, target=0.5, steps=24):
    """(threshold, its firing share): the threshold tried whose share is nearest to `target`.

    Halves the range of thresholds `steps` times. The share falls with the threshold but for small
    jumps (what fired before decides what a frame is compared with), so that the nearest of all
    tried is taken, not the last. Raises ValueError where there are no signatures.
    """
    if not any(map(len, signatures)):
        raise ValueError("no signatures to tune on: record them on at least one clip")
    low, high, tried = 0.0, 1.0, []
    for _ in range(steps):
        threshold = (low + high) / 2
        share = firing_share(signatures, threshold)
        tried.append((abs(share - target), threshold, share))
        low, high = (threshold, high) if share > target else (low, threshold)
    return tuple(np.float64(min(tried)[1:]).tolist())


def _watched(net, stages, gated):
    """The stages before the gated one, and the blob of their scores."""
    before, *_ = split_at(stages, gated)
    return before, net.top_names[before[-1].end][0]


PERIODS = (1, 2, 4, 8, 16)


def changes_over(net, clips, periods=PERIODS, stages=FCN8S, silent=False):
    """How much the scores that end each stage change over k frames, for each k of `periods`.

    All stages but the last (which fuses) run on every frame; clips as for lib.evaluate.evaluate.

    Returns {stage name: {k: share 0..1 of pixels whose best class differs between frames t and
    t + k, mean over all such pairs}}; a k that no clip is long enough for is left out. Raises
    ValueError where that leaves none, or a period is below 1.
    """
    if min(periods) < 1:
        raise ValueError(f"periods {tuple(periods)}: a period is at least 1 frame")
    check_stages(net, stages)
    scored = stages[:-1]
    found = {stage.name: defaultdict(list) for stage in scored}
    for clip in tqdm(clips, desc="changes", unit="clip", disable=silent):
        recent = deque(maxlen=max(periods))  # most recent last
        for in_, _ in clip:
            now = _classes(net, in_, scored)
            for k in periods:
                if k <= len(recent):
                    for name, before in recent[-k].items():
                        found[name][k].append(changed_share(now[name], before))
            recent.append(now)
    if not any(found.values()):
        raise ValueError(
            f"no clip is longer than the shortest period, {min(periods)} frames: take longer clips"
        )
    return {
        name: {k: float(np.mean(shares[k])) for k in sorted(shares)}
        for name, shares in found.items()
    }


def choose_rates(changes, share):
    """Rates for lib.schedule.fixed_rate: {stage name: period in frames}.

    changes  what changes_over measured, stages from shallow to deep
    share    0..1: each stage gets the longest period over which, and over all shorter ones, at most
             this share of its pixels changes class; 1 where even the shortest changes more

    The first stage gets 1, as all others see the video through it. None gets a longer period than
    the next deeper one, which would run again on scores that are still the same. Raises ValueError
    where `share` is not in 0..1 or no stages are given.
    """
    if not changes or not 0 <= share <= 1:
        raise ValueError(
            f"share {share} for {len(changes)} stages: give a share from 0 to 1 and "
            "what changes_over returned"
        )
    rates, deeper = {}, float("inf")
    for name in list(changes)[:0:-1]:
        deeper = rates[name] = min(_longest(changes[name], share), deeper)
    return {name: rates.get(name, 1) for name in changes}


def every_phase(rates):
    """All phases of a clock with these `rates`: for lib.evaluate.evaluate(phases=...), so that what
    a stage gave is scored at each age equally often, whichever frames have labels.

    rates  {stage name: period in frames}, as for lib.schedule.fixed_rate

    Returns a list of {stage name: phase}, as many as frames pass until the clock repeats itself.
    """
    return [
        {name: frame % period for name, period in rates.items()}
        for frame in range(lcm(*rates.values()))
    ]


def _classes(net, in_, stages):
    """{stage name: best class of each pixel, h x w uint8, of the scores that end the stage}."""
    feed_net(net, in_)
    classes = {}
    for stage in stages:
        run_stage(net, stage)
        classes[stage.name] = label_map(net.blobs[net.top_names[stage.end][0]].data[0])
    return classes


def _longest(changes, share):
    longest = 1
    for period in sorted(changes):
        if changes[period] > share:
            break
        longest = period
    return longest
