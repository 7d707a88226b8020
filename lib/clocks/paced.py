"""Clocks that count change in place of frames, and move the output along with the picture.

Measured against those of the paper at equal cost, see README. They are schedules as in
lib.schedule, take its options `stages`, `data` and `score`, and a `budget` that they keep to.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from lib.changes import class_map, share_of_change, watched
from lib.checks import check_above_zero, is_number
from lib.clocks.motion import Motion, find_motion, moved, then
from lib.cost import stage_cost
from lib.cutting import Stages, as_stages
from lib.run_net import feed_net, get_out_scoremap
from lib.schedule import Step, at_least
from lib.stages import FCN8S, Net, find_stage, run_stage

SLACK = 2.0  # frames of full work over the budget at which a threshold is twice as high
SAVED = -4.0  # most frames of full work that can be saved up for later


class Pace:
    """Keeps a clock to a budget: raises its threshold while it has spent more, lowers it for less.

    Parameters
    ----------
    budget : float or None
        Share of the cost of all stages on every frame, above 0; None for a clock without a
        budget.
    costs : mapping of str to float
        Of each stage by name, in any unit.
    """

    def __init__(self, budget: float | None, costs: Mapping[str, float]) -> None:
        self.budget, self.debt = budget, 0.0
        total = sum(costs.values())
        self.shares = {name: cost / total for name, cost in costs.items()} if total else {}

    def factor(self) -> float:
        """Return by what the threshold is to be multiplied for the next frame."""
        return 2.0 ** (self.debt / SLACK)

    def spend(self, ran: Iterable[str]) -> None:
        """Count a frame, on which these stages ran."""
        if self.budget is not None:
            spent = sum(self.shares.get(name, 0) for name in ran)
            self.debt = max(self.debt + spent - self.budget, SAVED)


def accumulating(
    net: Net,
    frames: Iterable[np.ndarray],
    thresholds: Mapping[str, float],
    stages: Stages = FCN8S,
    watch: str | None = None,
    budget: float | None = None,
    costs: Mapping[str, float] | None = None,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run each named stage once enough change has added up since it last ran.

    The change of a frame is the share of pixels whose best class differs from the frame before, by
    the scores that end the first stage (score_pool3 in FCN-8s). It is known before any other stage
    runs, and unlike the change since the last firing it does not level off as a scene goes on. This
    is lib.schedule.fixed_rate with change in place of frames.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    thresholds : mapping of str to float
        For each stage to be gated, not the first: the sum of changes from which it runs. 0 is
        every frame, infinity never again. A stage waits for the gated one before it, on whose old
        scores it would compute the same again.
    stages : Stages
    watch : str, optional
        Another blob to compare, computed by the first stage.
    budget : float, optional
        Share of the cost of the net on every frame: thresholds follow what has been spent.
    costs : mapping of str to float, optional
        Of each stage, for the budget; by default its multiply-adds.
    data, score : str, optional

    Yields
    ------
    Step

    Raises
    ------
    ValueError
        If a threshold or the budget is no number from 0, or names no stage, or the first.
    """
    stages = as_stages(net, stages)
    _check_thresholds(thresholds, stages)
    check_budget(budget)
    first, *later = stages
    scores = watched(net, first, watch)
    since = dict.fromkeys(thresholds, 0.0)
    pace, before = None, None
    for frame in at_least(1, f"accumulating({dict(thresholds)})", frames):
        feed_net(net, frame, data)
        run_stage(net, first)
        now = class_map(net.blobs[scores].data)
        change = 0.0 if before is None else share_of_change(now, before)
        ran, waits = [first.name], False
        for stage in later:
            if stage.name in thresholds:
                since[stage.name] += change
                due = since[stage.name] >= thresholds[stage.name] * (pace.factor() if pace else 1)
                waits = before is not None and (waits or not due)
                if waits:
                    continue
                since[stage.name] = 0.0
            run_stage(net, stage)
            ran.append(stage.name)
        before = now
        pace = pace or Pace(budget, stage_cost(net, stages) if costs is None else costs)
        pace.spend(ran)
        yield Step(get_out_scoremap(net, score), tuple(ran))


def moving(
    net: Net,
    frames: Iterable[np.ndarray],
    threshold: float,
    stages: Stages = FCN8S,
    budget: float | None = None,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run the net on some frames, and move its output along with the picture in between.

    The motion from frame to frame is found by lib.clocks.motion, without the net. What it does not
    explain adds up until it reaches the threshold and the net runs again.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    threshold : float
        Sum of the residuals of lib.clocks.motion from which the net runs. 0 is every frame,
        infinity never again.
    stages : Stages
    budget : float, optional
        Share of frames on which to run the net: the threshold follows what has been spent.
    data, score : str, optional

    Yields
    ------
    Step
        Its label map is at the size of the frame. The cost of finding motion counts in no stage; it
        is a thousandth of that of a net.

    Raises
    ------
    ValueError
        If the threshold or the budget is no number from 0, or the output is not at the size of the
        frame.
    """
    stages = as_stages(net, stages)
    _check_from_zero("the threshold", threshold)
    check_budget(budget)
    pace = Pace(budget, {"net": 1})
    label: np.ndarray | None = None
    motion: Motion | None = None
    before: np.ndarray | None = None
    for frame in at_least(1, f"moving({threshold})", frames):
        if before is not None:
            latest = find_motion(frame, before)
            motion = latest if motion is None else then(latest, motion)
        before = np.array(frame)  # the caller may fill one array with frame after frame
        if label is None or motion is None or motion.residual >= threshold * pace.factor():
            label, motion = _output(net, frame, stages, data, score), None
            pace.spend(("net",))
            yield Step(label, tuple(stage.name for stage in stages))
        else:
            pace.spend(())
            yield Step(moved(label, motion), ran=())


def check_budget(budget: float | None) -> None:
    """Raise ValueError unless a budget is a share above 0 and at most 1, or None."""
    if budget is not None:
        check_above_zero("the budget", budget)
        if budget > 1:
            raise ValueError(
                f"the budget is {budget!r}: give a share of the net's cost on every frame, at "
                "most 1"
            )


def _output(net, frame, stages, data, score):
    feed_net(net, frame, data)
    for stage in stages:
        run_stage(net, stage)
    label = get_out_scoremap(net, score)
    if label.shape != frame.shape[1:]:
        raise ValueError(
            f"the output is {label.shape[0]} x {label.shape[1]} for frames of "
            f"{frame.shape[1]} x {frame.shape[2]}: only an output of the frame's size can move "
            "along with it, add an upsampling layer or take another clock"
        )
    return label


def _check_thresholds(thresholds, stages):
    if not isinstance(thresholds, Mapping) or not thresholds:
        raise ValueError(
            f"thresholds are {thresholds!r}: give one for each stage to be gated, such as "
            "{'middle': 0.5, 'deep': 1.5}"
        )
    for name, value in thresholds.items():
        if find_stage(stages, name) == 0:
            raise ValueError(
                f"{name!r} is the first stage and cannot be gated: its scores tell how much a "
                "frame changed"
            )
        _check_from_zero(f"the threshold of {name!r}", value)


def _check_from_zero(what, value):
    if not is_number(value) or value < 0:
        raise ValueError(f"{what} is {value!r}: give a number from 0 (every frame)")
