"""Compare clocks at equal cost, and print the tables: python -m notebooks.clock_table [DATA ...].

DATA are camvid, davis (arranged by datasets.davis, see real-video.md) and miniature; all that are
there by default. --weights FILE takes another CamVid net of the same prototxt. Thresholds are set
so that each clock spends the same. *Agreement* is the mean IU against the net on every frame.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import caffe
from datasets.camvid import camvid
from datasets.cityscapes import cityscapes
from datasets.errors import DatasetError
from datasets.miniature import miniature
from datasets.youtube import youtube
from lib import schedule
from lib.changes import class_map, share_of_change
from lib.clocks import paced
from lib.clocks.motion import Motion, find_motion, moved, then
from lib.clocks.replay import Replay
from lib.compare import agreement
from lib.evaluate import Result, evaluate
from lib.run_net import feed_net, get_out_scoremap
from lib.schedule import Step
from lib.stages import FCN8S, Net, run_stage
from nets.weights import find_net, find_weights
from notebooks.results import ROOT

DATA = ("camvid", "davis", "miniature")
DEEP = (0.15, 0.25, 0.5)  # shares of frames with a deep stage
COSTS = (0.25, 0.5)  # shares of all multiply-adds, below what fresh shallow features take
ACCUMULATING = "**sum of changes of score_pool3** (`accumulating`)"
OLDEST = 12  # frames, the maximum age that is tried
CLIPS = 8  # of the miniature
HEAD = """\
| clock | cost | deep stage | mean IU | against the oracle | agreement |
|---|---:|---:|---:|---:|---:|"""

Rule = Callable[["Recorded", int, int], float]  # what a clock measures: (clip, frame, last firing)


class Recorded:
    """What rules look at on a clip: class maps of score_pool3 and score_pool4, and outputs."""

    def __init__(self, net: Net, frames: Sequence[np.ndarray]) -> None:
        self.net, self.frames = net, frames
        self._known: dict[tuple, float] = {}
        self.maps: dict[str, list[np.ndarray]] = {"score_pool3": [], "score_pool4": []}
        self.outputs = []
        for step in schedule.per_frame(net, frames):
            self.outputs.append(step.label)
            for blob, kept in self.maps.items():
                kept.append(class_map(net.blobs[blob].data))

    def change(self, blob: str, t: int, before: int) -> float:
        """Return the share of cells whose best class differs between two frames."""
        return self._once((blob, t, before), lambda: share_of_change(
            self.maps[blob][t], self.maps[blob][before]))  # fmt: skip

    def sum_of_changes(self, blob: str, t: int, last: int) -> float:
        """Return the changes from frame to frame, added up since frame `last`."""
        return sum(self.change(blob, i, i - 1) for i in range(last + 1, t + 1))

    def disagreement(self, t: int, deep: int) -> float:
        """Return the share of pixels that differ from the oracle, with deep features of a frame."""

        def compute():
            for number, stages in ((deep, FCN8S), (t, (*FCN8S[:2], FCN8S[3]))):
                feed_net(self.net, self.frames[number])
                for stage in stages:
                    run_stage(self.net, stage)
            return share_of_change(get_out_scoremap(self.net), self.outputs[t])

        return self._once(("output", t, deep), compute)

    def features(self, t: int, last: int) -> list[float]:
        """Return what the predictor of disagreement sees."""
        since = [self.change(blob, t, last) for blob in self.maps]
        summed = [self.sum_of_changes(blob, t, last) for blob in self.maps]
        return [1.0, t - last, *since, *summed]

    def _once(self, key, compute):
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]


def since(blob: str) -> Rule:
    """Measure the change since the last firing: the clock of the paper on score_pool4."""
    return lambda clip, t, last: clip.change(blob, t, last)


def summed(blob: str) -> Rule:
    """Measure the changes from frame to frame, added up since the last firing."""
    return lambda clip, t, last: clip.sum_of_changes(blob, t, last)


def predicted(clips: Sequence[Recorded]) -> Rule:
    """Fit, by ridge regression on the first half of each clip, the disagreement with the oracle."""
    rows, truth = [], []
    for clip in clips:
        for t in range(1, len(clip.frames) // 2):
            for last in range(max(0, t - OLDEST), t, 3):
                rows.append(clip.features(t, last))
                truth.append(clip.disagreement(t, last))
    x, y = np.array(rows), np.array(truth)
    weights = np.linalg.solve(x.T @ x + 1e-3 * np.eye(x.shape[1]), x.T @ y)
    return lambda clip, t, last: float(np.dot(weights, clip.features(t, last)))


def firings(
    clip: Recorded,
    measure: Callable[..., float],
    threshold: float,
    keep: float = 1,
    oldest: int = 0,
) -> list[bool]:
    """Return on which frames a clock fires.

    `keep` below 1 is hysteresis: once it fires, it goes on down to this part of the threshold.
    `oldest` is the maximum age in frames, 0 for none.
    """
    fired, last = [True], 0
    for t in range(1, len(clip.frames)):
        bar = threshold * (keep if fired[-1] and t > 1 else 1)
        fired.append(measure(clip, t, last) >= bar or bool(oldest and t - last >= oldest))
        last = t if fired[-1] else last
    return fired


def scripted(
    net: Net, frames: Any, script: Mapping[str, list[bool]], gated: Sequence[str]
) -> Iterator[Step]:
    """Run the gated stages on the frames of a script, {name of the clip: firings}."""
    for frame, fires in zip(frames, script[frames.name], strict=True):
        feed_net(net, frame)
        due = [stage for stage in FCN8S if fires or stage.name not in gated]
        for stage in due:
            run_stage(net, stage)
        yield Step(get_out_scoremap(net), tuple(stage.name for stage in due))


def moved_by_number(net: Net, frames: Any, period: int) -> Iterator[Step]:
    """Run the net on every `period`-th frame, and move its output along in between."""
    motion: Motion | None = None
    before = np.empty(0)
    for t, frame in enumerate(frames):
        if t % period == 0:
            label, motion = next(iter(schedule.per_frame(net, [frame]))).label, None
            yield Step(label, tuple(stage.name for stage in FCN8S))
        else:
            latest = find_motion(frame, before)
            motion = latest if motion is None else then(latest, motion)
            yield Step(moved(label, motion), ())
        before = frame


def nearest(share_at: Callable[[float], float], target: float, high: float) -> float:
    """Return the threshold, of those that bisection tries, whose share is nearest to the target."""
    low, tried = 1e-5 * high, []
    for _ in range(16):
        middle = (low * high) ** 0.5
        tried.append((abs(share_at(middle) - target), middle))
        low, high = (middle, high) if share_at(middle) > target else (low, middle)
    return min(tried)[1]


class Comparison:
    """Runs clocks on the clips of one dataset, each frame and stage once."""

    def __init__(self, net: Net, clips: Sequence[Any], classes: int) -> None:
        self.replay = Replay(net, FCN8S, limit=4_000_000_000)
        self.clips = [Held(clip) for clip in clips]
        self.run = partial(
            evaluate, net=self.replay, clips=self.clips, n_classes=classes, keep=True, silent=True
        )
        self.oracle = self.run(schedule.per_frame, name="every frame (oracle)")
        self.recorded = {
            clip.name: Recorded(self.replay, [in_ for in_, _ in clip]) for clip in self.clips
        }

    def row(self, name: str, result: Result) -> str:
        """Return a row of a table."""
        ours, full = result.scores.summary().mean_iu, self.oracle.scores.summary().mean_iu
        same = agreement(result, self.oracle, result.scores.n_classes).summary().mean_iu
        return (
            f"| {name} | {result.macs_per_frame / self.oracle.macs_per_frame:.1%} "
            f"| {result.fired['deep']:.1%} | {100 * ours:.2f} | {100 * (ours - full):+.2f} "
            f"| {100 * same:.1f} |"
        )

    def deep_rules(self, share: float) -> Iterator[str]:
        """Yield rows of clocks of the deep stage, which runs on a share of the frames."""
        period = round(1 / share)
        rates = {"deep": period}
        yield self.row(
            f"every {_nth(period)} frame", self.run(partial(schedule.fixed_rate, rates=rates))
        )
        all_of = list(self.recorded.values())
        paper = {"measure": since("score_pool4")}
        rules: dict[str, dict[str, Any]] = {
            "change of score_pool4 since it ran (the paper's)": paper,
            "the same, going on down to 0.7 of the threshold": paper | {"keep": 0.7},
            f"the same, at least every {OLDEST} frames": paper | {"oldest": OLDEST},
            "change of score_pool3 since it ran": {"measure": since("score_pool3")},
            "sum of changes of score_pool4": {"measure": summed("score_pool4")},
            ACCUMULATING: {"measure": summed("score_pool3")},
            "predicted disagreement with the oracle": {"measure": predicted(all_of)},
            "true disagreement with the oracle (no clock can know it)": {
                "measure": Recorded.disagreement
            },
        }
        for name, rule in rules.items():
            yield self.row(name, self._at_share(rule, share, ("deep",)))

    def half_rules(self, cost: float) -> Iterator[str]:
        """Yield rows of clocks that run the whole net or nothing, for a share of the cost."""
        period = round(1 / cost)
        for how, clock in (("repeated", schedule.every), ("moved along", moved_by_number)):
            result = self.run(partial(clock, period=period))
            yield self.row(f"every {_nth(period)} frame, {how}", result)
        best = nearest(partial(self._spent, self._moving), cost, 50)
        yield self.row("**moved along, by what motion leaves** (`moving`)", self._moving(best))

    def staged_rules(self) -> Iterator[str]:
        """Yield rows of clocks with a period or threshold for the middle and the deep stage."""
        fixed = self.run(partial(schedule.fixed_rate, rates={"middle": 2, "deep": 4}))
        target = fixed.macs_per_frame / self.oracle.macs_per_frame
        yield self.row("fixed rates, middle 2, deep 4", fixed)
        share = (target - self._floor()) / (1 - self._floor())
        rule = {"measure": since("score_pool3")}
        both = self._at_share(rule, share, ("middle", "deep"))
        yield self.row("change of score_pool3 since they ran, both at once", both)
        for name, ratio in (("both at once", 1.0), ("each its own, deep at 3 times", 3.0)):
            x = nearest(partial(self._spent, self._summed, ratio), target, 20)
            yield self.row(f"**sum of changes of score_pool3, {name}**", self._summed(ratio, x))
        x = nearest(partial(self._spent, self._moving), target, 50)
        yield self.row("the whole net or nothing, moved along (`moving`)", self._moving(x))

    def _floor(self):
        """Return the cost of the first and last stage as a share."""
        never = {"middle": 10**6, "deep": 10**6}
        fresh = self._once("floor", partial(schedule.fixed_rate, rates=never))
        whole, spent, n = self.oracle.macs_per_frame, fresh.macs_per_frame, fresh.n_frames
        first = len(self.clips)  # frames that run in full
        return (spent * n - whole * first) / (n - first) / whole

    def _spent(self, run, *options):
        return run(*options).macs_per_frame / self.oracle.macs_per_frame

    def _summed(self, ratio, x):
        clock = partial(paced.accumulating, thresholds={"middle": x, "deep": ratio * x})
        return self._once(("summed", ratio, x), clock)

    def _moving(self, threshold):
        return self._once(("moving", threshold), partial(paced.moving, threshold=threshold))

    def _at_share(self, rule, share, gated):
        def script(threshold):
            fire = partial(firings, threshold=threshold, **rule)
            return {name: fire(clip) for name, clip in self.recorded.items()}

        def share_at(threshold):
            fired = [fires for clip in script(threshold).values() for fires in clip]
            return sum(fired) / len(fired)

        best = script(nearest(share_at, share, 100))
        return self.run(partial(scripted, script=best, gated=gated))

    def _once(self, key, clock):
        known = self.__dict__.setdefault("_results", {})
        if key not in known:
            known[key] = self.run(clock)
        return known[key]


class Held(list):
    """A clip with all its frames in memory."""

    def __init__(self, clip: Any) -> None:
        super().__init__(clip)
        self.name = clip.name


def _nth(n):
    return {2: "2nd", 3: "3rd"}.get(n, f"{n}th")


def dataset(name: str, weights: str | None = None) -> tuple[str, Net, list[Any], int]:
    """Return a title, the net, the clips and the number of classes of one of `DATA`."""
    data: Any
    if name == "camvid":
        data, net, title = camvid(), "camvid-fcn8s-light", "CamVid val"
        clips, classes = data.clips("val"), len(data.classes)
    elif name == "davis":
        data, net, title = youtube(ROOT / "data/davis-youtube"), "davis-fcn8s-light", "DAVIS"
        clips, classes = data.clips(1, "test", 1, "voc"), 21
    else:
        data, net = cityscapes(miniature()), "miniature-cityscapes-fcn8s-light"
        title, clips, classes = "miniature Cityscapes", data.clips("val")[:CLIPS], len(data.classes)
    chosen = weights if name == "camvid" and weights else net
    loaded = caffe.Net(find_net(f"stage-{net}"), find_weights(chosen), caffe.TEST)
    return f"{title}, {Path(chosen).name}", loaded, clips, classes


def tables(name: str, weights: str | None = None) -> Iterator[str]:
    """Yield the lines of the tables of one of `DATA`."""
    title, net, clips, classes = dataset(name, weights)
    comparison = Comparison(net, clips, classes)
    yield f"\n### {title}\n\n{HEAD}"
    yield comparison.row("every frame (oracle)", comparison.oracle)
    for share in DEEP:
        yield f"\n*The deep stage on {share:.0%} of the frames*\n\n{HEAD}"
        yield from comparison.deep_rules(share)
    yield f"\n*The middle and the deep stage*\n\n{HEAD}"
    yield from comparison.staged_rules()
    for cost in COSTS:
        yield f"\n*{cost:.0%} of all multiply-adds*\n\n{HEAD}"
        yield from comparison.half_rules(cost)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", metavar="DATA", help=f"of {', '.join(DATA)}")
    parser.add_argument("--weights", metavar="FILE", help="for CamVid, in place of the bundled")
    args = parser.parse_args(argv)
    if unknown := set(args.data) - set(DATA):
        parser.error(f"no data {sorted(unknown)[0]!r}: choose of {', '.join(DATA)}")
    for name in args.data or DATA:
        try:
            for line in tables(name, args.weights):
                print(line, flush=True)
        except DatasetError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            if args.data:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
