"""Preprocessing, palettes, boundaries and clips, compared with values computed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datasets.boundaries import class_boundaries, disk, foreground_boundaries, mask_boundaries
from datasets.clips import Clip, without_contained
from datasets.palette import Palette, voc_palette
from datasets.preprocess import preprocess


def test_preprocess_known_values():
    im = Image.fromarray(np.array([[[10, 20, 30], [255, 0, 1]]], np.uint8))
    in_ = preprocess(im, (1.0, 2.0, 3.5))
    assert in_.shape == (3, 1, 2) and in_.dtype == np.float32 and in_.flags.c_contiguous
    assert in_[0].tolist() == [[29.0, 0.0]]  # blue - 1
    assert in_[1].tolist() == [[18.0, -2.0]]  # green - 2
    assert in_[2].tolist() == [[6.5, 251.5]]  # red - 3.5


def test_preprocess_of_a_grey_image_fills_all_channels():
    assert preprocess(Image.new("L", (2, 2), 9), (0, 0, 0)).tolist() == [[[9, 9], [9, 9]]] * 3


def test_voc_palette_known_colours():
    palette = voc_palette()
    assert palette[0].tolist() == [0, 0, 0]  # background
    assert palette[1].tolist() == [128, 0, 0]  # aeroplane
    assert palette[7].tolist() == [128, 128, 128]  # car
    assert palette[15].tolist() == [192, 128, 128]  # person
    assert palette[20].tolist() == [0, 64, 128]  # tvmonitor
    assert palette[255].tolist() == [224, 224, 192]
    assert len({tuple(color) for color in np.asarray(palette)}) == 256


def test_palette_paints_labels_and_leaves_ignore_black():
    palette = Palette([(1, 2, 3), (4, 5, 6)])
    painted = palette(np.array([[[0, 1, 255]]], np.uint8))
    assert np.asarray(painted).tolist() == [[[1, 2, 3], [4, 5, 6], [0, 0, 0]]]
    with pytest.raises(ValueError, match="class 2"):
        palette(np.array([[2]], np.uint8))


def test_disk_is_round():
    assert disk(1).tolist() == [[False, True, False], [True] * 3, [False, True, False]]
    assert disk(5).sum() == 81


def test_boundary_of_a_half_plane():
    label = np.zeros((9, 12), np.uint8)
    label[:, 6:] = 3
    for boundary in (foreground_boundaries(label, 2), class_boundaries(label, 2)):
        assert boundary.all(axis=0).tolist() == [False] * 4 + [True] * 4 + [False] * 4


def test_ignored_pixels_form_no_boundary():
    label = np.zeros((9, 12), np.uint8)
    label[:, 6:] = 255
    assert not class_boundaries(label, 2).any()
    label[:, 8:] = 1  # still two ignored columns between the classes
    assert class_boundaries(label, 2).sum() == 0
    assert class_boundaries(label, 3).any(axis=0).nonzero()[0].tolist() == [5, 8]


def test_ignored_pixels_are_background_of_the_foreground():
    label = np.zeros((9, 9), np.uint8)
    label[:, 3:5] = 255
    assert not foreground_boundaries(label, 1).any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_class_boundaries_of_two_classes_equal_mask_boundaries(seed, thickness):
    label = (np.random.default_rng(seed).random((12, 15)) < 0.1).astype(np.uint8)
    expected = mask_boundaries(label == 1, thickness)
    assert (class_boundaries(label[None], thickness) == expected).all()


def make_clip(loaded):
    """Return a clip of frames 1..3, of which 1 and 3 have labels; `loaded` records loads."""

    def load_image(frame):
        loaded.append(frame)
        return Image.new("RGB", (3, 2), (frame, 0, 0))

    def load_label(frame):
        return np.full((1, 2, 3), frame, np.uint8) if frame % 2 else None

    return Clip("c", [1, 2, 3], load_image, load_label, lambda im: preprocess(im, (0, 0, 0)))


def test_clip_is_a_lazy_sequence_of_pairs():
    loaded = []
    clip = make_clip(loaded)
    assert len(clip) == 3 and clip.name == "c" and not loaded
    in_, label = clip[2]
    assert loaded == [3]
    assert in_.shape == (3, 2, 3) and in_[2, 0, 0] == 3
    assert label.shape == (2, 3) and (label == 3).all()
    assert [label is None for _, label in clip] == [False, True, False]
    assert clip.image(0).getpixel((0, 0)) == (1, 0, 0)
    assert [im.getpixel((0, 0))[0] for im in clip.images()] == [1, 2, 3]
    del loaded[:]
    labels = clip.labels()
    assert not loaded and labels[1] is None and (labels[2] == 3).all()
    with pytest.raises(IndexError):
        clip[3]


def test_clip_slices_to_a_shorter_clip():
    part = make_clip([])[1:]
    assert len(part) == 2 and part.name == "c" and part.frames == [2, 3]


def test_without_contained():
    clips = [
        Clip(name, frames, None, None, None)
        for name, frames in (
            ("early", "ab"),
            ("whole", "abcd"),
            ("same", "abcd"),
            ("overlaps", "cde"),
        )
    ]
    assert [clip.name for clip in without_contained(clips)] == ["whole", "overlaps"]
