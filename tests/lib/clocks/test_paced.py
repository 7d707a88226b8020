from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.clocks.paced import Pace, accumulating, moving
from tests.lib.clocks.test_motion import texture


def frames_of(*bright):
    """Frames of 2 x 5: on frame t the best class is 2 in bright[t] pixels, else 0."""
    frames = np.zeros((len(bright), 3, 2, 5), np.float32)
    frames[:, 0] = 1
    for frame, count in zip(frames, bright, strict=True):
        frame[2].flat[:count] = 2
    return list(frames)


def ran_on(steps, stage):
    return [t for t, step in enumerate(steps) if stage in step.ran]


def test_changes_add_up_where_the_change_since_the_firing_does_not(fake_net):
    to_and_fro = frames_of(0, 1, 0, 1, 0, 1, 0, 1, 0)  # 0.1 a frame, never more than 0.1 in all
    steps = list(accumulating(fake_net, to_and_fro, {"deep": 0.29}))
    assert ran_on(steps, "deep") == [0, 3, 6]
    assert ran_on(steps, "middle") == ran_on(steps, "fuse") == list(range(9))
    assert ran_on(schedule.adaptive(fake_net, to_and_fro, 0.29), "deep") == [0]


def test_each_stage_has_its_own_threshold_and_waits_for_the_one_before(fake_net):
    frames = frames_of(0, 2, 4, 6, 8, 10, 8, 6)  # 0.2 a frame
    steps = list(accumulating(fake_net, frames, {"middle": 0.39, "deep": 0.59}))
    assert ran_on(steps, "middle") == [0, 2, 4, 6]
    assert ran_on(steps, "deep") == [0, 4]  # due on frame 3, when middle rests; then again on 7
    assert ran_on(steps, "shallow") == list(range(8))


@pytest.mark.parametrize("threshold, ran", [(0, list(range(5))), (float("inf"), [0])])
def test_always_and_never(fake_net, threshold, ran):
    frames = frames_of(1, 1, 1, 5, 5)
    assert ran_on(accumulating(fake_net, frames, {"deep": threshold}), "deep") == ran
    assert ran_on(moving(fake_net, frames, threshold), "deep") == ran


def test_outputs_fuse_what_ran_when(fake_net, fake):
    frames = [fake.frame(t) for t in range(4)]  # best class never changes
    steps = list(accumulating(fake_net, frames, {"middle": 1, "deep": 1}))
    assert [fake.seen_by_stages(step.label) for step in steps] == [(t, 0, 0) for t in range(4)]


class Thresholded:
    """A net of one stage whose class is 1 where the first channel is above 0."""

    _layer_names = ["in", "net"]
    top_names = {"in": ["data"], "net": ["score"]}
    bottom_names = {"in": [], "net": ["data"]}
    stages = ["net"]
    params = {}

    def __init__(self, fake, height, width):
        blob = type(fake.net().blobs["data"])
        self.blobs = {"data": blob(1, 3, height, width), "score": blob(1, 2, height, width)}
        self.runs = 0

    def forward(self, start=None, end=None):
        self.runs += 1
        first = self.blobs["data"].data[0, 0]
        self.blobs["score"].data[0] = [-first, first]


def test_outputs_move_along_with_the_picture(fake):
    at = texture()
    frames = [at(2 * t, -2 * t) for t in range(6)]
    net = Thresholded(fake, *frames[0].shape[1:])
    steps = list(moving(net, frames, float("inf"), ["net"]))
    assert net.runs == 1 and [bool(step.ran) for step in steps] == [True] + [False] * 5
    inner = (slice(16, -16), slice(16, -16))
    for t, step in enumerate(steps):
        truth = (frames[t][0] > 0)[inner]
        assert np.mean(step.label[inner] != truth) < 0.06
    assert np.mean(steps[0].label[inner] != (frames[5][0] > 0)[inner]) > 0.2


def test_what_motion_does_not_explain_runs_the_net(fake):
    at, other = texture(), texture(seed=1)
    frames = [at(), at(2, 0), at(4, 0), other(), other(0, 2)]
    net = Thresholded(fake, *frames[0].shape[1:])
    ran = [bool(step.ran) for step in moving(net, frames, 0.7, ["net"])]
    assert ran == [True, False, False, True, False]


def test_frames_may_come_in_one_array(fake):
    at = texture()
    places = [at(2 * t, 0) for t in range(4)]
    reused = np.empty_like(places[0])

    def camera():
        for place in places:
            reused[...] = place
            yield reused

    run = partial(moving, threshold=0.4, stages=["net"])
    net = Thresholded(fake, *reused.shape[1:])
    for ours, theirs in zip(run(net, camera()), run(net, places), strict=True):
        np.testing.assert_array_equal(ours.label, theirs.label)
        assert ours.ran == theirs.ran


@pytest.mark.parametrize("budget", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.6])
def test_a_budget_is_kept_at_any_threshold(fake, budget, threshold):
    at = texture(66, 86)
    frames = [at(1.0 * t, 0.7 * (t % 7)) for t in range(60)]
    net = Thresholded(fake, *frames[0].shape[1:])
    spent = np.mean([bool(s.ran) for s in moving(net, frames, threshold, ["net"], budget=budget)])
    free = np.mean([bool(s.ran) for s in moving(net, frames, threshold, ["net"])])
    assert abs(spent - budget) < abs(free - budget) or abs(spent - budget) < 0.1
    assert spent < budget + 0.15


def test_the_account():
    pace = Pace(0.5, {"a": 3, "b": 1})
    assert pace.factor() == 1
    pace.spend(["a", "b"])
    pace.spend(["a"])
    assert pace.debt == pytest.approx(1 + 0.75 - 2 * 0.5) and pace.factor() > 1
    for _ in range(100):
        pace.spend([])
    assert pace.debt == -4 and pace.factor() == 0.25
    free = Pace(None, {"a": 1})
    free.spend(["a"])
    assert free.factor() == 1


@pytest.mark.parametrize(
    "clock, message",
    [
        (partial(accumulating, thresholds={}), "give one for each stage"),
        (partial(accumulating, thresholds=0.5), "such as {'middle'"),
        (partial(accumulating, thresholds={"shallow": 1}), "first stage and cannot be gated"),
        (partial(accumulating, thresholds={"depp": 1}), "no stage 'depp'"),
        (partial(accumulating, thresholds={"deep": -1}), "threshold of 'deep' is -1"),
        (partial(accumulating, thresholds={"deep": float("nan")}), "is nan"),
        (partial(accumulating, thresholds={"deep": 1}, budget=50), "at most 1"),
        (partial(accumulating, thresholds={"deep": 1}, watch="x"), "no blob 'x' to watch"),
        (partial(moving, threshold="0.5"), "threshold is '0.5'"),
        (partial(moving, threshold=1, budget=0), "budget is 0"),
    ],
)
def test_options_that_are_none(fake_net, fake, clock, message):
    with pytest.raises(ValueError, match=message):
        next(clock(fake_net, [fake.frame(0)]))


def test_an_output_of_another_size_cannot_move(fake_net, fake):
    fake_net.forward, fake_net.shallow = lambda **_: None, None  # its output stays 1 x 1
    with pytest.raises(ValueError, match="1 x 1 for frames of 6 x 6.*upsampling"):
        next(moving(fake_net, [np.zeros((3, 6, 6), np.float32)], 1))


def test_frames_of_two_sizes(fake_net, fake):
    frames = [fake.frame(0), fake.frame(1, (3, 4, 4))]
    for clock in (partial(accumulating, thresholds={"deep": 1}), partial(moving, threshold=1)):
        with pytest.raises(ValueError, match="two sizes"):
            list(clock(fake_net, frames))
