"""Call the datasets as the paper's notebooks do.

Each test goes from the list of names of one dataset to net inputs and labels, passing the results
of one method on to the next.
"""

import numpy as np
import pytest

from datasets.cityscapes import cityscapes
from datasets.errors import DatasetError
from datasets.miniature import miniature
from datasets.nyud_seg import nyud
from datasets.pascal_voc import pascal
from datasets.youtube import youtube


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Return a function that renders a tiny miniature: rendered(name, **units) -> folder."""

    def render(name, **units):
        root = tmp_path_factory.mktemp(name) / name
        return miniature(name, root, size=(96, 72), workers=1, **units)

    return render


def is_pair(in_, label, n_classes):
    """Return whether a net input and a label fit together for training."""
    return (
        in_.dtype == np.float32
        and label.dtype == np.uint8
        and in_.shape[0] == 3
        and label.shape == (1, *in_.shape[1:])
        and set(np.unique(label)) <= {*range(n_classes), 255}
    )


def test_voc_stills_and_translated_frames(rendered):
    data = pascal(rendered("voc", val=2, train=0))
    for idx in data.get_dset("val"):
        im, label = data.load_image(idx), data.load_label(idx)
        assert is_pair(data.preprocess(im), label, 21)
        frames, labels = data.make_translated_frames(im, label, shift=4, num_frames=6)
        assert len(frames) == len(labels) == 6
        assert is_pair(data.preprocess(np.array(frames[5])), labels[5], 21)
        near = data.make_boundaries(label, thickness=5)
        assert near.shape == label.shape[1:] and near.any()
        with pytest.raises(DatasetError, match="1 x 2.*96 x 72"):
            data.make_translated_frames(im, np.zeros((1, 2, 1), np.uint8), 4, 2)
        with pytest.raises(DatasetError, match="whole pixels"):
            data.make_translated_frames(im, label, 2.5, 2)
    with pytest.raises(DatasetError, match="thickness of -1"):
        data.make_boundaries(label, -1)
    with pytest.raises(DatasetError, match="float64"):
        data.preprocess(np.zeros((4, 4, 3)))


def test_youtube_frames_are_numbers(rendered):
    data, rate = youtube(rendered("youtube", test=1, train=0)), 10
    for class_, vid, shot in data.load_dataset():
        frames = data.list_frames(class_, vid, shot)
        label_frames = data.list_label_frames(class_, vid, shot)
        scored = [f for f in label_frames if f >= 2 * rate + 1 and f - rate in frames]
        assert scored
        f = scored[0]
        in_ = data.preprocess(data.load_frame(class_, vid, shot, f))
        label = data.make_label(data.load_label(class_, vid, shot, f), class_)
        assert is_pair(in_, label, 11) and label.max() == data.classes.index(class_)
        grey = data.load_mask(class_, vid, shot, f)  # not resized to the frame
        voc = data.convert_yt2voc_label(grey, class_, pascal.classes)
        assert set(np.unique(voc)) == {0, pascal.classes.index(class_)}
        assert set(np.unique(data.make_label(grey, class_))) == {0, data.classes.index(class_)}
    with pytest.raises(DatasetError, match="side=0"):
        youtube(data.dir, side=0)


def test_cityscapes_frames_are_pairs_of_city_and_name(rendered):
    data = cityscapes(rendered("cityscapes", val=1, train=1))
    for split in ("train", "val"):
        for item in data.get_dset(split):
            city, idx = item
            assert is_pair(
                data.preprocess(data.load_image(split, *item)),
                data.load_label(split, city, idx),
                19,
            )
            assert data.load_image(split, item).size == data.load_image(split, idx).size
    (idx,) = data.list_label_frames("val")
    frames = data.collect_frame_sequence("val", idx, 20)
    assert len(frames) == 20
    assert np.array_equal(np.array(frames[-1]), np.array(data.load_image("val", idx)))
    painted = np.asarray(data.palette(data.load_label("val", idx)))
    assert painted.shape == (*frames[-1].size[::-1], 3)
    with pytest.raises(DatasetError, match="not a frame of 'bonn'"):
        data.load_image("val", "bonn", idx)


def test_nyud_raw_frames_and_labelled_images_line_up(rendered):
    data = nyud(rendered("nyud", test=1, train=0, val=0))
    for idx, (vid, gt_frame) in zip(data.get_dset(), data.get_dset(raw=True), strict=True):
        assert is_pair(data.preprocess(data.load_seg_image(idx)), data.load_label(idx), 40)
        before = data.list_preceding_frames(2, vid, gt_frame)
        assert before[-1] == (vid, gt_frame) == (vid, data.list_frames(vid)[len(before) * 2 - 1])
        cropped = np.array(data.crop_frame(np.array(data.load_raw_image(*before[-1]))))
        assert cropped.shape[:2] == data.load_label(idx).shape[1:]
        assert gt_frame in data.list_subsampled_frames(vid, gt_frame + ".ppm", 3)


@pytest.mark.parametrize(
    "dataset, mean",
    [
        (pascal, (104.00698793, 116.66876762, 122.67891434)),
        (nyud, (116.2, 97.2, 92.3)),
        (youtube, (104.00698793, 116.66876762, 122.67891434)),
        (cityscapes, (72.78044, 83.21195, 73.45286)),
    ],
)
def test_means_are_blue_green_red(dataset, mean):
    assert dataset.mean.tolist() == pytest.approx(mean, rel=1e-6)
