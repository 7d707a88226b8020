"""Windows around what has changed: all of it, and no more than pays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe.engine.changes.regions import FIRST, GAP, MOST, boxes, joined, total


def painted(region, shape):
    mask = np.zeros(shape, bool)
    for window in region:
        mask[tuple(slice(*span) for span in window)] = True
    return mask


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.05))
def test_boxes_hold_every_changed_pixel(seed, share):
    mask = np.random.default_rng(seed).random((60, 70)) < share
    region = boxes(mask)
    assert len(region) <= MOST
    assert not (mask & ~painted(region, mask.shape)).any()
    assert bool(region) == mask.any()


def test_two_blocks_apart_are_two_boxes():
    mask = np.zeros((50, 60), bool)
    mask[3:8, 4:9] = mask[40:45, 50:60] = True
    assert set(boxes(mask)) == {((3, 8), (4, 9)), ((40, 45), (50, 60))}


def test_pixels_closer_than_a_gap_are_one_box():
    mask = np.zeros((50, 60), bool)
    mask[3, 4] = mask[3, 4 + GAP] = True
    assert boxes(mask) == (((3, 4), (4, 5 + GAP)),)


def test_many_pieces_are_not_cut_for_ever():
    mask = np.zeros((400, 400), bool)
    mask[::20, ::20] = True  # 400 pixels, each with a gap around it
    assert FIRST < 400
    region = boxes(mask)
    assert len(region) <= MOST and not (mask & ~painted(region, mask.shape)).any()


def test_windows_are_joined_if_that_is_less_work():
    a, b, c = ((0, 4), (0, 4)), ((0, 4), (4, 8)), ((0, 4), (10, 14))
    assert joined([a, b]) == (((0, 4), (0, 8)),)  # no more positions than before
    assert set(joined([a, c])) == {a, c}  # 24 more
    assert joined([a, c], least=24) == (((0, 4), (0, 14)),)
    assert joined([a, c], most=1) == (((0, 4), (0, 14)),)
    assert joined([a, a, ((1, 2), (1, 2)), ((3, 3), (0, 9))]) == (a,)
    assert joined([]) == () and total((a, b)) == 32
