"""A net that remembers gives what the net gives, in fewer runs."""

from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.clocks import paced
from lib.clocks.replay import Replay
from lib.evaluate import evaluate
from lib.stages import FCN8S, Stage
from tests.lib.net_with_own_names import OwnNet

STAGES = (Stage("a", "first", "double"), Stage("b", "second", "second"), Stage("c", "join", "join"))


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A small FCN-8s with random weights, for frames of 96 x 128."""
    caffe = pytest.importorskip("caffe")
    from nets.fcn8s import fcn8s

    path = tmp_path_factory.mktemp("net") / "fcn8s.prototxt"
    path.write_text(str(fcn8s(4, width=1 / 32, fc_width=16, size=(96, 128))))
    net, rng = caffe.Net(str(path), caffe.TEST), np.random.default_rng(0)
    for weight, *bias in net.params.values():
        weight.data[...] = rng.normal(0, np.sqrt(2 / weight.data[0].size), weight.data.shape)
        for blob in bias:
            blob.data[...] = rng.normal(0, 0.1, blob.data.shape)
    return net


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(1)
    base = rng.normal(0, 40, (3, 96, 160)).cumsum(2).astype(np.float32) / 4
    return [base[..., 2 * t : 2 * t + 128].copy() for t in range(7)]


CLOCKS = [
    schedule.per_frame,
    schedule.every_other,
    schedule.pipeline_3stage,
    partial(schedule.adaptive, threshold=0.1),
    partial(schedule.fixed_rate, rates={"middle": 2, "deep": 3}),  # deep also on old middle scores
    partial(schedule.fixed_rate, rates={"middle": 3, "deep": 2}),
    partial(paced.accumulating, thresholds={"middle": 0.1, "deep": 0.4}, budget=0.8),
    partial(paced.moving, threshold=0.3),
]


def outputs(clock, net, frames):
    return [(step.label.tobytes(), step.ran, step.then) for step in clock(net, frames)]


@pytest.mark.parametrize("limit", [10**9, 40_000])
def test_every_clock_gives_the_same(net, frames, limit):
    replay = Replay(net, FCN8S, limit=limit)
    for clock in CLOCKS:
        assert outputs(clock, replay, frames) == outputs(clock, net, frames)
        replay._in_net.clear()  # the net was used by itself


def test_a_second_clock_runs_the_last_stage_only(net, frames):
    replay = Replay(net, FCN8S)
    list(schedule.per_frame(replay, frames))
    assert replay.runs == 4 * 7
    list(schedule.alternating(replay, frames))
    assert replay.runs == 5 * 7
    list(schedule.every_other(replay, frames))
    assert replay.runs == 5 * 7 + 4


def test_clips_of_two_sizes_are_told_apart_and_counted(net, frames):
    small = [frame[:, :80, :112].copy() for frame in frames[:3]]
    clips = [[(f, None) for f in clip] for clip in (frames[:3], small, frames[:3])]
    run = partial(evaluate, clips=clips, n_classes=4, keep=True, silent=True)
    replay = Replay(net, FCN8S)
    for clock in (schedule.per_frame, schedule.alternating):
        ours, theirs = run(clock, replay), run(clock, net)
        assert ours.macs_per_frame == theirs.macs_per_frame
        for a, b in zip(ours.labels, theirs.labels, strict=True):
            np.testing.assert_array_equal(a[:], b[:])
        replay._in_net.clear()


def test_values_follow_what_each_stage_last_read():
    replay = Replay(OwnNet(), STAGES)
    one, two = (np.full((3, 3, 4), v, np.float32) for v in (1, 2))

    def feed(frame):
        replay.blobs["image"].reshape(1, 3, 3, 4)
        replay.blobs["image"].data[0] = frame

    def run(*names):
        for stage in STAGES:
            if stage.name in names:
                replay.forward(start=stage.start, end=stage.end)
        return replay.blobs["out"].data.flat[0]

    feed(one)
    assert run("a", "b", "c") == 4 + 14
    feed(two)
    assert run("a", "c") == 6 + 14  # c is of the first frame
    assert run("b", "c") == 6 + 16
    feed(one)
    runs = replay.runs
    assert run("a", "c") == 4 + 16 and replay.runs == runs + 1
    assert run("b", "c") == 4 + 14 and replay.runs == runs + 2
    replay.forward()
    assert replay.blobs["out"].data.flat[0] == 18


def test_what_it_cannot_run():
    replay = Replay(OwnNet(), STAGES)
    with pytest.raises(ValueError, match="from first to join are no stage.*a, b, c"):
        replay.forward(start="first", end="join")
    with pytest.raises(ValueError, match="'b' reads the blob 'a', which no stage has computed"):
        replay.forward(start="second", end="second")
    with pytest.raises(ValueError, match="read-only"):
        replay.forward()
        replay.blobs["a"].data[...] = 0
