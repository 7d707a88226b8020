import numpy as np
import pytest

from lib.changes import class_map, share_of_change, watched
from lib.labels import label_map
from lib.stages import Stage


def test_of_scores_it_is_the_label_map():
    scores = np.random.default_rng(0).normal(size=(1, 7, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(class_map(scores), label_map(scores[0]))


def test_more_channels_than_a_byte_holds():
    values = np.random.default_rng(0).normal(size=(1, 600, 3, 2))
    got = class_map(values)
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(got, values[0].argmax(0))


def test_other_shapes():
    assert class_map(np.array([[1.0, 5, 3]])).tolist() == [[1]]
    assert class_map(np.array([[[1.0, 5], [3, 2]]])).tolist() == [[1, 0]]
    assert class_map(np.array([[[[-1.0, 2], [0, 3]]]])).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (3,), (1, 2, 3, 4, 5)])
def test_blobs_of_several_frames_are_refused(shape):
    with pytest.raises(ValueError, match="one frame.*name another blob"):
        class_map(np.zeros(shape))


@pytest.mark.parametrize("channels", [3, 300])
def test_nan_is_refused(channels):
    values = np.zeros((1, channels, 2, 2))
    values[0, 1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="nan|not numbers"):
        class_map(values)


def test_255_counts_as_a_class():
    assert share_of_change(np.array([[255, 1]]), np.array([[3, 1]])) == 0.5


def test_the_watched_blob(fake_net):
    stage = Stage("middle", "conv4_1", "score_pool4")
    assert watched(fake_net, stage) == "score_pool4"
    assert watched(fake_net, stage, "score_pool3") == "score_pool3"
    with pytest.raises(ValueError, match="no blob 'pool9' to watch"):
        watched(fake_net, stage, "pool9")
