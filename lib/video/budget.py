"""The adaptive clock for a share of all multiply-adds, tuned on a sample of the video itself."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from lib.checks import check_share
from lib.cost import stage_cost
from lib.run_net import feed_net
from lib.schedule import Clip
from lib.stages import Net, Stage
from lib.tuning import record_signatures, tune_threshold
from lib.video.clip import VideoClip
from lib.video.named_clock import ClockError

LEAST = 0.2  # share of frames on which a gated stage must run: one that never does is too stale
RUNS, LENGTH = 3, 16  # pieces of a movie that a clock is tuned on, and their frames


def sample(clip: VideoClip) -> list[VideoClip]:
    """Return pieces of a clip, spread over it: all of it if it is short."""
    if len(clip) <= RUNS * LENGTH:
        return [clip]
    starts = np.linspace(0, len(clip) - LENGTH, RUNS + 2).astype(int)[1:-1]
    return [clip[start : start + LENGTH] for start in map(int, starts)]


def clock_within(
    net: Net, clips: Sequence[Clip], share: float, stages: Sequence[Stage]
) -> dict[str, Any]:
    """Choose the adaptive clock that takes a share of all multiply-adds.

    It gates the deepest stages: as few as suffice for them to run on a fifth of the frames or more.
    If even all but the first and the last do not suffice, it runs on every n-th frame only, and the
    output is repeated in between.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip
        Without labels; what the video is like.
    share : float
        Multiply-adds, of those that all stages on every frame take, above 0 to 1.
    stages : sequence of Stage

    Returns
    -------
    dict
        Entries of a tuned clock, as `lib.video.named_clock.clock_from` takes them.

    Raises
    ------
    ClockError
        If the share cannot be kept, or the net is not cut into stages.
    """
    check_share("the budget", share)
    if not share or len(stages) < 3:
        raise ClockError(
            f"a budget of {share} for a net of {len(stages)} stages: give a share above 0, and a "
            "net that is cut into 3 stages or more"
        )
    feed_net(net, next(iter(clips[0]))[0])
    net.forward()  # costs are those of frames of this size
    cost = stage_cost(net, stages)
    whole = sum(cost.values())
    for period in count(1):
        each = min(1.0, share * period)  # of the frames that are run
        for first in range(len(stages) - 2, 0, -1):
            floor = 1 - sum(cost[stage.name] for stage in stages[first:-1]) / whole
            target = (each - floor) / (1 - floor)
            if target >= LEAST:
                break
        else:
            continue
        break
    chosen = merge(stages, first)
    gated = chosen[first].name
    signatures = [s[::period] for s in record_signatures(net, clips, chosen, gated, silent=True)]
    threshold, firing = tune_threshold(signatures, target)
    return {
        "schedule": "adaptive",
        "threshold": threshold,
        "gated": gated,
        "stages": [list(stage) for stage in chosen],
        "period_of_all": period,
        "budget": share,
        "share": (floor + (1 - floor) * firing) / period,
    }


def merge(stages: Sequence[Stage], first: int) -> tuple[Stage, ...]:
    """Return the stages with all from number `first` to the last but one as one stage."""
    merged = stages[first:-1]
    one = Stage("+".join(stage.name for stage in merged), merged[0].start, merged[-1].end)
    return (*stages[:first], one, stages[-1])
