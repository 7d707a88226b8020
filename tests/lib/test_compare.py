from types import SimpleNamespace

import numpy as np
import pytest

from lib.compare import largest_difference, largest_differences


def maps_that_differ(counts):
    """Two lists of label maps of 10 pixels; frame t differs in counts[t] of them."""
    blank = [np.zeros((2, 5), np.uint8) for _ in counts]
    return blank, [(np.arange(10) < n).reshape(2, 5).astype(np.uint8) for n in counts]


def test_the_largest_differences_in_order_of_time_and_apart():
    maps, others = maps_that_differ([1, 2, 9, 8, 0, 3, 7])
    assert largest_difference(maps, others) == [2]
    assert largest_difference(maps, others, count=2) == [2, 6]  # 3 is too near to 2
    assert largest_difference(maps, others, count=2, apart=1) == [2, 3]
    assert largest_difference(maps, others, count=9) == [2, 6]  # the clip holds no more
    assert largest_difference(maps, others, count=2, among=[0, 3, 5]) == [0, 3]
    assert largest_difference(maps, others, among=[]) == []


def test_lists_of_one_clip():
    maps, others = maps_that_differ([1, 2])
    with pytest.raises(ValueError):
        largest_difference(maps, others[:1])


def result(*clips):
    return SimpleNamespace(name="every", labels=list(clips))


def test_the_clips_that_differ_most_come_first():
    pairs = [maps_that_differ(counts) for counts in ([1, 3, 2], [0, 0], [5, 9, 9])]
    a, b = (result(*clips) for clips in zip(*pairs, strict=True))
    assert [number for number, _ in largest_differences(a, b, 9)] == [2, 0, 1]
    assert largest_differences(a, b, 2)[1] == (0, 1)
    assert largest_differences(result(a.labels[0]), result(b.labels[0]), first=2) == [(0, 2)]


def test_label_maps_that_were_not_kept():
    with pytest.raises(ValueError, match=r"every: its label maps were not kept.*keep=True"):
        largest_differences(
            result(*maps_that_differ([1])), SimpleNamespace(name="every", labels=None)
        )
