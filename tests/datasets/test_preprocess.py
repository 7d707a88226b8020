"""Net inputs, against the formula in plain NumPy."""

import numpy as np
import pytest
from PIL import Image

from datasets.preprocess import preprocess

MEAN = (110.248, 108.357, 104.985)


def by_formula(rgb):
    bgr = rgb[:, :, ::-1].astype(np.float32) - np.float32(MEAN)
    return bgr.transpose(2, 0, 1)


@pytest.fixture
def rgb():
    pixels = np.random.default_rng(0).integers(0, 256, (37, 23, 3)).astype(np.uint8)
    pixels[:16, :16] = np.arange(256).reshape(16, 16, 1)
    return pixels


def test_bgr_minus_the_mean_to_the_bit(rgb):
    for image in (rgb, Image.fromarray(rgb), Image.fromarray(rgb).convert("RGBA")):
        data = preprocess(image, MEAN)
        assert data.dtype == np.float32 and data.flags.c_contiguous and data.flags.writeable
        np.testing.assert_array_equal(data, by_formula(rgb))


def test_a_view_of_an_array_and_a_cut_of_an_image(rgb):
    np.testing.assert_array_equal(preprocess(rgb[::2, ::-1], MEAN), by_formula(rgb[::2, ::-1]))
    cut = Image.fromarray(rgb).crop((3, 5, 13, 25))
    np.testing.assert_array_equal(preprocess(cut, MEAN), by_formula(rgb[5:25, 3:13]))


def test_grey_has_three_equal_channels_before_the_mean(rgb):
    grey = rgb[:, :, 0]
    expected = by_formula(np.repeat(grey[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(preprocess(grey, MEAN), expected)
    np.testing.assert_array_equal(preprocess(Image.fromarray(grey), MEAN), expected)


def test_the_mean_has_three_values(rgb):
    with pytest.raises(ValueError):
        preprocess(rgb, (1, 2))
