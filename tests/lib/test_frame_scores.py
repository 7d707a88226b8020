from types import SimpleNamespace

import numpy as np
import pytest

from lib.compare import frame_scores


def label_map(value):
    return np.full((1, 4), value, np.uint8)


@pytest.fixture
def clips():
    """Clips of 2 and 3 frames of class 1; one of them has no label."""
    return [[(None, label_map(1)), (None, None)], [(None, label_map(1))] * 3]


def result(*labels):
    return SimpleNamespace(name="clock", labels=labels)


def test_each_number_has_its_own_scores(clips):
    right, wrong = label_map(1), label_map(0)
    scores = frame_scores(result([right, wrong], [wrong, right, wrong]), clips, 2, ("a", "b"))
    assert [s.hist.tolist() for s in scores] == [
        [[0, 0], [4, 4]],
        [[0, 0], [0, 4]],
        [[0, 0], [4, 0]],
    ]
    assert scores[0].class_names == ["a", "b"]


def test_a_region(clips):
    out = label_map(1)
    scores = frame_scores(
        result([out] * 2, [out] * 3), clips, 2, region=lambda label: np.arange(4)[np.newaxis] < 3
    )
    assert [s.hist[1, 1] for s in scores] == [6, 3, 3]


def test_other_clips_or_nothing_kept(clips):
    with pytest.raises(ValueError, match="clock: its label maps were not kept"):
        frame_scores(SimpleNamespace(name="clock", labels=None), clips, 2)
    with pytest.raises(ValueError, match=r"ran clips of \[2\] frames, the clips given have \[2, 3"):
        frame_scores(result([label_map(1)] * 2), clips, 2)
    assert frame_scores(result(), [], 2) == []
