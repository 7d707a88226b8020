import base64
import re
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from lib.plot.labels import animate, class_cmap, embed, paint, rows, segm_cmap, segshow

RED_GREEN = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)


def test_paint():
    label = np.array([[[0, 1], [255, 0]]], np.uint8)
    want = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 0], [255, 0, 0]]]
    np.testing.assert_array_equal(paint(label, RED_GREEN), want)
    assert label[0, 1, 0] == 255  # the input is not changed


def test_colours_are_apart_and_seeded():
    one, same, other = (np.asarray(class_cmap(21, seed).colors) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    all_ = np.vstack([one, [[0, 0, 0]]])
    apart = np.linalg.norm(all_[:, None] - all_, axis=2)
    assert apart[~np.eye(22, dtype=bool)].min() > 0.2
    np.testing.assert_array_equal(segm_cmap.colors[:21], one)
    assert paint(np.full((1, 1), 254), segm_cmap).dtype == np.uint8
    picture = plt.imshow(np.array([[0, 7]]), cmap=segm_cmap, vmin=0, vmax=255)
    np.testing.assert_allclose(picture.to_rgba([[7]])[0, 0, :3], segm_cmap.colors[7])


def test_wrong_labels_and_palettes():
    with pytest.raises(ValueError, match="class 2, the palette has 2"):
        paint(np.array([[2]]), RED_GREEN)
    with pytest.raises(ValueError, match="n x 3 uint8"):
        paint(np.array([[1]]), RED_GREEN / 255)


def test_segshow_draws_image_label_and_output():
    image = np.full((1, 2, 3), 9, np.uint8)
    fig = segshow(
        Image.fromarray(image),
        np.array([[[0, 255]]]),
        np.array([[0, 1]]),
        n_cl=2,
        palette=RED_GREEN,
    )
    pictures = [ax.images[0].get_array() for ax in fig.axes]
    np.testing.assert_array_equal(
        pictures, [image, [[[255, 0, 0], [0, 0, 0]]], [[[255, 0, 0], [0, 255, 0]]]]
    )
    painted = segshow(image, image, Image.fromarray(image))
    assert all((ax.images[0].get_array() == image).all() for ax in painted.axes)
    with pytest.raises(ValueError, match="class 2, the palette has 2"):
        segshow(image, np.array([[0, 1]]), np.array([[0, 2]]), n_cl=2)


def test_rows_with_legend_of_present_classes():
    image = np.zeros((4, 6, 3), np.uint8)
    label = np.full((4, 6), 1, np.uint8)
    label[0] = 255
    fig = rows(
        [image, Image.fromarray(image)],
        [label, label],
        [label, None],
        palette=RED_GREEN,
        titles=["image", "truth", "output"],
        class_names=["road", "car"],
        row_titles=["t", "t + 1"],
    )
    assert [len(ax.images) for ax in fig.axes] == [1, 1, 1, 1, 1, 0]
    legend = fig.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["car", "ignored"]
    assert to_rgb(legend.get_patches()[0].get_facecolor()) == (0, 1, 0)
    assert [ax.get_title() for ax in fig.axes[:3]] == ["image", "truth", "output"]
    with pytest.raises(ValueError, match="1 label maps for 2 images"):
        rows([image, image], [label], palette=RED_GREEN)


@pytest.mark.parametrize("width, columns", [(1, 1), (5, 3), (10, 7), (20, 7)])
def test_a_legend_has_as_many_columns_as_fit(width, columns):
    label = np.arange(12, dtype=np.uint8).reshape(3, 4)
    fig = rows(
        [np.zeros((3, 4, 3), np.uint8)],
        [label],
        palette=segm_cmap,
        width=width,
        class_names=[str(i) for i in range(12)],
    )
    assert fig.legends[0]._ncols == columns


def test_animation_shows_each_frame_and_stays_small():
    images = [np.full((40, 60, 3), 80 * t, np.uint8) for t in range(3)]
    labels = [np.full((40, 60), t % 2, np.uint8) for t in range(3)]
    html = embed(animate(images, labels, palette=RED_GREEN))
    frames = re.findall(r'data:image/jpeg;base64,([^"]+)"', html)
    assert len(frames) == 3 and len(html) < 1e5
    pictures = [
        np.asarray(Image.open(BytesIO(base64.b64decode(f.replace("\\\n", "")))), float)
        for f in frames
    ]
    height, width = pictures[0].shape[:2]
    left, right = (height // 2, width // 4), (height // 2, 3 * width // 4)
    assert [round(p[left].mean() / 80) for p in pictures] == [0, 1, 2]
    assert [p[right].argmax() for p in pictures] == [0, 1, 0]
    assert not plt.get_fignums()
    with pytest.raises(ValueError, match="lower dpi"):
        embed(animate(images, labels, palette=RED_GREEN), limit_mb=0.001)
