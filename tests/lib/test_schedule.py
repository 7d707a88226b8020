from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.stages import FCN8S, Stage

ALL = ("shallow", "middle", "deep", "fuse")
NO_DEEP = ("shallow", "middle", "fuse")


def run(clock, net, fake, count=4):
    """Return (frames that shallow, middle, deep saw; ran; then) of each step."""
    frames = [fake.frame(t) for t in range(count)]
    return [(fake.seen_by_stages(step.label), step.ran, step.then) for step in clock(net, frames)]


@pytest.mark.parametrize(
    "clock, seen, ran",
    [
        (schedule.per_frame, [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3)], [ALL] * 4),
        (schedule.every_other, [(0, 0, 0), (0, 0, 0), (2, 2, 2), (2, 2, 2)], [ALL, (), ALL, ()]),
        (
            partial(schedule.every_other, phase=1),
            [(0, 0, 0), (1, 1, 1), (1, 1, 1), (3, 3, 3)],
            [ALL, ALL, (), ALL],
        ),
        (
            partial(schedule.every, period=3),
            [(0, 0, 0), (0, 0, 0), (0, 0, 0), (3, 3, 3)],
            [ALL, (), (), ALL],
        ),
        (
            schedule.alternating,
            [(0, 0, 0), (1, 1, 0), (2, 2, 2), (3, 3, 2)],
            [ALL, NO_DEEP, ALL, NO_DEEP],
        ),
        (
            partial(schedule.alternating, phase=1),
            [(0, 0, 0), (1, 1, 1), (2, 2, 1), (3, 3, 3)],
            [ALL, ALL, NO_DEEP, ALL],
        ),
        (
            partial(schedule.fixed_rate, rates={"middle": 2, "deep": 3}, phase={"middle": 1}),
            [(0, 0, 0), (1, 1, 0), (2, 1, 0), (3, 3, 3)],
            [ALL, NO_DEEP, ("shallow", "fuse"), ALL],
        ),
        (
            partial(
                schedule.fixed_rate,
                rates={"shallow": 1, "middle": 3, "deep": 3},
                phase={"middle": 1, "deep": 2},
            ),
            [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 1, 1)],
            [ALL, NO_DEEP, ("shallow", "deep", "fuse"), ("shallow", "fuse")],
        ),
        (partial(schedule.fixed_rate, rates={}), [(t, t, t) for t in range(4)], [ALL] * 4),
        (partial(schedule.adaptive, threshold=0), [(t, t, t) for t in range(4)], [ALL] * 4),
        (
            partial(schedule.adaptive, threshold=0.01),
            [(t, t, 0) for t in range(4)],
            [ALL] + [NO_DEEP] * 3,
        ),
    ],
)
def test_outputs_and_work(fake_net, fake, clock, seen, ran):
    steps = run(clock, fake_net, fake)
    assert [step[0] for step in steps] == seen
    assert [step[1] for step in steps] == ran
    assert all(step[2] == () for step in steps)


@pytest.mark.parametrize(
    "period, phase, ticks",
    [
        (3, 0, [0, 3, 6, 9]),
        (3, 1, [0, 1, 4, 7, 10]),
        (3, 2, [0, 2, 5, 8]),
        (4, 1, [0, 1, 5, 9]),
        (4, 3, [0, 3, 7]),
        (5, 2, [0, 2, 7]),
    ],
)
def test_a_clock_ticks_on_its_phase_and_on_the_first_frame(fake_net, fake, period, phase, ticks):
    frames = [fake.frame(t % 4) for t in range(11)]
    held = [0] * 11
    for t in ticks:
        held[t:] = [t % 4] * (11 - t)
    steps = list(schedule.every(fake_net, frames, period, phase))
    assert [t for t, step in enumerate(steps) if step.ran == ALL] == ticks
    assert [step.ran for t, step in enumerate(steps) if t not in ticks] == [()] * (11 - len(ticks))
    assert [fake.seen_by_stages(step.label) for step in steps] == [(t, t, t) for t in held]
    for given in (phase, {"deep": phase}):
        steps = list(schedule.fixed_rate(fake_net, frames, {"deep": period}, given))
        assert [t for t, step in enumerate(steps) if "deep" in step.ran] == ticks
        assert [fake.seen_by_stages(step.label)[2] for step in steps] == held
        assert all(step.ran in (ALL, NO_DEEP) for step in steps)


@pytest.mark.parametrize(
    "clock, seen, fresh, late",
    [
        (
            schedule.pipeline_2stage,
            [(0, 0, 0), (1, 1, 0), (2, 2, 1), (3, 3, 2)],
            NO_DEEP,
            ("deep",),
        ),
        (
            schedule.pipeline_3stage,
            [(0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 2, 1)],
            ("shallow", "fuse"),
            ("deep", "middle"),
        ),
        (
            partial(schedule.pipeline, cuts=("middle",)),
            [(0, 0, 0), (1, 0, 0), (2, 1, 1), (3, 2, 2)],
            ("shallow", "fuse"),
            ("middle", "deep"),
        ),
        (partial(schedule.pipeline, cuts=()), [(t, t, t) for t in range(4)], ALL, ()),
    ],
)
def test_pipelines(fake_net, fake, clock, seen, fresh, late):
    steps = run(clock, fake_net, fake)
    assert [step[0] for step in steps] == seen
    assert [step[1:] for step in steps] == [(ALL, ())] + [(fresh, late)] * 3
    # over the whole clip, the steps name exactly the stages that ran
    total = sum((list(ran) + list(then) for _, ran, then in steps), [])
    assert [fake.stages[name] for name in total] == fake_net.ranges


def test_pipeline_yields_before_its_late_stages_run(fake_net, fake):
    steps = schedule.pipeline_2stage(fake_net, iter([fake.frame(0), fake.frame(1)]))
    next(steps), next(steps)
    assert fake_net.ranges[4:] == [fake.stages[name] for name in NO_DEEP]
    assert next(steps, "ended") == "ended"
    assert fake_net.ranges[7:] == [fake.stages["deep"]]


def test_frames_are_asked_for_one_at_a_time(fake_net, fake):
    asked = []

    def camera():
        for t in range(4):
            asked.append(t)
            yield fake.frame(t)

    for clock in (
        schedule.per_frame,
        schedule.alternating,
        schedule.pipeline_3stage,
        schedule.every_other,
        partial(schedule.adaptive, threshold=0.5),
    ):
        asked.clear()
        for t, _ in enumerate(clock(fake_net, camera())):
            assert asked == list(range(t + 1))


@pytest.mark.parametrize(
    "clock, needed",
    [
        (schedule.per_frame, 1),
        (schedule.pipeline_2stage, 2),
        (schedule.pipeline_3stage, 3),
        (partial(schedule.every, period=4, phase=3), 4),
        (partial(schedule.alternating, phase=1), 2),
        (partial(schedule.adaptive, threshold=0.5), 1),
    ],
)
def test_short_clip_is_an_error(fake_net, fake, clock, needed):
    frames = [fake.frame(t) for t in range(needed)]
    assert len(list(clock(fake_net, frames))) == needed
    for short in (frames[:-1], iter(frames[:-1])):
        with pytest.raises(ValueError, match=rf"\w+.* {needed} frames, got {needed - 1}"):
            list(clock(fake_net, short))


def test_wrong_options_are_named(fake_net, fake):
    frames = [fake.frame(0)]
    for clock, message in [
        (
            partial(schedule.per_frame, stages=(*FCN8S[:3], Stage("fuse", "score_pool4c", "sc"))),
            "'fuse' names the layer 'sc'",
        ),
        (
            partial(schedule.per_frame, stages=(Stage("back", "score", "conv1_1"),)),
            "'back' is empty",
        ),
        (partial(schedule.fixed_rate, rates={"dep": 2}), "no stage 'dep'"),
        (partial(schedule.fixed_rate, rates={"deep": 0}), "period 0"),
        (partial(schedule.every, period=2, phase=2), "phase 2"),
        (partial(schedule.pipeline, cuts=("fuse",)), "no stage 'fuse'"),
    ]:
        with pytest.raises(ValueError, match=message):
            next(clock(fake_net, frames))
    assert fake_net.ranges == []


def test_adaptive_fires_on_the_share_of_changed_pixels(fake_net, fake):
    def frame(number, bright_pixels):  # best class 1 in `bright_pixels` of 6 pixels, else 0
        in_ = np.zeros((3, 2, 3), np.float32)
        in_.reshape(3, 6)[1, :bright_pixels] = number + 1
        in_.reshape(3, 6)[0, bright_pixels:] = number + 1
        return in_

    # compared with the last firing, not with the frame before: 2 + 1 pixels are one half
    frames = [frame(t, bright) for t, bright in enumerate([0, 2, 3, 4])]
    steps = schedule.adaptive(fake_net, frames, 0.5)
    assert [("deep" in step.ran, fake.seen_by_stages(step.label)) for step in steps] == [
        (True, (0, 0, 0)),
        (False, (1, 1, 0)),
        (True, (2, 2, 2)),
        (False, (3, 3, 2)),
    ]


def test_adaptive_cannot_gate_the_first_stage(fake_net, fake):
    with pytest.raises(ValueError, match="'shallow' is the first stage"):
        next(schedule.adaptive(fake_net, [fake.frame(0)], 0.5, gated="shallow"))


def test_label_maps_are_kept_apart(fake_net, fake):
    steps = list(schedule.per_frame(fake_net, [fake.frame(0), fake.frame(1)]))
    assert not np.shares_memory(steps[0].label, steps[1].label)
    assert steps[0].label[0, 0] != steps[1].label[0, 0]
