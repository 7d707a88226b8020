"""Clocks: which stages run on which frame of a clip, as generators that read like the schedule.

A schedule is called as schedule(net, frames, ...) with an iterable of frames (3 x H x W float each,
one size a clip), and yields one Step a frame, in order. It asks for the next frame only once its
Step is taken, so that frames may come from a camera. Bind options with functools.partial.

The first frame of a clip is run in full by every schedule: there is nothing older to fuse with.
"""

from typing import NamedTuple

import numpy as np

from lib.labels import label_map
from lib.run_net import feed_net, fires, get_out_scoremap
from lib.stages import FCN8S, check_stages, find_stage, run_stage, split_at


class Step(NamedTuple):
    """The output for one frame, and the work done for it.

    label  H x W uint8
    ran    names of the stages that ran for this frame before its output, in order
    then   names of the stages that run once the generator is resumed, after the output: work of
           this frame that its output does not wait for. Latency counts `ran`, cost counts both; a
           generator that is run to its end has done all of them, so totals over a clip are right.
    """

    label: np.ndarray
    ran: tuple
    then: tuple = ()


def per_frame(net, frames, stages=FCN8S):
    """All stages on every frame: the oracle that clocks are measured against."""
    check_stages(net, stages)
    for frame in _at_least(1, "per_frame", frames):
        feed_net(net, frame)
        yield _output(net, stages)


def every(net, frames, period, phase=0, stages=FCN8S):
    """All stages where (frame number - phase) % period == 0; between, the last output stands.

    The first frame is always run, whatever the phase.
    """
    check_stages(net, stages)
    ticks = _clock(period, phase)
    for t, frame in enumerate(_at_least(phase + 1, f"every({period}, phase {phase})", frames)):
        if t == 0 or ticks(t):
            feed_net(net, frame)
            step = _output(net, stages)
            yield step
        else:
            yield Step(step.label, ran=())


def every_other(net, frames, phase=0, stages=FCN8S):
    """All stages on every second frame, the stale output between: the baseline at half the cost."""
    return every(net, frames, 2, phase, stages)


def fixed_rate(net, frames, rates, phase=0, stages=FCN8S):
    """Each stage at its own rate: {stage name: period in frames}, 1 for those that are not named.

    rates  e.g. {'middle': 2, 'deep': 4}: middle scores are renewed every 2nd frame, deep every 4th
    phase  a stage runs on frames where (number - phase) % period == 0; an int for all stages, or
           {stage name: phase}

    A stage works on what the one before it gave last, which at other rates may be an older frame.
    """
    check_stages(net, stages)
    for name in rates:
        find_stage(stages, name)
    phases = phase if isinstance(phase, dict) else dict.fromkeys(rates, phase)
    clocks = {name: _clock(period, phases.get(name, 0)) for name, period in rates.items()}
    needed = max([phases.get(name, 0) for name in rates], default=0) + 1
    for t, frame in enumerate(_at_least(needed, f"fixed_rate({rates}, phase {phase})", frames)):
        feed_net(net, frame)
        yield _output(
            net,
            [
                stage
                for stage in stages
                if t == 0 or stage.name not in clocks or clocks[stage.name](t)
            ],
        )


def alternating(net, frames, phase=0, stages=FCN8S):
    """The deep stage on every second frame, all others on every frame."""
    return fixed_rate(net, frames, {"deep": 2}, phase, stages)


def adaptive(net, frames, threshold, stages=FCN8S, gated="deep"):
    """The clock that looks: `gated` fires iff its input changed enough since it last fired.

    threshold  share 0..1 of pixels whose best class, by the scores that end the stage before (for
               FCN-8s score_pool4), must differ from when the stage last fired; at 0 it fires always

    Raises ValueError where `gated` is the first stage or none.
    """
    check_stages(net, stages)
    before, gate, after = split_at(stages, gated)
    scores = net.top_names[before[-1].end][0]
    seen = None
    for frame in _at_least(1, f"adaptive({threshold})", frames):
        feed_net(net, frame)
        _run(net, before)
        now = label_map(net.blobs[scores].data[0])
        fired = fires(now, seen, threshold)
        if fired:
            seen = now
        rest = _output(net, (gate, *after) if fired else after)
        yield rest._replace(ran=_names(before) + rest.ran)


def pipeline(net, frames, cuts, stages=FCN8S):
    """Run in parallel what can be: from each cut on, stages work on one frame less recent.

    cuts  names of the stages that begin a new pipeline stage, e.g. ('middle', 'deep')

    The output fuses the stages before the first cut, run on this frame, with what the others left.
    It is yielded before they run: each pipeline stage then takes what the one before it gave for an
    earlier frame, last stage first. The last of `stages` fuses, it belongs to the output.
    """
    check_stages(net, stages)
    *work, fuse = stages
    starts = sorted(find_stage(work, name) for name in cuts)
    fresh = [*work[: min(starts, default=len(work))], fuse]
    late, end = [], len(work)
    for start in reversed(starts):
        late += work[start:end]
        end = start
    name = f"pipeline of {len(cuts) + 1} stages"
    for t, frame in enumerate(_at_least(len(cuts) + 1, name, frames)):
        feed_net(net, frame)
        if t == 0:
            yield _output(net, stages)  # fill
        else:
            yield _output(net, fresh)._replace(then=_names(late))
            _run(net, late)


def pipeline_2stage(net, frames, stages=FCN8S):
    """Deep scores one frame late: the latency is that of shallow, middle and fuse."""
    return pipeline(net, frames, ("deep",), stages)


def pipeline_3stage(net, frames, stages=FCN8S):
    """Deep scores two frames late, middle one: the latency is that of shallow and fuse."""
    return pipeline(net, frames, ("middle", "deep"), stages)


def _output(net, stages):
    """Run `stages` and read the label map."""
    _run(net, stages)
    return Step(get_out_scoremap(net), _names(stages))


def _run(net, stages):
    for stage in stages:
        run_stage(net, stage)


def _names(stages):
    return tuple(stage.name for stage in stages)


def _clock(period, phase):
    if period < 1 or not 0 <= phase < period:
        raise ValueError(
            f"period {period} with phase {phase}: give a period of at least 1 frame "
            "and a phase from 0 to period - 1"
        )
    return lambda t: (t - phase) % period == 0


def _at_least(needed, schedule, frames):
    """The frames; ValueError where they are fewer than `needed` for the schedule to take effect."""
    given = len(frames) if hasattr(frames, "__len__") else None
    if given is None or given >= needed:
        given = 0
        for frame in frames:
            given += 1
            yield frame
    if given < needed:
        clip = f"{frames.name}: " if hasattr(frames, "name") else ""
        raise ValueError(
            f"{clip}{schedule} needs a clip of at least {needed} frames, got {given}: "
            "take a longer clip or another schedule"
        )
