"""Run a schedule over clips: score its output, time it, and count the stages that ran."""

import inspect
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from tqdm import tqdm

from lib.clips import as_clips, clip_name, pairs
from lib.cost import stage_cost
from lib.cutting import Stages, as_stages
from lib.labels import IGNORE, as_classes, check_lookup, relabelled
from lib.schedule import Clip, Phase, Schedule, Step
from lib.score_util import Region, Scores
from lib.stages import FCN8S, Net


class KeptRun(Sequence[np.ndarray]):
    """The label maps of one run over a clip, H x W uint8 each, and its Steps.

    Label maps are mostly uniform, so they are kept compressed, in a few hundredths of a byte per
    pixel. Each access decompresses one.
    """

    def __init__(self) -> None:
        self._frames: list[tuple] = []

    def append(self, step: Step, label: np.ndarray) -> None:
        """Keep a Step, with `label` (H x W uint8) instead of its own label map."""
        label = as_classes(label)
        self._frames.append((label.shape, zlib.compress(label.tobytes(), 1), *step[1:]))

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return [_decompress(*frame) for frame in self._frames[i]]
        return _decompress(*self._frames[i])

    def steps(self) -> list[Step]:
        """Return the Steps, one per frame, as lib.plot_util.filmstrip takes them."""
        return [Step(_decompress(*frame), *frame[2:]) for frame in self._frames]


@dataclass
class Result:
    """What one schedule did on a set of clips.

    Attributes
    ----------
    name : str
    scores : Scores
        On all labelled frames.
    fired : dict of str to float
        Share of frames, 0..1, on which each stage ran.
    macs_per_frame : float
        Multiply-adds, mean over frames; of stages that ran in part, those that were done.
    ms_per_frame : float
        Time of all work of the schedule, without loading and scoring; mean over frames.
    latency_ms : float
        Time from the arrival of a frame to its output, mean over frames. What a pipeline runs
        after its output counts in `ms_per_frame` only.
    n_frames, n_labelled : int
        Frames that were run, and those of them that were scored.
    region_scores : Scores or None
        Scores of the pixels of a region, e.g. near boundaries, if one was given.
    labels : list of KeptRun or None
        Label maps, one KeptRun per run of a clip, if `evaluate` was called with ``keep=True``.
        With phases: all runs of the first clip, then all of the second, and so on.
    clips : list of (str or None), or None
        Names of the clips that `labels` are of, None for a clip without a name.
    """

    name: str
    scores: Scores
    fired: dict[str, float]
    macs_per_frame: float
    ms_per_frame: float
    latency_ms: float
    n_frames: int
    n_labelled: int
    region_scores: Scores | None = None
    labels: list[KeptRun] | None = None
    clips: list[str | None] | None = None

    def kept_runs(self) -> tuple[list[KeptRun], list[str | None]]:
        """Return `labels` and `clips`; raise ValueError if they were not kept."""
        if self.labels is None or self.clips is None:
            raise ValueError(
                f"{self.name}: its label maps were not kept, call evaluate(..., keep=True)"
            )
        return self.labels, self.clips

    def share_fired(self, stage: str) -> float:
        """Return the share of frames, 0..1, on which a stage ran.

        Raises ValueError, with the stages that there are, if it is not one of them, such as
        'deep' in a net that is run whole.
        """
        if stage not in self.fired:
            raise ValueError(
                f"{self.name}: ran no stage {stage!r}, its stages are {', '.join(self.fired)}: "
                "ask for one of these"
            )
        return self.fired[stage]

    def kept(self, clip: str) -> KeptRun:
        """Return the run over the clip of this name, the one at the first phase if there are more.

        Raises ValueError if it was not kept.
        """
        runs, clips = self.kept_runs()
        if clip not in clips:
            raise ValueError(
                f"{self.name}: kept nothing of the clip {clip!r}, call "
                "evaluate(..., keep=True) with it"
            )
        return runs[clips.index(clip)]


def evaluate(
    schedule: Schedule,
    net: Net,
    clips: Iterable[Clip] | Clip,
    n_classes: int,
    name: str | None = None,
    class_names: Sequence[str] | None = None,
    ignore: int = IGNORE,
    phases: Sequence[Phase] | None = None,
    coin_flip: bool = False,
    seed: int = 0,
    stages: Stages = FCN8S,
    keep: bool = False,
    silent: bool = False,
    relabel: np.ndarray | None = None,
    region: Region | None = None,
    data: str | None = None,
    score: str | None = None,
) -> Result:
    """Run `schedule` over every clip and score every labelled frame.

    Parameters
    ----------
    schedule : callable
        ``schedule(net, frames)`` yields one Step per frame and takes the next frame only then,
        see lib.schedule. Bind options with ``functools.partial``.
    net : Net
    clips : sequence or other iterable of Clip, or one Clip
        Frames are loaded one at a time.
    n_classes : int
        Labels are 0..n_classes - 1.
    name : str, optional
        Of the Result; by default that of the schedule with its options.
    class_names : sequence of str, optional
        One per class, for reports.
    ignore : int
        Label of pixels that are not scored.
    phases : sequence, optional
        Run every clip once for each of these values of the schedule's keyword `phase` and add up
        the counts, so that the scores do not depend on the choice of a phase.
    coin_flip : bool
        Run every clip once only, at one of `phases` drawn at random.
    seed : int
        Of the coin flips.
    stages : Stages
        The stages that the schedule runs, to count their cost, see lib.cutting.as_stages. Other
        ones than FCN8S are passed on to the schedule, unless it has stages of its own.
    keep : bool
        Keep label maps and Steps of all frames, see `Result.labels` and `Result.kept`.
    silent : bool
        Show no progress bar.
    relabel : 256 uint8 array, optional
        Maps the classes of the net to those of the labels, before scoring and keeping.
    region : callable, optional
        Label (H x W) to mask (H x W bool): also score these pixels alone, in
        `Result.region_scores`.
    data, score : str, optional
        The blobs that take the frame and hold the scores, passed on to the schedule, see
        lib.ports.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If there is nothing to run, an option, a frame or a label does not fit, the schedule does
        not yield one Step per frame, or it raises it.
    """
    phases = _as_phases(phases, coin_flip)
    check_lookup(relabel)
    _check_callables(schedule, region)
    clips = as_clips(clips)
    given, stages = stages, as_stages(net, stages)
    name = name or _name(schedule)
    schedule = _with_options(
        schedule, stages=None if given is FCN8S else stages, data=data, score=score
    )
    rng = np.random.default_rng(seed)
    tally = _Tally(partial(Scores, n_classes, class_names, ignore), keep, relabel, region)
    with tqdm(desc=name, unit="frame", disable=silent) as bar:
        runs = 1 if coin_flip or not phases else len(phases)
        bar.total = runs * sum(map(len, clips))
        for clip in clips:
            chosen: Sequence[Phase | None] = phases or (None,)
            if coin_flip:
                chosen = (chosen[int(rng.integers(len(chosen)))],)
            for phase in chosen:
                options = {} if phase is None else {"phase": phase}
                tally.run_clip(partial(schedule, net, **options), net, clip, stages, bar.update)
    return tally.result(name, stages)


def _as_phases(phases, coin_flip):
    """Return the phases as a list, None if none were given; raise ValueError for none to run."""
    if isinstance(phases, (int, str, Mapping)):
        raise ValueError(f"phases are {phases!r}: give a list of phases, such as [{phases!r}]")
    listed = None if phases is None else list(phases)
    if coin_flip and not listed:
        raise ValueError("a coin flip needs phases to choose from: give phases=(0, 1)")
    if listed == []:
        raise ValueError("phases are empty: give at least one, or None for a single run")
    return listed


def _with_options(schedule, **options):
    """Bind the options that were given, have no value yet, and that the schedule takes.

    Raises ValueError for the name of a blob that it does not take.
    """
    given = {key: value for key, value in options.items() if value is not None}
    bound = getattr(schedule, "keywords", {})
    try:
        takes = inspect.signature(schedule).parameters
    except (TypeError, ValueError):  # a callable that does not tell
        takes = given
    any_name = any(
        getattr(p, "kind", None) is inspect.Parameter.VAR_KEYWORD for p in takes.values()
    )
    for key in ("data", "score"):
        if key in given and key not in takes and not any_name:
            raise ValueError(
                f"{_name(schedule)} takes no option {key!r}, so it cannot be told of the blob "
                f"{given[key]!r}: add {key}=None to its arguments and pass it to feed_net or "
                "get_out_scoremap"
            )
    taken = {k: v for k, v in given.items() if k not in bound and (k in takes or any_name)}
    return partial(schedule, **taken) if taken else schedule


def _check_callables(schedule, region):
    if not callable(schedule):
        raise ValueError(
            f"the schedule is a {type(schedule).__name__}: give the function itself, such as "
            "schedule.per_frame, with functools.partial(function, option=value) to bind options"
        )
    if region is not None and not callable(region):
        raise ValueError(
            f"region is a {type(region).__name__}: give a function of the label, such as "
            "lambda label: mask"
        )


class _Feed:
    """The frames of a clip for a schedule; records the current label and when its frame arrived."""

    def __init__(self, clip):
        self.clip, self.label, self.fed_at, self.loading = clip, None, 0.0, 0.0
        self.name, self.taken = clip_name(clip), 0

    def __len__(self):
        return len(self.clip)

    def __iter__(self):
        start = time.perf_counter()
        for in_, label in pairs(self.clip):
            self.label, self.fed_at = label, time.perf_counter()
            self.loading += self.fed_at - start
            self.taken += 1
            yield in_
            start = time.perf_counter()

    def steps(self, schedule):
        """Yield the Steps of the schedule on these frames.

        Raises ValueError unless they come as schedules promise: one per frame, before it takes the
        next. Else a Step would be scored against the label of another frame.
        """
        given = schedule(self)
        if not isinstance(given, Iterator):
            raise ValueError(
                f"the schedule returned a {type(given).__name__}: write it as a generator, which "
                "yields a Step for each frame"
            )
        number = 0
        for number, step in enumerate(given, 1):
            if self.taken != number:
                raise ValueError(
                    f"{self.name}: the schedule took {self.taken} frames up to its Step {number}: "
                    "yield one Step per frame, before the next frame is taken"
                )
            _check_step(step, f"{self.name}, frame {number} (the first is 1)")
            yield step
        if not number or number != len(self.clip):
            raise ValueError(
                f"{self.name}: the schedule yielded {number} Steps for {len(self.clip)} frames: "
                "yield one Step per frame; a clip has at least one"
            )


def _check_step(step, place):
    if not isinstance(step, Step):
        raise ValueError(
            f"{place}: the schedule yielded a {type(step).__name__}: yield "
            "lib.schedule.Step(label, ran=(names of stages,))"
        )
    for what in ("ran", "then"):
        if isinstance(getattr(step, what), str):
            raise ValueError(
                f"{place}: {what} is the text {getattr(step, what)!r}: give a tuple of names, "
                f"({getattr(step, what)!r},)"
            )


class _Tally:
    """Sums over the frames of all clips."""

    def __init__(self, new_scores, keep, relabel, region):
        self.scores, self.relabel, self.region = new_scores(), relabel, region
        self.region_scores = new_scores() if region else None
        self.runs = Counter()
        self.frames = self.labelled = self.macs = 0
        self.seconds = self.latency = 0.0
        self.labels, self.clips = ([], []) if keep else (None, None)

    def run_clip(self, schedule, net, clip, stages, done):
        """Run schedule(frames) over the clip and add up what it did; call done() per frame."""
        feed, runs, kept_run = _Feed(clip), Counter(), KeptRun()
        whole: Counter[str] = Counter()  # of these, the stages that ran whole
        part: Mapping[str, int] = {}  # what the last Step counted itself
        start = time.perf_counter()
        for number, step in enumerate(feed.steps(schedule), 1):
            now = time.perf_counter()
            self.seconds += now - start
            self.latency += now - feed.fed_at
            self.frames += 1
            runs.update([*step.ran, *step.then])
            if step.macs is None:
                whole.update([*step.ran, *step.then])
            else:
                self.macs += sum(part.values())
                part = step.macs
            out = self._output(step, feed, number)
            if feed.label is not None:
                self._score(out, feed, number)
            if self.labels is not None:
                kept_run.append(step, out)
            done()
            start = time.perf_counter()  # resuming the schedule runs what comes after the output
        self.seconds += time.perf_counter() - start - feed.loading
        if self.labels is not None:
            self.labels.append(kept_run)
            self.clips.append(getattr(clip, "name", None))
        costs = stage_cost(net, stages)  # after each clip, as clips differ in size
        if unknown := set(runs) - set(costs):
            raise ValueError(
                f"the schedule ran the stages {sorted(unknown)}, which evaluate "
                "does not know: give both the same stages"
            )
        self.macs += sum(costs[stage] * times for stage, times in whole.items())
        self.macs += sum(part.values())
        self.runs += runs

    def _output(self, step, feed, number):
        """Return the label map of a Step in the classes of the labels."""
        with _named(feed, number):
            return relabelled(as_classes(step.label, "the output"), self.relabel)

    def _score(self, out, feed, number):
        with _named(feed, number):
            self.scores.add(out, feed.label)
            if self.region:
                self.region_scores.add(out, feed.label, self.region)
        self.labelled += 1

    def result(self, name, stages):
        """Return the Result; raise ValueError if no frame was run."""
        if not self.frames:
            raise ValueError(f"{name}: there are no frames to run, give at least one clip")
        return Result(
            name=name,
            scores=self.scores,
            fired={stage.name: self.runs[stage.name] / self.frames for stage in stages},
            macs_per_frame=self.macs / self.frames,
            ms_per_frame=1e3 * self.seconds / self.frames,
            latency_ms=1e3 * self.latency / self.frames,
            n_frames=self.frames,
            n_labelled=self.labelled,
            region_scores=self.region_scores,
            labels=self.labels,
            clips=self.clips,
        )


@contextmanager
def _named(feed, number):
    """Put clip and frame before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{feed.name}, frame {number} (the first is 1): {error}") from None


def _name(schedule):
    """Return a schedule's name with the options bound to it, e.g. 'adaptive(threshold=0.25)'."""
    bound = getattr(schedule, "keywords", {})
    function = getattr(schedule, "func", schedule)
    plain = getattr(function, "__name__", type(function).__name__)  # an object has no name
    options = ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={_shown(value)}"
        for key, value in bound.items()
        if key != "stages"
    )
    return f"{plain}({options})" if options else plain


def _decompress(shape, compressed, *_):
    return np.frombuffer(zlib.decompress(compressed), np.uint8).reshape(shape)


def _shown(option):
    """Return an option as text; of a schedule, its name."""
    return _name(option) if callable(option) else str(option)
