"""Run a schedule over clips; score, time and count what it did.

What a schedule did on a clip, kept for later: packed, as a label map is mostly even areas.
"""

import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from tqdm import tqdm

from lib.cost import stage_cost
from lib.labels import IGNORE, check_lookup, relabelled
from lib.schedule import Step
from lib.score_util import Scores
from lib.stages import FCN8S


@dataclass
class Result:
    """What one schedule did on a set of clips.

    fired            {stage: share of frames it ran on, 0..1}
    macs_per_frame   multiply-adds, mean over frames
    ms_per_frame     all work of the schedule, mean over frames, loading and scoring left out
    latency_ms       from the frame being there to its output, mean over frames: what a pipeline
                     runs after its output counts in ms_per_frame only
    region_scores    scores of the pixels of a region, e.g. near boundaries, where one was given
    labels           label maps, one lib.kept.KeptRun a run of a clip, where evaluate was asked to
                     keep them: with phases, all runs of the first clip, then all of the second
    clips            names of the clips that these are of, None for a clip without a name
    """

    name: str
    scores: Scores
    fired: dict
    macs_per_frame: float
    ms_per_frame: float
    latency_ms: float
    n_frames: int
    n_labelled: int
    region_scores: Scores = None
    labels: list = None
    clips: list = None

    def kept(self, clip):
        """The KeptRun of the clip of this name, at the first phase where there are several.

        Raises ValueError where it was not kept.
        """
        if self.labels is None or clip not in self.clips:
            raise ValueError(
                f"{self.name}: kept nothing of the clip {clip!r}, call "
                "evaluate(..., keep=True) with it"
            )
        return self.labels[self.clips.index(clip)]


def evaluate(
    schedule,
    net,
    clips,
    n_classes,
    name=None,
    class_names=None,
    ignore=IGNORE,
    phases=None,
    coin_flip=False,
    seed=0,
    stages=FCN8S,
    keep=False,
    silent=False,
    relabel=None,
    region=None,
):
    """Run `schedule` over every clip and score every labelled frame against its label.

    schedule   schedule(net, frames) -> Steps, see lib.schedule; bind options with functools.partial
    clips      sequence of clips, each a sequence of (in_, label or None), loaded as they are asked
               for: 3 x H x W float32 and H x W (or 1 x H x W) uint8
    phases     run every clip once for each of these values of the schedule's keyword `phase`, and
               add up: a score that no choice of phase biases
    coin_flip  run every clip once only, at one of `phases` drawn with `seed`
    stages     the stages the schedule runs, to count their cost
    keep       keep label maps and Steps of all frames, see Result.labels and Result.kept
    silent     no progress bar
    relabel    256 uint8: relabel[class of the net] is the class of the labels, where they differ;
               what is scored and kept is relabelled
    region     callable, label H x W -> H x W bool: score these pixels besides on their own, in
               Result.region_scores

    Returns a Result. Raises ValueError where there is nothing to run, and what schedules raise.
    """
    if coin_flip and not phases:
        raise ValueError("a coin flip needs phases to choose from: give phases=(0, 1)")
    check_lookup(relabel)
    name, rng = name or _name(schedule), np.random.default_rng(seed)
    tally = _Tally(partial(Scores, n_classes, class_names, ignore), keep, relabel, region)
    with tqdm(desc=name, unit="frame", disable=silent) as bar:
        runs = 1 if coin_flip or not phases else len(phases)
        bar.total = runs * sum(map(len, clips))
        for clip in clips:
            chosen = phases or (None,)
            if coin_flip:
                chosen = (chosen[rng.integers(len(chosen))],)
            for phase in chosen:
                options = {} if phase is None else {"phase": phase}
                tally.run_clip(partial(schedule, net, **options), net, clip, stages, bar.update)
    return tally.result(name, stages)


class _Feed:
    """The frames of a clip for a schedule; remembers the label and when the frame was there."""

    def __init__(self, clip):
        self.clip, self.label, self.fed_at, self.loading = clip, None, 0.0, 0.0
        self.name = getattr(clip, "name", "a clip without a name")

    def __len__(self):
        return len(self.clip)

    def __iter__(self):
        asked = time.perf_counter()
        for in_, label in self.clip:
            self.label, self.fed_at = label, time.perf_counter()
            self.loading += self.fed_at - asked
            yield in_
            asked = time.perf_counter()


class _Tally:
    """Sums over frames of all clips."""

    def __init__(self, new_scores, keep, relabel, region):
        self.scores, self.relabel, self.region = new_scores(), relabel, region
        self.region_scores = new_scores() if region else None
        self.runs = Counter()
        self.frames = self.labelled = self.macs = 0
        self.seconds = self.latency = 0.0
        self.labels, self.clips = ([], []) if keep else (None, None)

    def run_clip(self, schedule, net, clip, stages, done):
        """Run schedule(frames) over the clip and add up what it did; done() after each frame."""
        feed, runs, kept = _Feed(clip), Counter(), KeptRun()
        start = time.perf_counter()
        for number, step in enumerate(schedule(feed), 1):
            now = time.perf_counter()
            self.seconds += now - start
            self.latency += now - feed.fed_at
            self.frames += 1
            runs.update([*step.ran, *step.then])
            out = relabelled(step.label, self.relabel)
            if feed.label is not None:
                self._score(out, feed, number)
            if self.labels is not None:
                kept.append(step, out)
            done()
            start = time.perf_counter()  # resuming it runs what comes after the output
        self.seconds += time.perf_counter() - start - feed.loading
        if self.labels is not None:
            self.labels.append(kept)
            self.clips.append(getattr(clip, "name", None))
        costs = stage_cost(net, stages)  # now, as clips differ in size
        if unknown := set(runs) - set(costs):
            raise ValueError(
                f"the schedule ran the stages {sorted(unknown)}, which evaluate "
                "does not know: give both the same stages"
            )
        self.macs += sum(costs[stage] * times for stage, times in runs.items())
        self.runs += runs

    def _score(self, out, feed, number):
        try:
            self.scores.add(out, feed.label)
            if self.region:
                self.region_scores.add(out, feed.label, self.region)
        except ValueError as error:
            raise ValueError(f"{feed.name}, frame {number} (the first is 1): {error}") from None
        self.labelled += 1

    def result(self, name, stages):
        if not self.frames:
            raise ValueError(f"{name}: there are no frames to run, give at least one clip")
        return Result(
            name,
            self.scores,
            {s.name: self.runs[s.name] / self.frames for s in stages},
            self.macs / self.frames,
            1e3 * self.seconds / self.frames,
            1e3 * self.latency / self.frames,
            self.frames,
            self.labelled,
            self.region_scores,
            self.labels,
            self.clips,
        )


def _name(schedule):
    """A schedule's name with the options bound to it: 'adaptive(threshold=0.25)'."""
    bound = getattr(schedule, "keywords", {})
    plain = getattr(schedule, "func", schedule).__name__
    options = ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in bound.items()
        if key != "stages"
    )
    return f"{plain}({options})" if options else plain


class KeptRun(Sequence):
    """The label maps of one run over a clip, H x W uint8 each, and with `steps` its Steps.

    Takes a few hundredths of a byte a pixel; a map is unpacked each time it is asked for.
    """

    def __init__(self):
        self._kept = []

    def append(self, step, label):
        """Keep one Step of lib.schedule with `label`, H x W uint8, in place of its own."""
        self._kept.append((label.shape, zlib.compress(label.tobytes(), 1), step.ran, step.then))

    def __len__(self):
        return len(self._kept)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [_unpack(*kept) for kept in self._kept[i]]
        return _unpack(*self._kept[i])

    def steps(self):
        """A list of the Steps, one a frame, as lib.plot_clock.filmstrip takes them."""
        return [Step(_unpack(*kept), ran, then) for *kept, ran, then in self._kept]


def _unpack(shape, packed, *_):
    return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(shape)
