"""The best clock for a budget, found on video without labels.

    tuned = tune_clock(net, clips, budget=0.5)  # half of the multiply-adds of every frame
    tuned.best.save("clock.json")

A clock is judged by its agreement with the per-frame oracle: the mean IU of its output against that
of the net on every frame. Of each kind of clock with a threshold, bisection finds the one that
spends the budget; of those with periods, the dearest within it are tried. Clocks of
lib.clocks.paced keep an account, so that they stay within the budget on other video too.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations_with_replacement
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from lib.checks import check_above_zero, check_share
from lib.clips import as_clips, pairs
from lib.clocks.motion import find_motion, moved
from lib.clocks.replay import Replay
from lib.clocks.tuned_clock import TunedClock, schedules
from lib.cost import stage_cost
from lib.cutting import Stages, as_stages
from lib.ports import output_blob
from lib.run_net import feed_net, get_out_scoremap
from lib.schedule import Clip
from lib.score_util import Scores
from lib.stages import FCN8S, Net, run_stage

KINDS = ("every", "fixed_rate", "adaptive", "accumulating", "moving")
PERIODS = (1, 2, 4, 8, 16)  # frames, of the fixed rates
TRIED = 3  # of the fixed rates within the budget, the dearest first
NEVER = 1.1  # threshold of the adaptive clock that is never reached
HIGHEST = 1000.0  # threshold that is tried: no frame changes by more than 1 on average


@dataclass(frozen=True)
class Tuning:
    """What was tried for a budget.

    Attributes
    ----------
    best : TunedClock
        Within the budget, of the highest agreement.
    by_kind : mapping of str to TunedClock
        The best of each kind that can keep the budget.
    tried : tuple of TunedClock
        All that was run: the frontier of agreement over cost is in it.
    budget : float
        Share of the cost, 0..1.
    """

    best: TunedClock
    by_kind: Mapping[str, TunedClock]
    tried: tuple[TunedClock, ...]
    budget: float

    def table(self) -> str:
        """Return a line for each kind of clock: its share of the cost, and its agreement."""
        return "\n".join(
            f"{str(c):60} {c.share:6.1%} of the cost, agreement {c.agreement:6.1%}"
            + (" <- best" if c is self.best else "")
            for c in sorted(self.by_kind.values(), key=lambda c: -c.agreement)
        )


def tune_clock(
    net: Net,
    clips: Sequence[Clip] | Iterable[Clip] | Clip,
    budget: float,
    unit: Literal["share", "ms"] = "share",
    stages: Stages = FCN8S,
    kinds: Sequence[str] = KINDS,
    tolerance: float = 0.01,
    data: str | None = None,
    score: str | None = None,
    notes: Mapping[str, Any] | None = None,
    silent: bool = False,
) -> Tuning:
    """Find the clock that agrees best with the net on every frame, within a budget.

    Parameters
    ----------
    net : Net
    clips : sequence of Clip, or one Clip
        Video like that to be run; labels are not used.
    budget : float
        Of one frame: with unit 'share', of the multiply-adds of the net, above 0 to 1; with 'ms',
        the time on this machine.
    unit : {'share', 'ms'}
    stages : Stages
        How the net is cut, see lib.cutting.as_stages.
    kinds : sequence of str
        Schedules to try.
    tolerance : float
        How near to the budget is near enough, as a share; no clock is dearer by more.
    data, score : str, optional
        The blobs of frame and scores, see lib.ports.
    notes : mapping, optional
        To be kept in the file of the clock, such as ``{"net": "my.prototxt"}``.
    silent : bool
        Show no progress bar.

    Returns
    -------
    Tuning

    Raises
    ------
    ValueError
        If no clock of these kinds can keep the budget, an option is none, or there are no frames.
    """
    check_above_zero("the budget", budget)
    check_share("the tolerance", tolerance)
    if unit not in ("share", "ms") or (unit == "share" and budget > 1):
        raise ValueError(
            f"a budget of {budget!r} in {unit!r}: give a share of the multiply-adds, above 0 to "
            "1, or milliseconds with unit='ms'"
        )
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"no kind of clock {unknown[0]!r}: choose of {', '.join(KINDS)}")
    stages, clips = as_stages(net, stages), as_clips(clips)
    with tqdm(desc="clocks", unit="run", disable=silent) as bar:
        trial = _Trial(net, clips, stages, data, score, unit, bar.update, dict(notes or {}))
        found: dict[str, TunedClock] = {}
        for kind in kinds:
            share = min(trial.share_of(budget, kind), 1.0)
            within = [
                c for c in _FIND[kind](trial, share, tolerance) if c.share <= share + tolerance
            ]
            if within:
                found[kind] = max(within, key=lambda c: c.agreement)
    if not found:
        cheapest = min((c.share for c in trial.tried), default=math.nan)
        raise ValueError(
            f"no clock of {', '.join(kinds)} takes {budget:g} {unit} or less, the cheapest takes "
            f"{cheapest:.0%} of the net: raise the budget, allow other kinds, or cut the net so "
            "that its first stage is cheaper"
        )
    best = max(found.values(), key=lambda c: c.agreement)
    return Tuning(best, found, tuple(trial.tried), trial.share_of(budget, best.name))


class _Trial:
    """Runs clocks on the clips, and compares them with the oracle."""

    def __init__(self, net, clips, stages, data, score, unit, done, notes):
        self.clips, self.stages, self.done, self.notes = clips, stages, done, notes
        self.names = {k: v for k, v in (("data", data), ("score", score)) if v is not None}
        self.replay = Replay(net, stages, data, score)
        self.tried, self._known = [], {}
        self._oracle = [list(self._steps("per_frame", {}, clip)) for clip in clips]
        self.frames = sum(map(len, self._oracle))
        if not self.frames:
            raise ValueError("there are no frames to tune on: give at least one clip")
        self.classes = net.blobs[output_blob(net, score)].data.shape[1]
        self.extra = {}
        if unit == "ms":
            frames = [in_ for clip in clips for in_, _ in pairs(clip[:8])]
            self.costs, self.extra = _milliseconds(net, stages, frames[:8], data, score)
            self.notes["ms_by_stage"] = self.costs
        else:
            self.costs = stage_cost(net, stages)
        self.total = sum(self.costs.values())
        self.in_ms = unit == "ms"

    def share_of(self, budget, kind):
        """Return a budget as a share of the net, less the time that the clock itself takes."""
        return (budget - self.extra.get(kind, 0)) / self.total if self.in_ms else budget

    def run(self, kind, options):
        """Return a TunedClock of these options."""
        key = kind, str(options)
        if key not in self._known:
            scores, spent = Scores(self.classes), 0.0
            for clip, oracle in zip(self.clips, self._oracle, strict=True):
                for step, truth in zip(self._steps(kind, options, clip), oracle, strict=True):
                    scores.add(step.label, truth.label)
                    spent += sum(self.costs[name] for name in (*step.ran, *step.then))
            share = spent / self.total / self.frames
            agreement = float(scores.summary().mean_iu)
            self._known[key] = TunedClock(
                kind, {**options, **self.names}, self.stages, share, agreement, self.notes
            )
            self.tried.append(self._known[key])
            self.done()
        return self._known[key]

    def _steps(self, kind, options, clip):
        clock = partial(schedules()[kind], stages=self.stages, **options, **self.names)
        return clock(self.replay, _Frames(clip))


class _Frames:
    """The frames of a clip, which has a length, as some schedules need a few."""

    def __init__(self, clip):
        self.clip, self.name = clip, getattr(clip, "name", "a clip without a name")

    def __len__(self):
        return len(self.clip)

    def __iter__(self):
        return (in_ for in_, _ in pairs(self.clip))


def _every(trial, budget, tolerance):
    """Yield the clock of the shortest period within the budget; a longer one for short clips."""
    period = max(1, math.ceil(1 / max(budget + tolerance, 1e-6)))
    longest = max(map(len, trial.clips))
    while period <= longest:
        clock = trial.run("every", {"period": period})
        yield clock
        if clock.share <= budget + tolerance:
            return
        period += 1


def _fixed_rate(trial, budget, tolerance):
    """Return the dearest rates within the budget, deeper stages with the longer periods."""
    gated = [stage.name for stage in trial.stages[1:-1]]
    options = []
    for periods in combinations_with_replacement(PERIODS, len(gated)):
        rates = dict(zip(gated, periods, strict=True))
        rest = sum(trial.costs[name] * (1 - 1 / period) for name, period in rates.items())
        options.append((1 - rest / trial.total, {"rates": rates}))
    fitting = [o for o in sorted(options, key=lambda o: -o[0]) if o[0] <= budget + tolerance]
    return [trial.run("fixed_rate", rates) for _, rates in fitting[:TRIED]] if gated else []


def _adaptive(trial, budget, tolerance):
    """Return the clock that gates the last stage but one."""
    if len(trial.stages) < 3:
        return []
    gated = trial.stages[-2].name

    def options(x):
        return {"threshold": min(x, NEVER), "gated": gated}

    return _bisect(trial, "adaptive", options, NEVER, budget, tolerance)


def _accumulating(trial, budget, tolerance):
    """Return clocks that gate the last stage but one, or all but first and last in two ways."""
    gated = [stage.name for stage in trial.stages[1:-1]]
    if not gated:
        return []
    ways = [{gated[-1]: 1.0}, dict.fromkeys(gated, 1.0)]
    if len(gated) > 1:
        ways.append({name: 3.0**i for i, name in enumerate(gated)})
    found = []
    for way in ways:

        def options(x, way=way):
            return {"thresholds": {name: x * factor for name, factor in way.items()}}

        floor = 1 - sum(trial.costs[name] for name in way) / trial.total
        if floor <= budget + tolerance:
            for clock in _bisect(trial, "accumulating", options, HIGHEST, budget, tolerance):
                account: dict[str, Any] = {"budget": min(max(budget, floor), 1.0)}
                account |= {"costs": dict(trial.costs)} if trial.in_ms else {}
                found.append(_kept(trial, clock, account, budget + tolerance))
    return found


def _moving(trial, budget, tolerance):
    """Return the clock that moves outputs, with an account."""
    if not budget > 0:
        return []
    found = _bisect(trial, "moving", lambda x: {"threshold": x}, HIGHEST, budget, tolerance)
    return [_kept(trial, c, {"budget": min(budget, 1.0)}, budget + tolerance) for c in found]


_FIND: dict[str, Callable[[_Trial, float, float], Iterable[TunedClock]]] = {
    "every": _every,
    "fixed_rate": _fixed_rate,
    "adaptive": _adaptive,
    "accumulating": _accumulating,
    "moving": _moving,
}


def _kept(trial, clock, account, limit):
    """Return the clock with an account; without, if that is dearer, as on very short clips."""
    kept = trial.run(clock.name, {**clock.options, **account})
    return kept if kept.share <= limit else clock


def _bisect(trial, kind, options, highest, budget, tolerance, steps=14):
    """Return the clock whose cost is nearest to the budget, in a list; [] if none is within it.

    Cost falls with the threshold, but for small jumps; thresholds are compared by their logarithm.
    """
    low, high = 1e-4, highest
    if trial.run(kind, options(high)).share > budget + tolerance:
        return []
    tried = [trial.run(kind, options(0.0)), trial.run(kind, options(high))]
    for _ in range(steps):
        within = [c for c in tried if c.share <= budget + tolerance]
        best = max(within, key=lambda c: c.share)
        if best.share >= budget - tolerance or high < 1.02 * low:
            break
        middle = math.sqrt(low * high)
        clock = trial.run(kind, options(middle))
        tried.append(clock)
        low, high = (middle, high) if clock.share > budget + tolerance else (low, middle)
    within = [c for c in tried if c.share <= budget + tolerance]
    return [max(within, key=lambda c: c.share)]


def _milliseconds(net, stages, frames, data, score):
    """Measure the median time of each stage, the output with the last, and of what clocks do."""
    taken: dict[str, list[float]] = defaultdict(list)
    label = None
    for number, in_ in enumerate([frames[0], *frames]):  # the first run allocates
        feed_net(net, in_, data)
        for stage in stages:
            start = time.perf_counter()
            run_stage(net, stage)
            if stage is stages[-1]:
                label = get_out_scoremap(net, score)
            if number:
                taken[stage.name].append(1e3 * (time.perf_counter() - start))
    moving = []
    for now in frames:
        start = time.perf_counter()
        motion = find_motion(now, now)
        if label.shape == now.shape[1:]:
            moved(label, motion)
        moving.append(1e3 * (time.perf_counter() - start))
    costs = {name: float(np.median(times)) for name, times in taken.items()}
    return costs, {"moving": float(np.median(moving))}
