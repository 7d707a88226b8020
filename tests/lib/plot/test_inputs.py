import numpy as np
import pytest
from matplotlib.colors import ListedColormap
from PIL import Image

from lib import plot_util
from lib.plot.inputs import as_colours, as_picture
from lib.schedule import Step

PALETTE = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
IMAGE = np.full((4, 6, 3), 51, np.uint8)
LABEL = np.zeros((4, 6), np.uint8)
LABEL[1:3, 2:4] = 1


def shown(fig):
    return [np.asarray(ax.images[0].get_array()) for ax in fig.axes if ax.images]


@pytest.mark.parametrize("image", [IMAGE, Image.fromarray(IMAGE), [IMAGE], np.stack([IMAGE])])
@pytest.mark.parametrize(
    "label", [LABEL, LABEL[np.newaxis], [LABEL], LABEL.astype(int), Image.fromarray(LABEL)]
)
def test_one_image_and_one_label_make_one_row(image, label):
    pictures = shown(plot_util.rows(image, label, palette=PALETTE))
    np.testing.assert_array_equal(pictures, [IMAGE, PALETTE[LABEL]])


@pytest.mark.parametrize(
    "palette", [PALETTE.tolist(), ListedColormap(["red", "lime"]), ListedColormap(PALETTE / 255)]
)
def test_palettes_of_other_types(palette):
    np.testing.assert_array_equal(as_colours(palette), PALETTE)
    bars = plot_util.class_bars({"a": [2, 1]}, ["x", "y"], palette).axes[0].patches
    assert [bar.get_facecolor()[:3] for bar in bars] == [(1, 0, 0), (0, 1, 0)]
    patches = plot_util.swatches(["x", "y"], palette).axes[0].patches
    assert [patch.get_facecolor()[:3] for patch in patches] == [(1, 0, 0), (0, 1, 0)]


def test_segm_cmap_colours_classes():
    plot_util.class_bars({"a": [2, 1]}, ["x", "y"], plot_util.segm_cmap)
    plot_util.swatches(["x", "y"], plot_util.segm_cmap)


@pytest.mark.parametrize("palette", [None, "tab20", PALETTE / 255, [[-1, 0, 0]], [], [[1, 2]], [1]])
def test_palettes_that_are_none(palette):
    with pytest.raises(ValueError, match="n x 3 uint8"):
        as_colours(palette)


def test_segshow_leaves_the_place_of_none_empty():
    pictures = shown(plot_util.segshow(IMAGE, None, LABEL, palette=PALETTE))
    np.testing.assert_array_equal(pictures, [IMAGE, PALETTE[LABEL]])


def test_pictures_of_other_types_are_shown_as_they_are_meant():
    np.testing.assert_array_equal(as_picture(IMAGE.astype(int)), IMAGE)
    np.testing.assert_allclose(as_picture(IMAGE / 255), IMAGE / 255)
    np.testing.assert_allclose(as_picture(Image.fromarray(IMAGE).convert("L")), IMAGE / 255)
    np.testing.assert_array_equal(as_picture(np.dstack([IMAGE, LABEL])).shape, (4, 6, 4))
    np.testing.assert_array_equal(as_picture(LABEL > 0)[..., 2], LABEL)


@pytest.mark.parametrize(
    "image, message",
    [
        (IMAGE + 1e3, "uint8 0..255 or float 0..1"),
        (IMAGE[..., 0], r"paint\(label, palette\)"),
        (np.zeros((3, 4, 6)), "input of a net"),
        (None, "None"),
        (np.zeros((0, 6, 3), np.uint8), "no pixels"),
    ],
)
def test_what_is_no_picture(image, message):
    with pytest.raises(ValueError, match=message):
        as_picture(image)


@pytest.mark.parametrize("images", [[], None, "a.png", 3, {"a": IMAGE}, [None], [(IMAGE, LABEL)]])
def test_what_is_no_list_of_images(images):
    for helper in (
        lambda: plot_util.rows(images, palette=PALETTE),
        lambda: plot_util.animate(images, palette=PALETTE),
        lambda: plot_util.grid(images),
        lambda: plot_util.outlines(images, [None]),
        lambda: plot_util.filmstrip(images, {"a": [Step(LABEL, ())]}, PALETTE),
    ):
        with pytest.raises(ValueError, match="give"):
            helper()


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda: plot_util.rows([IMAGE] * 2, LABEL, palette=PALETTE), "single label map"),
        (lambda: plot_util.rows(IMAGE, LABEL, palette=PALETTE, titles="ab"), "one text"),
        (lambda: plot_util.rows(IMAGE, LABEL, palette=PALETTE, class_names=["a"]), "the class 1"),
        (lambda: plot_util.paint(LABEL.astype(int) - 1, PALETTE), "class -1"),
        (lambda: plot_util.paint(LABEL * 1.0, PALETTE), "float64: .*astype"),
        (lambda: plot_util.paint(IMAGE, PALETTE), "this one is a picture"),
        (lambda: plot_util.grid([LABEL / 1], white=50), "0.5 if 50 %"),
        (lambda: plot_util.animate([IMAGE, IMAGE[:2]], palette=PALETTE), "one size"),
        (lambda: plot_util.filmstrip(IMAGE, {"a": [LABEL]}, PALETTE), r"\.steps\(\)"),
        (
            lambda: plot_util.filmstrip(IMAGE, {"a": [Step(LABEL, ("whole",))]}, PALETTE),
            "stages=WHOLE",
        ),
        (lambda: plot_util.curves({}, "x", "y"), "empty"),
        (lambda: plot_util.curves({"a": [1, 2]}, "x", "y"), "points"),
        (lambda: plot_util.curves({"a": [(1, 2)]}, "x", "y", "ax"), "one Axes"),
        (lambda: plot_util.timeline({"a": [1]}, 3), "frame number"),
        (lambda: plot_util.timeline({"a": [(1, True)]}, 10**12), "whole number"),
        (lambda: plot_util.grey_levels({"a": LABEL}, 3), "256 counts"),
        (lambda: plot_util.grey_levels({str(i): np.ones(256) for i in range(5)}, 3), "at most 4"),
        (lambda: plot_util.confusion_map(np.zeros((2, 2)), ["a", "b"]), "counts no pixels"),
        (lambda: plot_util.confusion_map(np.ones((2, 3)), ["a", "b"]), "n x n"),
        (lambda: plot_util.class_cmap(10**9), "from 1 to 4096"),
        (lambda: plot_util.region_bars({}, "near"), "empty"),
        (lambda: plot_util.traces([]), "Differences"),
    ],
)
def test_errors_name_the_fix(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
