"""Clocks: which stages run on which frame of a clip, as generators that read like the schedule.

These are the clocks of the paper; lib.clocks has better ones.

A schedule is called as ``schedule(net, frames, ...)`` with an iterable of frames (3 x H x W float
each, one size per clip) and yields one `Step` per frame, in order. It takes the next frame only
when its Step has been consumed, so frames may come from a camera. Bind options with
``functools.partial``. Every schedule runs the first frame of a clip in full, as there are no older
scores to fuse with.

Every schedule takes the options `stages` (how the net is cut, see lib.cutting.as_stages), `data`
and `score` (the blobs that take the frame and hold the scores, if the net has other names for them,
see lib.ports).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import NamedTuple, Protocol

import numpy as np

from lib.changes import class_map, watched
from lib.checks import check_names, check_threshold, is_whole
from lib.cutting import Stages, as_stages
from lib.labels import changed_share
from lib.run_net import feed_net, get_out_scoremap
from lib.stages import FCN8S, Net, Stage, find_stage, run_stage, split_at

LabelledFrame = tuple[np.ndarray, np.ndarray | None]
Phase = int | Mapping[str, int]  # of all stages, or of each by name


class Clip(Protocol):
    """A sequence of frames with labels, such as `datasets.clips.Clip`.

    Items are pairs of a frame (3 x H x W float32, BGR, mean-subtracted) and its label (H x W or
    1 x H x W uint8), None for a frame without a label. They may be loaded on access. Functions
    that do not need `name` also take a plain list of such pairs.
    """

    @property
    def name(self) -> str:
        """What reports and files call the clip."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[LabelledFrame]: ...

    def __getitem__(self, i: slice, /) -> Iterable[LabelledFrame]: ...


class Step(NamedTuple):
    """The output for one frame, and the work done for it.

    Attributes
    ----------
    label : H x W uint8 array
    ran : tuple of str
        Names of the stages that ran for this frame before its output, in order.
    then : tuple of str
        Names of the stages that run after the output, when the generator is resumed. The output
        does not wait for them: latency counts `ran`, cost counts both. A generator that is run to
        its end has done all of them, so totals over a clip are exact.
    macs : mapping of str to int, or None
        Multiply-adds by layer since the Step before, if stages may have run in part
        (`lib.clocks.space`); None for whole stages. What ran after the last output is added when
        the generator ends.
    change : float or None
        What the clock measured to decide, by its own measure; None on a frame that it decides
        without, such as the first of a clip.
    """

    label: np.ndarray
    ran: tuple[str, ...]
    then: tuple[str, ...] = ()
    macs: Mapping[str, int] | None = None
    change: float | None = None


Schedule = Callable[..., Iterator[Step]]  # called as schedule(net, frames)


def per_frame(
    net: Net,
    frames: Iterable[np.ndarray],
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run all stages on every frame: the oracle that clocks are measured against."""
    stages = as_stages(net, stages)
    for frame in at_least(1, "per_frame", frames, one_size=False):
        feed_net(net, frame, data)
        yield _output(net, stages, score)


def every(
    net: Net,
    frames: Iterable[np.ndarray],
    period: int,
    phase: int = 0,
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run all stages on every `period`-th frame and repeat the last output in between.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    period : int
        In frames, at least 1.
    phase : int
        From 0 to period - 1: frame t runs if (t - phase) % period == 0. The first frame always
        runs.
    stages : Stages

    Yields
    ------
    Step
    """
    stages = as_stages(net, stages)
    ticks = _clock(period, phase)
    for t, frame in enumerate(at_least(phase + 1, f"every({period}, phase {phase})", frames)):
        if t == 0 or ticks(t):
            feed_net(net, frame, data)
            step = _output(net, stages, score)
            yield step
        else:
            yield Step(step.label, ran=())


def every_other(
    net: Net,
    frames: Iterable[np.ndarray],
    phase: int = 0,
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run all stages on every second frame and repeat the output: the baseline at half the cost."""
    return every(net, frames, 2, phase, stages, data, score)


def fixed_rate(
    net: Net,
    frames: Iterable[np.ndarray],
    rates: Mapping[str, int],
    phase: Phase = 0,
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run each stage at its own rate.

    A stage works on the last scores of the stage before it, which may come from an older frame if
    the rates differ.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    rates : mapping of str to int
        Period of each stage in frames, 1 for stages that are not named. ``{"middle": 2, "deep":
        4}`` renews the middle scores every 2nd frame and the deep ones every 4th.
    phase : int or mapping of str to int
        A stage runs on frame t if (t - phase) % period == 0. One for all stages, or one for each
        by name (0 if not named).
    stages : Stages

    Yields
    ------
    Step
    """
    stages = as_stages(net, stages)
    if not isinstance(rates, Mapping):
        raise ValueError(
            f"rates are {rates!r}: give the period of each stage, such as {{'deep': 2}}"
        )
    phases = phase if isinstance(phase, Mapping) else dict.fromkeys(rates, phase)
    for name in (*rates, *phases):
        find_stage(stages, name)
    clocks = {name: _clock(period, phases.get(name, 0)) for name, period in rates.items()}
    needed = max([phases.get(name, 0) for name in rates], default=0) + 1
    for t, frame in enumerate(at_least(needed, f"fixed_rate({rates}, phase {phase})", frames)):
        feed_net(net, frame, data)
        due = [s for s in stages if t == 0 or s.name not in clocks or clocks[s.name](t)]
        yield _output(net, due, score)


def alternating(
    net: Net,
    frames: Iterable[np.ndarray],
    phase: int = 0,
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run the deep stage on every second frame, all others on every frame."""
    return fixed_rate(net, frames, {"deep": 2}, phase, stages, data, score)


def adaptive(
    net: Net,
    frames: Iterable[np.ndarray],
    threshold: float,
    stages: Stages = FCN8S,
    gated: str = "deep",
    watch: str | None = None,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run the `gated` stage only if its input has changed enough since it last ran.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    threshold : float
        Share of pixels, 0..1, whose best class must differ from when the stage last ran, by the
        scores that end the stage before (score_pool4 in FCN-8s). At 0 it always runs, above 1
        never again after the first frame.
    stages : Stages
    gated : str
        Name of a stage, not the first.
    watch : str, optional
        Another blob to compare, computed before the stage; one that is no score is compared by its
        strongest channels.
    data, score : str, optional

    Yields
    ------
    Step
        With the share of changed pixels as `change`.

    Raises
    ------
    ValueError
        If `gated` is the first stage or not a stage, or the threshold is negative, not a number,
        or a percentage.
    """
    check_threshold("the threshold", threshold)
    stages = as_stages(net, stages)
    before, gate, after = split_at(stages, gated)
    scores = watched(net, before[-1], watch)
    at_last_run = None
    for frame in at_least(1, f"adaptive({threshold})", frames):
        feed_net(net, frame, data)
        _run(net, before)
        now = class_map(net.blobs[scores].data)
        # every value of a class map is a class, 255 too
        change = None if at_last_run is None else changed_share(now, at_last_run, ignore=None)
        fired = change is None or change >= threshold
        if fired:
            at_last_run = now
        rest = _output(net, (gate, *after) if fired else after, score)
        yield rest._replace(ran=_names(before) + rest.ran, change=change)


def pipeline(
    net: Net,
    frames: Iterable[np.ndarray],
    cuts: Sequence[str],
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Run stages in parallel: after each cut, stages work on one frame earlier.

    The output fuses the stages before the first cut, run on this frame, with the last scores of
    the others. It is yielded before these run. Each pipeline stage then takes the scores that the
    one before it computed for an earlier frame, last pipeline stage first.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    cuts : sequence of str
        Names of the stages that begin a new pipeline stage, e.g. ``("middle", "deep")``.
    stages : Stages
        The last one fuses and belongs to the output.

    Yields
    ------
    Step
    """
    stages = as_stages(net, stages)
    check_names("cuts", cuts)
    if len(set(cuts)) < len(cuts):
        raise ValueError(f"cuts are {tuple(cuts)}: name each stage once")
    *work, fuse = stages
    if cuts and not work:
        raise ValueError(
            f"a net of the one stage {fuse.name!r} cannot be cut: give a net of several stages, "
            "or use per_frame"
        )
    starts = sorted(find_stage(work, name) for name in cuts)
    fresh = [*work[: min(starts, default=len(work))], fuse]
    late: list[Stage] = []
    end = len(work)
    for start in reversed(starts):
        late += work[start:end]
        end = start
    name = f"pipeline of {len(cuts) + 1} stages"
    for t, frame in enumerate(at_least(len(cuts) + 1, name, frames)):
        feed_net(net, frame, data)
        if t == 0:
            yield _output(net, stages, score)  # fill
        else:
            yield _output(net, fresh, score)._replace(then=_names(late))
            _run(net, late)


def pipeline_2stage(
    net: Net,
    frames: Iterable[np.ndarray],
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Fuse deep scores one frame late: the latency is that of shallow, middle and fuse."""
    return pipeline(net, frames, ("deep",), stages, data, score)


def pipeline_3stage(
    net: Net,
    frames: Iterable[np.ndarray],
    stages: Stages = FCN8S,
    data: str | None = None,
    score: str | None = None,
) -> Iterator[Step]:
    """Fuse deep scores two frames late, middle one: the latency is that of shallow and fuse."""
    return pipeline(net, frames, ("middle", "deep"), stages, data, score)


def _output(net, stages, score):
    """Run `stages` and read the label map."""
    _run(net, stages)
    return Step(get_out_scoremap(net, score), _names(stages))


def _run(net, stages):
    for stage in stages:
        run_stage(net, stage)


def _names(stages):
    return tuple(stage.name for stage in stages)


def _clock(period, phase):
    """Return a function that tells if a clock ticks on frame t."""
    if not (is_whole(period) and is_whole(phase)) or period < 1 or not 0 <= phase < period:
        raise ValueError(
            f"period {period} with phase {phase}: give a period of at least 1 frame "
            "and a phase from 0 to period - 1, both whole numbers"
        )
    return lambda t: (t - phase) % period == 0


def at_least(
    needed: int, schedule: str, frames: Iterable[np.ndarray], one_size: bool = True
) -> Iterator[np.ndarray]:
    """Yield the frames of a clip, and check them for a schedule that one writes.

    Raises ValueError if there are fewer than the schedule `needed` to differ from others, and with
    `one_size` if they differ in size, as scores of two sizes cannot be fused.
    """
    if isinstance(frames, np.ndarray) and frames.ndim == 3:
        raise ValueError(
            f"the frames are one array of the shape {frames.shape}: give a list of frames, [frame] "
            "for one"
        )
    clip = f"{frames.name}: " if hasattr(frames, "name") else ""
    given = len(frames) if isinstance(frames, Sized) else None
    if given is None or given >= needed:
        given, size = 0, None
        for frame in frames:
            given += 1
            before, size = size, getattr(frame, "shape", None)
            if one_size and given > 1 and size != before:
                raise ValueError(
                    f"{clip}frame {given} (the first is 1) has the shape {size}, the one before "
                    f"{before}: scores of two sizes cannot be fused, give frames of one size"
                )
            yield frame
    if given < needed:
        raise ValueError(
            f"{clip}{schedule} needs a clip of at least {needed} frames, got {given}: "
            "take a longer clip or another schedule"
        )
