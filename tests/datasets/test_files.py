"""Any kind of bad image or label raises a DatasetError that names the file."""

import numpy as np
import pytest
from PIL import Image

from datasets.errors import DatasetError
from datasets.files import image_size, open_image, open_label, open_rgb


def save(path, array):
    Image.fromarray(np.asarray(array, np.uint8)).save(path)
    return path


def truncated(path):
    path.write_bytes(path.read_bytes()[:-40])
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda p: p.unlink(), "no such file"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_bytes(b"<html>not found</html>"), "not an image"),
        (truncated, "damaged"),
        (lambda p: (p.unlink(), p.mkdir()), "no such file"),
    ],
)
def test_damaged_image(tmp_path, suffix, damage, message):
    path = save(tmp_path / f"frame{suffix}", np.random.default_rng(0).integers(0, 255, (20, 30, 3)))
    damage(path)
    with pytest.raises(DatasetError, match=message) as error:
        open_image(path)
    assert str(path) in str(error.value)


def test_flipped_bytes_in_png(tmp_path):
    path = save(tmp_path / "frame.png", np.random.default_rng(0).integers(0, 255, (20, 30, 3)))
    data = bytearray(path.read_bytes())
    for at in (20, 45, 60, 300):
        broken = data.copy()
        broken[at] ^= 0xFF
        path.write_bytes(broken)
        with pytest.raises(DatasetError, match="frame.png"):
            open_image(path)


def test_image_size_of_damaged_file(tmp_path):
    path = tmp_path / "frame.png"
    path.write_bytes(b"nonsense")
    with pytest.raises(DatasetError, match="not an image"):
        image_size(path)


def test_grey_and_palette_images_become_rgb(tmp_path):
    path = save(tmp_path / "grey.png", np.full((4, 5), 7))
    assert open_rgb(path).mode == "RGB"
    assert np.asarray(open_rgb(path)).tolist() == [[[7, 7, 7]] * 5] * 4


def test_label_values_and_ignore(tmp_path):
    values = np.array([[0, 3], [10, 255]])
    label = open_label(save(tmp_path / "l.png", values), num_values=11, size=(2, 2))
    assert label.dtype == np.uint8
    assert (label == values).all()


def test_palette_image_gives_its_indices(tmp_path):
    indexed = Image.fromarray(np.array([[0, 1], [2, 2]], np.uint8))
    indexed.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
    assert indexed.mode == "P"
    indexed.save(tmp_path / "l.png")
    assert open_label(tmp_path / "l.png", num_values=3).tolist() == [[0, 1], [2, 2]]


def test_label_out_of_range(tmp_path):
    path = save(tmp_path / "l.png", [[0, 11]])
    with pytest.raises(DatasetError, match="value 11 is neither below 11") as error:
        open_label(path, num_values=11)
    assert str(path) in str(error.value)


def test_label_of_another_size(tmp_path):
    path = save(tmp_path / "l.png", np.zeros((3, 4)))
    with pytest.raises(DatasetError, match="label is 4 x 3 but its frame is 8 x 6"):
        open_label(path, num_values=2, size=(8, 6))


def test_painted_label_in_known_colours(tmp_path):
    colors = {(0, 0, 142): 26, (0, 0, 0): 0, (128, 64, 128): 7}
    path = save(tmp_path / "l.png", [[(128, 64, 128), (0, 0, 0), (0, 0, 142)]])
    assert open_label(path, num_values=34, colors=colors).tolist() == [[7, 0, 26]]
    save(path, [[(128, 64, 128), (0, 1, 0)]])
    with pytest.raises(DatasetError, match=r"no class has the colour \(0, 1, 0\)"):
        open_label(path, num_values=34, colors=colors)


def test_painted_label_in_unknown_colours_is_rejected(tmp_path):
    path = save(tmp_path / "l.png", np.zeros((3, 4, 3)))
    with pytest.raises(DatasetError, match="image of mode RGB"):
        open_label(path, num_values=2)
