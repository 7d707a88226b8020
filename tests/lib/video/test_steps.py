"""A clock run in blocks: it starts anew with each, and takes no frame too many."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.schedule import Step
from lib.video.errors import VideoError
from lib.video.frame import Frame
from lib.video.steps import run_steps


def prepared(n, taken=None):
    for i in range(n):
        if taken is not None:
            taken.append(i)
        yield Frame(i, i, Fraction(1, 25), None), np.full((3, 1, 1), i, np.float32)


def numbered(net, frames):
    """A clock that says which frame of its block it sees."""
    for t, frame in enumerate(frames):
        yield Step(np.uint8([[frame[0, 0, 0]]]), ran=(f"t{t}",))


def test_each_block_starts_anew():
    done = list(run_steps(None, numbered, prepared(7), block=3))
    assert (
        [d.frame.number for d in done] == list(range(7)) == [int(d.step.label[0, 0]) for d in done]
    )
    assert [d.step.ran[0] for d in done] == ["t0", "t1", "t2", "t0", "t1", "t2", "t0"]
    assert [d.last for d in done] == [False, False, True, False, False, True, False]


def test_no_frames():
    assert list(run_steps(None, numbered, prepared(0))) == []


def test_no_frame_is_taken_before_its_turn():
    taken = []
    steps = run_steps(None, numbered, prepared(9, taken), block=3)
    for number in range(9):
        next(steps)
        assert taken == list(range(number + 1))


def test_one_block_is_what_the_clock_gives(fake_net, fake):
    frames = [fake.frame(t) for t in (0, 1, 1, 2, 3)]
    pairs = [(Frame(i, i, Fraction(1, 25), None), in_) for i, in_ in enumerate(frames)]
    clock = partial(schedule.adaptive, threshold=0.5)
    got = [done.step.ran for done in run_steps(fake_net, clock, pairs, block=None)]
    assert got == [step.ran for step in clock(fake.net(), frames)]


def test_a_last_block_shorter_than_a_pipeline_needs(card):
    import caffe

    net = caffe.Net(str(card.with_name("small.prototxt")), caffe.TEST)
    frame = np.zeros((3, 48, 64), np.float32)
    pairs = [(Frame(i, i, Fraction(1, 25), None), frame) for i in range(4)]
    done = list(run_steps(net, schedule.pipeline_3stage, pairs, block=3))
    assert [d.frame.number for d in done] == [0, 1, 2, 3]


def test_an_error_of_the_net_names_the_frame():
    def failing(net, frames):
        for frame in frames:
            if frame[0, 0, 0] == 4:
                raise ValueError("scores are not numbers")
            yield Step(np.uint8([[0]]), ran=())

    steps, got = run_steps(None, failing, prepared(9), block=3), []
    with pytest.raises(VideoError, match="^frame 4: scores are not numbers"):
        for done in steps:
            got.append(done.frame.number)
    assert got == [0, 1, 2, 3]
