"""The newest frame: drops, reconnects, and sources that go away."""

import threading
import time
from dataclasses import replace
from fractions import Fraction

import pytest

from lib.video import newest
from lib.video.errors import VideoError
from lib.video.frame import Frame
from lib.video.newest import Newest, paced


def frame(number, interval=0.02):
    return Frame(number, number, Fraction(interval).limit_denominator(1000), None)


def camera(n, interval=0.02):
    """Frames at a steady rate, as a camera sends them."""
    start = time.monotonic()
    for i in range(n):
        time.sleep(max(0, start + i * interval - time.monotonic()))
        yield replace(frame(i, interval), arrived=time.monotonic())


def test_a_slow_consumer_gets_the_newest():
    with Newest(lambda: camera(40), again=False) as frames:
        taken = []
        for got in frames:
            taken.append(got.number)
            time.sleep(0.05)
    assert taken == sorted(set(taken)) and 10 <= len(taken) <= 25
    assert frames.arrived == 40
    assert frames.dropped == 40 - len(taken)
    assert frames.interval == pytest.approx(0.02, rel=0.4)


def test_a_fast_consumer_gets_all():
    with Newest(lambda: camera(20), again=False) as frames:
        assert [got.number for got in frames] == list(range(20))
    assert frames.dropped == 0


def test_a_frame_that_waited_for_an_interval_is_passed_over():
    with Newest(lambda: camera(30, 0.04), again=False) as frames:
        for _ in range(5):
            next(frames)
        ages = []
        for wait in (0.045, 0.05, 0.055, 0.06, 0.065, 0.07, 0.075, 0.078):
            time.sleep(wait)
            got = next(frames)
            ages.append(time.monotonic() - got.arrived)
        # one slip of the scheduler is not the rule
        assert sorted(ages)[-2] < 0.04


def test_reconnecting(monkeypatch):
    monkeypatch.setattr(newest, "PAUSE", 0.01)
    calls, said = [], []

    def connect():
        calls.append(len(calls))
        if len(calls) == 2:
            raise VideoError("no answer")
        if len(calls) > 3:
            raise VideoError("gone")
        yield from camera(3)

    with Newest(connect, patience=0.3, say=said.append) as frames:
        got = []
        with pytest.raises(VideoError, match="after frame 5 the source went away.*gone"):
            for one in frames:
                got.append(one.number)
    assert got == [0, 1, 2, 3, 4, 5]  # numbers go on
    assert "frame 2 was the last for now: it has ended" in said[0]
    assert "the source is back after" in said[1] and len(said) == 3


def test_a_source_that_is_not_there_is_an_error_at_once():
    def connect():
        raise VideoError("no such camera")
        yield

    start = time.monotonic()
    with Newest(connect) as frames, pytest.raises(VideoError, match="no such camera"):
        next(frames)
    assert time.monotonic() - start < 2


def test_closing_ends_the_thread():
    before = threading.active_count()
    with Newest(lambda: camera(10**6, 0.001)) as frames:
        next(frames)
    assert threading.active_count() == before


def test_a_file_is_played_at_its_own_speed():
    start = time.monotonic()
    got = list(paced(frame(i, 0.02) for i in range(10)))
    assert 0.17 < time.monotonic() - start < 1
    assert all(b.arrived - a.arrived > 0.005 for a, b in zip(got, got[1:]))
