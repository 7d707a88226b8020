"""Any kind of bad image or label raises a DatasetError that names the file."""

import resource
import subprocess

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


def save_as(path, form, mode="RGB", size=(6, 4), **options):
    Image.new(mode, size).save(path, form, **options)
    return path


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop\n"


@pytest.mark.parametrize("read", [open_image, image_size])
def test_the_format_is_what_is_in_the_file(tmp_path, read, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("a program is started")

    monkeypatch.setattr(subprocess, "Popen", never)
    for form in ("PNG", "JPEG", "PPM"):
        im = read(save_as(tmp_path / "frame.png", form))
        assert (im if read is image_size else im.size) == (6, 4)
    for form in ("BMP", "GIF", "TIFF", "WEBP", "ICO", "PCX", "TGA", "DDS", "JPEG2000"):
        path = save_as(tmp_path / "frame.jpg", form, mode="RGB")
        with pytest.raises(DatasetError, match="frame.jpg: .*not an image of the formats PNG, JPE"):
            read(path)
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(DatasetError, match="frame.jpg: .*not an image of the formats"):
        read(path)


@pytest.mark.parametrize(
    "form, mode, size",
    [
        ("PNG", "1", (13_000, 13_000)),
        ("PNG", "RGB", (1 << 16, 513)),
        ("JPEG", "L", (60_000, 600)),
        ("PPM", "1", (8192, 4097)),
    ],
)
def test_small_files_of_many_pixels(tmp_path, form, mode, size):
    path = save_as(tmp_path / "frame.png", form, mode, size)
    for read in (open_image, image_size, lambda path: open_label(path, 21)):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(
            DatasetError, match=rf"frame.png: an image of {size[0]} x {size[1]} pix"
        ):
            read(path)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_as_many_pixels_as_8k_video(tmp_path):
    path = save_as(tmp_path / "frame.png", "PNG", "1", (7680, 4320))
    assert image_size(path) == open_image(path).size == (7680, 4320)


def test_jpeg_of_many_scans(tmp_path):
    path = save_as(tmp_path / "frame.jpg", "JPEG", progressive=True)
    content = path.read_bytes()
    scan = content[content.rindex(b"\xff\xda") : -2]
    assert open_image(path).size == (6, 4)
    path.write_bytes(content[:-2] + 100_000 * scan + content[-2:])
    with pytest.raises(DatasetError, match="frame.jpg: a JPEG image of 1000.. scans"):
        open_image(path)


def test_painted_label_of_several_blocks_of_rows(tmp_path):
    rgb = np.zeros((600, 3, 3), np.uint8)
    rgb[299:] = 128, 64, 128
    path = save(tmp_path / "l.png", rgb)
    label = open_label(path, 34, colors={(0, 0, 0): 3, (128, 64, 128): 7})
    assert (label[:299] == 3).all() and (label[299:] == 7).all() and label.shape == (600, 3)
    rgb[599, 2] = 1, 2, 3
    with pytest.raises(DatasetError, match=r"colour \(1, 2, 3\)"):
        open_label(save(path, rgb), 34, colors={(0, 0, 0): 3, (128, 64, 128): 7})


@pytest.mark.parametrize(
    "error", [KeyError("x"), IndexError(), TypeError(), RecursionError(), OverflowError()]
)
def test_any_failure_of_a_decoder(tmp_path, monkeypatch, error):
    path = save(tmp_path / "frame.png", np.zeros((4, 6)))

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(DatasetError, match="frame.png: damaged"):
        open_image(path)
