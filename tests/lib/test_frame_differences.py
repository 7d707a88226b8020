import numpy as np
import pytest

from lib.differences import frame_differences, label_change, relative_change

BLOBS = ("data", "score_pool4", "score")


def frame(number, bright=0):
    """2 x 5 pixels of the value number + 1; the first `bright` pixels are brighter in channel 2."""
    in_ = np.full((3, 2, 5), number + 1, np.float32)
    in_[2].flat[:bright] += 0.5
    return in_


def test_changes_between_consecutive_frames(fake_net):
    clip = [(frame(0), None), (frame(0, bright=4), None), (frame(2, bright=4), None)]
    shot = frame_differences(fake_net, clip, BLOBS)
    assert shot.name == "a clip without a name"
    np.testing.assert_allclose(shot.argmax["score_pool4"], [0.4, 0])
    np.testing.assert_allclose(shot.argmax["score"], [0, 1])  # the class is the frame's number
    # 4 of 30 values from 1 to 1.5; then 26 from 1 to 3 and 4 from 1.5 to 3.5
    np.testing.assert_allclose(
        shot.relative["data"], [4 * 0.5 / 1.25 / 30, (26 * 2 / 2 + 4 * 2 / 2.5) / 30], rtol=1e-6
    )
    np.testing.assert_allclose(shot.relative["score_pool4"], shot.relative["data"])
    # of 256 scores one falls from 1 to 0 and one rises: 2 each, the others stay at 0
    np.testing.assert_allclose(shot.relative["score"], [0, 2 * 2 / 256])
    assert list(shot.relative) == list(BLOBS)
    assert list(shot.argmax) == ["score_pool4", "score", "label"]
    assert np.isnan(shot.argmax["label"]).all()


def test_labels_change_where_both_frames_have_one(fake_net):
    first = np.zeros((1, 2, 5), np.uint8)
    second = first.copy()
    second.flat[:4] = 7, 7, 255, 255
    labels = [first, second, None, first]
    shot = frame_differences(fake_net, [(frame(0), label) for label in labels], BLOBS)
    np.testing.assert_allclose(shot.argmax["label"], [2 / 8, np.nan, np.nan])
    assert np.isnan(label_change(np.full((2, 2), 255), np.zeros((2, 2))))


def test_classes_mapped_to_one_do_not_count_as_a_change(fake_net):
    clip = [(frame(0), None), (frame(2), None)]
    same = frame_differences(fake_net, clip, BLOBS, relabel=np.zeros(256, np.uint8))
    assert same.argmax["score"] == [0]
    np.testing.assert_allclose(same.relative["score"], [2 * 2 / 256])


def test_relative_change_is_symmetric_and_bounded():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    assert relative_change(a, b) == relative_change(b, a)
    assert relative_change(a, a) == 0
    np.testing.assert_allclose([relative_change(a, -a), relative_change(0 * a, a)], 2, rtol=1e-6)
    assert relative_change(0 * a, 0 * a) == 0


def test_errors(fake_net):
    with pytest.raises(ValueError, match="no blob 'score_pool5', its blobs are data, score_pool3"):
        frame_differences(fake_net, [], ("data", "score_pool5"))
    with pytest.raises(ValueError, match="no two frames to compare, got 1"):
        frame_differences(fake_net, [(frame(0), None)], BLOBS)
    clip = type("Clip", (list,), {"name": "boat/1"})([(frame(0), None), (frame(0), None)])
    clip.append((np.ones((3, 2, 4), np.float32), None))
    with pytest.raises(ValueError, match=r"boat/1, frame 2 .*\(3, 2, 4\) after \(3, 2, 5\)"):
        frame_differences(fake_net, clip, BLOBS)
    labels = [np.zeros((2, 5), np.uint8), np.zeros((2, 4), np.uint8)]
    with pytest.raises(ValueError, match=r"frame 1 .*\(2, 4\) after \(2, 5\)"):
        frame_differences(fake_net, [(frame(0), label) for label in labels], BLOBS)
    with pytest.raises(ValueError, match="256 uint8"):
        frame_differences(fake_net, clip, BLOBS, relabel=[0, 1])
