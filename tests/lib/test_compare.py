import numpy as np
import pytest

from lib.compare import largest_difference


def maps_that_differ(counts):
    """Two lists of label maps of 10 pixels; frame t differs in counts[t] of them."""
    blank = [np.zeros((2, 5), np.uint8) for _ in counts]
    return blank, [(np.arange(10) < n).reshape(2, 5).astype(np.uint8) for n in counts]


def test_the_largest_differences_in_order_of_time_and_apart():
    maps, others = maps_that_differ([1, 2, 9, 8, 0, 3, 7])
    assert largest_difference(maps, others) == [2]
    assert largest_difference(maps, others, count=2) == [2, 6]      # 3 is too near to 2
    assert largest_difference(maps, others, count=2, apart=1) == [2, 3]
    assert largest_difference(maps, others, count=9) == [2, 6]      # the clip holds no more


def test_lists_of_one_clip():
    maps, others = maps_that_differ([1, 2])
    with pytest.raises(ValueError):
        largest_difference(maps, others[:1])
