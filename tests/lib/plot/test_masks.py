import numpy as np
import pytest
from PIL import Image

from lib.plot.masks import grey_levels, grid, outlines

PICTURE = np.zeros((6, 8, 3), np.uint8)


def corners(ax):
    """(left, top, right, bottom) of the outline drawn last."""
    points = np.concatenate([path.vertices for path in ax.collections[-1].get_paths()])
    return (*points.min(0), *points.max(0))


def test_outline_runs_between_object_and_ground():
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    fig = outlines([PICTURE, PICTURE], [mask, None], ["a", "b"])
    assert corners(fig.axes[0]) == (1.5, 0.5, 6.5, 3.5)
    assert not fig.axes[1].collections
    assert fig.axes[0].get_xlim() == (-0.5, 7.5)


def test_outline_of_an_object_that_fills_the_picture_is_closed():
    fig = outlines([PICTURE], [np.ones((6, 8), np.uint8)])
    assert corners(fig.axes[0]) == (-0.5, -0.5, 7.5, 5.5)


def test_an_object_out_of_view_has_none():
    assert not outlines([PICTURE], [np.zeros((6, 8))]).axes[0].collections


def test_three_planes_are_not_taken_for_three_pictures():
    """3 x H x W may be the channels of one picture, as a net takes it."""
    planes = np.linspace(0, 1, 3 * 48).reshape(3, 6, 8)
    with pytest.raises(ValueError, match=r"\(3, 6, 8\).*list\(array\).*transpose\(1, 2, 0\)"):
        grid(planes)
    assert len(grid(list(planes)).axes) == 3
    assert len(grid(planes.transpose(1, 2, 0)).axes) == 1
    assert len(grid(planes[:2]).axes) == 2


def test_masks_that_do_not_fit():
    with pytest.raises(ValueError, match="2 masks for 1 pictures"):
        outlines([PICTURE], [None, None])
    with pytest.raises(ValueError, match=r"shape \(8, 6\), its picture \(6, 8\)"):
        outlines([PICTURE], [np.ones((8, 6))])


def test_grey_levels_are_shares_on_a_logarithmic_scale():
    counts = np.bincount([0] * 30 + [255] * 10, minlength=256)
    ax = grey_levels({"stored": counts}, 15)
    assert ax.get_yscale() == "log"
    assert ax.patches[0].get_data().values[[0, 1, 255]].tolist() == [75, 0, 25]
    assert ax.lines[0].get_xdata()[0] == 15.5
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "stored",
        "object: levels above 15",
    ]
    ax.figure.canvas.draw()


def test_pictures_in_rows():
    red = np.zeros((4, 8, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    fig = grid([red, Image.fromarray(red), np.eye(4)], ["a", "b", "c"], columns=2)
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c", ""]
    assert not fig.axes[3].axison and fig.axes[2].images[0].get_clim() == (0, 1)
    np.testing.assert_array_equal(fig.axes[1].images[0].get_array(), red)
    assert grid([np.eye(4) / 8], white=0.25).axes[0].images[0].get_clim() == (0, 0.25)


def test_titles_missing():
    with pytest.raises(ValueError, match="1 titles for 2 pictures"):
        grid([np.eye(2), np.eye(2)], ["a"])
    with pytest.raises(ValueError, match="at least one picture"):
        grid([])
