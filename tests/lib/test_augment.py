import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.augment import augment, jitter_colour

# colour and label encode the same position: if they disagree, image and label moved differently
ROWS, COLS = np.mgrid[:90, :120]


def coded(classes=4):
    label = ((COLS // 30 + ROWS // 30) % classes).astype(np.uint8)
    return np.repeat((label * 60)[..., None], 3, axis=2), label


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 150), st.integers(1, 150)),
    st.floats(0.3, 3),
    st.booleans(),
)
def test_image_and_label_move_alike(seed, crop, scale, flip):
    image, label = coded()
    view, view_label = augment(
        image,
        label,
        np.random.default_rng(seed),
        crop,
        (scale, scale),
        flip=flip,
        jitter=0,
        fill=(255, 0, 255),
    )
    assert view.shape == (*crop, 3) and view_label.shape == crop
    assert view.dtype == view_label.dtype == np.uint8
    padded = view_label == 255
    assert (view[padded] == (255, 0, 255)).all()
    inner = ~padded & (view[..., 0] % 60 == 0)
    off = np.abs(view[..., 0].astype(int) - view_label.astype(int) * 60)[inner]
    # bilinear and nearest differ on the class edges only
    assert (off > 0).mean() < 0.2 if off.size > 400 else True


def test_scale_one_is_a_plain_crop():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    label = image[..., 0] % 5
    view, view_label = augment(
        image, label, np.random.default_rng(1), (40, 50), (1, 1), flip=False, jitter=0
    )
    np.testing.assert_array_equal(view, image)
    np.testing.assert_array_equal(view_label, label)


def test_flip_mirrors_both_and_happens_half_the_time():
    image, label = coded()
    seen = []
    for seed in range(60):
        view, view_label = augment(
            image, label, np.random.default_rng(seed), label.shape, (1, 1), jitter=0
        )
        seen.append((view_label != label).any())
        want = slice(None, None, -1) if seen[-1] else slice(None)
        np.testing.assert_array_equal(view, image[:, want])
        np.testing.assert_array_equal(view_label, label[:, want])
    assert 15 < sum(seen) < 45


def test_seed_decides_the_view():
    image, label = coded()
    one, two, other = (
        augment(image, label, np.random.default_rng(seed), (64, 64))[0] for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_small_image_is_padded_and_ignored():
    image, label = coded()
    view, view_label = augment(image, label, np.random.default_rng(0), (200, 300), (1, 1), jitter=0)
    assert (view_label != 255).sum() == label.size
    assert (view[view_label == 255] == (123, 117, 104)).all()


def test_jitter_keeps_order_of_values():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    out = np.asarray(jitter_colour(Image.fromarray(ramp), np.random.default_rng(0), 0.5))
    assert (out != ramp).any()
    assert (np.diff(out.astype(int), axis=1) >= 0).all()


def test_bad_inputs_say_the_fix():
    image, label = coded()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="before subtracting the mean"):
        augment(image.astype(np.float32), label, rng, (10, 10))
    with pytest.raises(ValueError, match="image size"):
        augment(image, label[:-1], rng, (10, 10))


def test_quick_enough_to_feed_training():
    image = np.zeros((360, 480, 3), np.uint8)
    rng = np.random.default_rng(0)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        augment(image, image[..., 0], rng, (321, 321))
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02
