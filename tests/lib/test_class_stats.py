import numpy as np
import pytest

from lib.class_stats import confusions, count_classes, stale_truth


def test_pixels_and_images():
    labels = [np.array([[[0, 0], [2, 255]]], np.uint8), np.array([[2, 2, 2]], np.uint8)]
    counts = count_classes(iter(labels), 4)
    assert counts.pixels.tolist() == [2, 0, 4, 0]
    assert counts.images.tolist() == [1, 0, 2, 0]
    assert (counts.ignored, counts.labels) == (1, 2)
    np.testing.assert_equal(counts.area, [0.5, np.nan, (0.25 + 1) / 2, np.nan])


def test_no_labels_count_nothing():
    counts = count_classes([], 3)
    assert counts.pixels.tolist() == [0, 0, 0] and counts.labels == 0


def test_a_class_too_many_names_the_label():
    labels = [np.zeros((2, 2), np.uint8), np.full((2, 2), 3, np.uint8)]
    with pytest.raises(ValueError, match="label 2 .* class 3, classes are 0..2"):
        count_classes(labels, 3)


def test_confusions_by_pixels():
    hist = np.array([[90, 10, 0], [30, 20, 0], [0, 1, 3]])
    first, *rest = confusions(hist, count=2)
    assert first == (1, 0, 0.6) and rest == [(0, 1, 0.1)]
    assert len(confusions(hist)) == 3  # there are no more errors than that


def label(*classes):
    return np.array([classes], np.uint8)


def test_an_object_that_moves_one_pixel_a_frame():
    shot = [label(1, 1, 0, 0), label(0, 1, 1, 0), label(0, 0, 1, 1)]
    scores = stale_truth([shot, [shot[0]]], (0, 1, 2, 3), 2)
    assert scores[0].class_iu().tolist() == [1, 1]
    assert scores[1].class_iu()[1] == pytest.approx(1 / 3)
    assert scores[2].class_iu().tolist() == [0, 0]
    assert scores[3].hist.sum() == 0  # no shot is that long, and shots are not joined


def test_frames_without_label_keep_their_place_in_time():
    scores = stale_truth([[label(1), None, label(0), label(0)]], (1, 2), 2)
    assert scores[1].hist.tolist() == [[1, 0], [0, 0]]  # the last two
    assert scores[2].hist.tolist() == [[0, 1], [0, 0]]  # the first and the third


def test_what_is_ignored_in_either_is_not_counted():
    scores = stale_truth([[label(255, 1, 1), label(1, 255, 1)]], (1,), 2)
    assert scores[1].hist.tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("ignore", [0, 3, 7])
def test_another_label_is_ignored(ignore):
    labels = [np.array([[1, 1, 2, ignore]], np.uint8)]
    counts = count_classes(labels, 3, ignore)
    assert counts.pixels.tolist() == [0, 2, 1] and counts.ignored == 1
    shot = [label(ignore, 1, 1, 2), label(1, ignore, 1, 1)]
    scores = stale_truth([shot], (1,), 3, ignore=ignore)
    assert scores[1].hist.tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 0]]
