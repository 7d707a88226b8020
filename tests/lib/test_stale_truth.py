import numpy as np
import pytest

from lib.class_stats import stale_truth


def label(*classes):
    return np.array([classes], np.uint8)


def test_an_object_that_moves_one_pixel_a_frame():
    shot = [label(1, 1, 0, 0), label(0, 1, 1, 0), label(0, 0, 1, 1)]
    scores = stale_truth([shot, [shot[0]]], (0, 1, 2, 3), 2)
    assert scores[0].class_iu().tolist() == [1, 1]
    assert scores[1].class_iu()[1] == pytest.approx(1 / 3)
    assert scores[2].class_iu().tolist() == [0, 0]
    assert scores[3].hist.sum() == 0  # no shot is that long, and none goes on in the next


def test_frames_without_label_keep_their_place_in_time():
    scores = stale_truth([[label(1), None, label(0), label(0)]], (1, 2), 2)
    assert scores[1].hist.tolist() == [[1, 0], [0, 0]]  # the last two
    assert scores[2].hist.tolist() == [[0, 1], [0, 0]]  # the first and the third


def test_what_is_ignored_in_either_is_not_counted():
    scores = stale_truth([[label(255, 1, 1), label(1, 255, 1)]], (1,), 2)
    assert scores[1].hist.tolist() == [[0, 0], [0, 1]]
