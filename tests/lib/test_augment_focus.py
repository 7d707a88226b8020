"""Views that must show a class, the frames that hold one, and the strength of the colour change."""

import numpy as np
import pytest
from PIL import Image

from lib.augment import augment, frames_by_class, jitter_colour

PLAIN = dict(scale=(1, 1), flip=False, jitter=0)


def frame(height, width):
    """An image whose red and green say row and column, and a label of class 0."""
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    return image, np.zeros((height, width), np.uint8)


def views(label, crop, n=200, **options):
    image, _ = frame(*label.shape)
    rng = np.random.default_rng(0)
    return [augment(image, label, rng, crop, **PLAIN | options) for _ in range(n)]


def test_a_class_to_show_is_in_every_view():
    _, label = frame(60, 80)
    label[33, 47] = 5
    found = views(label, (10, 10), show=5)
    assert all((seen == 5).any() for _, seen in found)
    # and anywhere in it: 10 x 10 places, each as likely, of which 200 views miss few
    places = {tuple(np.argwhere(seen == 5)[0]) for _, seen in found}
    assert {y for y, _ in places} == {x for _, x in places} == set(range(10))
    # the image shows the same place
    for view, seen in found:
        y, x = np.argwhere(seen == 5)[0]
        assert tuple(view[y, x, :2]) == (33, 47)


@pytest.mark.parametrize("y, x", [(0, 0), (59, 79), (2, 77)])
def test_near_the_border_the_view_stays_inside(y, x):
    _, label = frame(60, 80)
    label[y, x] = 5
    for view, seen in views(label, (10, 12), show=5):
        assert (seen == 5).any() and (seen != 255).all()
        assert view.shape == (10, 12, 3)


@pytest.mark.parametrize("magnify", [1, 1.5, 3])
def test_a_single_pixel_is_seen_at_any_magnification(magnify):
    _, label = frame(30, 30)
    label[14, 15] = 5
    for crop in ((1, 1), (2, 3), (9, 9)):
        found = views(label, crop, show=5, scale=(magnify, magnify))
        assert all((seen == 5).any() for _, seen in found)


def test_a_view_larger_than_the_image_holds_it_whole():
    _, label = frame(6, 8)
    label[5, 7] = 5
    for _, seen in views(label, (9, 10), show=5):
        assert (seen != 255).sum() == 48 and (seen == 5).sum() == 1


def test_the_focus_draws_evenly_from_the_classes_of_the_frame():
    """One pixel of class 7, one of 3, and all the rest 0: each in a third of the views or more."""
    _, label = frame(100, 100)
    label[10, 10], label[80, 80], label[50] = 7, 3, 255
    found = [seen for _, seen in views(label, (8, 8), n=600, focus=1)]
    for class_ in (3, 7):
        assert np.mean([(seen == class_).any() for seen in found]) == pytest.approx(1 / 3, abs=0.06)
    half = [seen for _, seen in views(label, (8, 8), n=600, focus=0.5)]
    for class_ in (3, 7):
        assert np.mean([(seen == class_).any() for seen in half]) == pytest.approx(1 / 6, abs=0.06)
    none = [seen for _, seen in views(label, (8, 8), n=600)]
    assert np.mean([(seen == 7).any() for seen in none]) < 0.05


def test_the_focus_never_draws_what_is_ignored():
    _, label = frame(100, 100)
    label[...], label[40, 60] = 255, 2
    assert all((seen == 2).any() for _, seen in views(label, (8, 8), focus=1))


def test_a_class_the_frame_lacks_leaves_the_view_to_chance():
    image, label = frame(20, 20)
    for options in (dict(show=5), dict(focus=1)):
        label[...] = 255 if "focus" in options else 0  # nothing to draw from, either way
        corners = {tuple(view[0, 0, :2]) for view, _ in views(label, (5, 5), **options)}
        rows, columns = (sorted({c[k] for c in corners}) for k in (0, 1))
        assert rows[0] <= 1 and rows[-1] >= 14 and columns[0] <= 1 and columns[-1] >= 14


def test_class_0_is_shown_as_any_other():
    _, label = frame(100, 100)
    label[...], label[40, 60] = 1, 0
    assert all((seen == 0).any() for _, seen in views(label, (8, 8), show=0))


def test_frames_by_class():
    """100 pixels are enough where nothing else is said, 99 are not; 255 is no class."""
    label = np.full((20, 20), 255, np.uint8)
    label.ravel()[:100], label.ravel()[100:199], label.ravel()[199:201] = 0, 1, 2
    other = np.full((1, 20, 20), 1, np.uint8)
    assert [found.tolist() for found in frames_by_class([label, other], 4)] == [[0], [1], [], []]
    found = frames_by_class([label, other], 3, least=2)
    assert [found.tolist() for found in found] == [[0], [0, 1], [0]]


class Drawn:
    """A generator whose uniform numbers are ends of their range: 1 the upper, 0 the lower."""

    def __init__(self, *ends):
        self.ends = list(ends)

    def uniform(self, low, high, size=None):
        value = high if self.ends.pop(0) else low
        return value if size is None else np.full(size, value)


@pytest.mark.parametrize(
    "ends, wanted",
    [
        # contrast 1.2, brightness 128 * 0.2, gains 1.2 * (1 + 0.2 / 3) = 1.28: v -> 1.28 (v - 128)
        # + 153.6
        ((1, 1, 1), {8: 0, 28: 26, 128: 154, 178: 218, 255: 255}),
        # contrast 0.8, brightness -25.6, gains 0.8 (1 - 0.2 / 3) = 0.74667
        ((0, 0, 0), {0: 7, 28: 28, 128: 102, 178: 140, 255: 197}),
        # contrast 1.2, brightness -25.6, gains 1.12
        ((1, 0, 0), {0: 0, 128: 102, 178: 158, 255: 245}),
    ],
)
def test_the_colour_change_in_numbers(ends, wanted):
    values = np.array(list(wanted), np.uint8)
    image = Image.fromarray(np.repeat(values[None, :, None], 3, axis=2))
    changed = np.asarray(jitter_colour(image, Drawn(*ends)))
    for channel in range(3):
        assert changed[0, :, channel].tolist() == list(wanted.values())


def test_the_strength_of_the_colour_change():
    """0.1 gives contrast 1.1, brightness 12.8, gains 1.1 (1 + 0.1 / 3); augment's own is 0.2."""
    image = np.full((4, 4, 3), 178, np.uint8)
    changed = np.asarray(jitter_colour(Image.fromarray(image), Drawn(1, 1, 1), 0.1))
    assert (changed == round(1.1 * (1 + 0.1 / 3) * 50 + 140.8)).all()
    label = np.zeros((4, 4), np.uint8)
    spread = [
        augment(image, label, np.random.default_rng(seed), (4, 4), (1, 1), flip=False)[0].mean()
        for seed in range(300)
    ]
    # 178 becomes 140 to 218 by the ends above, and draws come near both
    assert 138 < min(spread) < 152 and 203 < max(spread) < 220
