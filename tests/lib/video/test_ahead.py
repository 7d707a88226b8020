"""The bounded queue: order, back-pressure, errors, shutdown."""

import threading
import time

import pytest

from lib.video.ahead import Ahead


def counted(n, made, closed=None):
    try:
        for i in range(n):
            made.append(i)
            yield i
    finally:
        if closed is not None:
            closed.append(True)


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_all_items_in_order():
    with Ahead(range(1000), 3) as items:
        assert list(items) == list(range(1000))
        assert list(items) == []


def test_no_more_wait_than_fit():
    made = []
    with Ahead(counted(100, made), 3) as items:
        wait_until(lambda: len(made) == 4)  # three wait, the fourth is held
        time.sleep(0.05)
        assert made == [0, 1, 2, 3]
        assert next(items) == 0
        wait_until(lambda: len(made) == 5)


def test_an_error_comes_after_the_items_before_it():
    def failing():
        yield 1
        yield 2
        raise KeyError("third")

    got = []
    with Ahead(failing(), 4) as items, pytest.raises(KeyError, match="third"):
        got.extend(iter(items.__next__, None))  # not list(): it drops what it has
    with Ahead(failing(), 4) as items:
        got = [next(items), next(items)]
        with pytest.raises(KeyError, match="third"):
            next(items)
        with pytest.raises(StopIteration):
            next(items)
    assert got == [1, 2]


def test_closing_ends_the_thread_and_the_generator():
    before, made, closed = threading.active_count(), [], []
    with Ahead(counted(10**9, made, closed), 2) as items:
        assert next(items) == 0
    assert threading.active_count() == before
    assert closed == [True] and len(made) <= 4


def test_a_chain_ends_from_its_end():
    before, closed = threading.active_count(), []
    with Ahead(counted(10**9, [], closed), 2) as first:
        with Ahead((2 * item for item in first), 2) as second:
            assert [next(second), next(second)] == [0, 2]
    assert threading.active_count() == before and closed == [True]


def test_an_error_in_the_middle_of_a_chain():
    closed = []
    with Ahead(counted(10**9, [], closed), 2) as first:
        with Ahead((1 // (3 - item) for item in first), 2) as second:
            with pytest.raises(ZeroDivisionError):
                for _ in second:
                    pass
    assert closed == [True]
