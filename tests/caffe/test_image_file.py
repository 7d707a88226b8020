"""Image files: formats by content, local files only, bounded before decoding."""

import io
import os

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe import image_file
from caffe.errors import CaffeError, ImageError
from caffe.image_file import read_image

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 5, 3), np.uint8)
GREY = RGB[:, :, 0]
LOOP = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP", "JPEG2000"])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg", "a.eps", "a"])
def test_the_content_tells_the_format(tmp_path, kind, name):
    options = {"WEBP": {"lossless": True}, "JPEG2000": {"irreversible": False}}.get(kind, {})
    Image.fromarray(RGB).save(tmp_path / name, kind, **options)
    np.testing.assert_array_equal(read_image(tmp_path / name), RGB)


@pytest.mark.parametrize("name", ["a.png", "a.eps", "a.jpg", "a.tif"])
def test_no_interpreter_is_started(tmp_path, monkeypatch, name):
    monkeypatch.setattr("subprocess.Popen", None)
    (tmp_path / name).write_bytes(LOOP)
    with pytest.raises(ImageError, match=rf"{name} cannot be read as an image"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("kind", ["ICO", "TGA", "PCX", "SGI", "DDS", "PDF", "ICNS"])
def test_other_formats_are_refused(tmp_path, kind):
    try:
        Image.fromarray(RGB).resize((32, 32)).save(tmp_path / "a.png", kind)
    except (KeyError, OSError):
        pytest.skip("this Pillow does not write it")
    with pytest.raises(ImageError, match="content is none of BMP GIF JPEG"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    "address", ["http://localhost:9/a.png", "https://x/a.jpg", "file:///a.png"]
)
def test_nothing_is_fetched(monkeypatch, address):
    monkeypatch.setattr("socket.socket", None)
    with pytest.raises(ImageError, match="this is an address: fetch the file first"):
        caffe.io.load_image(address)


def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "empty.png").touch()
    for name, words in (("pipe.png", "a pipe"), ("", "a folder"), ("empty.png", "is empty")):
        with pytest.raises(ImageError, match=words):
            read_image(tmp_path / name)
    for value in (None, 3, ["a.png"], np.zeros((2, 2))):
        with pytest.raises(CaffeError, match="path"):
            read_image(value)


def test_open_files_and_bytes():
    """BVLC's web_demo passes a downloaded image as a file object."""
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, "PNG")
    buffer.seek(0)
    np.testing.assert_array_equal(read_image(buffer), RGB)
    np.testing.assert_array_equal(read_image(buffer.getvalue()), RGB)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    Image.new("1", (13000, 13000)).save(tmp_path / "large.png")
    with pytest.raises(ImageError, match=r"13000 x 13000 pixels, and 6.71e\+07 are the most"):
        read_image(tmp_path / "large.png")
    monkeypatch.setattr(image_file.memory, "available", lambda: 2**30)
    Image.new("1", (8000, 8000)).save(tmp_path / "large.png")
    with pytest.raises(CaffeError, match="GiB of memory"):
        read_image(tmp_path / "large.png")


@pytest.mark.filterwarnings("ignore")  # Pillow's, of damaged tags
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "JPEG2000"])
def test_damage_raises_only_our_errors(kind):
    buffer = io.BytesIO()
    Image.fromarray(RGB).save(buffer, kind)
    content, rng = buffer.getvalue(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            damaged[place] = rng.integers(256)
        try:
            read_image(bytes(damaged[: rng.integers(1, len(content) + 1)]))
        except CaffeError:
            pass


def test_colours(tmp_path):
    """Palettes are applied, CMYK becomes RGB, deep images keep their values."""
    image = Image.fromarray(RGB)
    wide = RNG.integers(0, 65536, (6, 5)).astype(np.uint16)
    real = RNG.random((6, 5)).astype(np.float32)
    inverted = 255 - np.dstack(
        [RGB, np.full((6, 5), 255, np.uint8)]
    )  # no black: ink is 255 - light
    for made, name, wanted in (
        (image.quantize(30), "p.png", RGB),
        (image.quantize(30), "p.tif", RGB),
        (Image.fromarray(inverted, "CMYK"), "cmyk.tif", RGB),
        (Image.fromarray(GREY), "l.png", GREY),
        (Image.fromarray(wide), "wide.png", wide),
        (Image.fromarray(wide), "wide.tif", wide),
        (Image.fromarray(real), "real.tif", real),
        (Image.fromarray(GREY > 99), "bits.png", GREY > 99),
    ):
        made.save(tmp_path / name)
        np.testing.assert_array_equal(read_image(tmp_path / name), wanted, err_msg=name)
    Image.frombytes("LAB", (5, 6), RGB.tobytes()).save(tmp_path / "lab.tif")
    with pytest.raises(ImageError, match="lab.tif has colours of kind LAB: save it as RGB"):
        read_image(tmp_path / "lab.tif")


def test_colour_tiffs_of_more_than_8_bits(tmp_path):
    from skimage.io import imsave

    wide = RNG.integers(0, 65536, (6, 5, 3)).astype(np.uint16)
    imsave(tmp_path / "wide.tif", wide, check_contrast=False)
    np.testing.assert_array_equal(read_image(tmp_path / "wide.tif"), wide)
    imsave(tmp_path / "small.tif", wide, check_contrast=False, compression="zlib")
    with pytest.raises(ImageError, match="small.tif is a TIFF of more than 8 bits .*save it"):
        read_image(tmp_path / "small.tif")


def test_several_images_in_a_file(tmp_path):
    image = Image.fromarray(RGB)
    image.save(tmp_path / "one.gif")
    assert caffe.io.load_image(tmp_path / "one.gif").shape == (6, 5, 3)
    for name in ("two.gif", "two.tif", "two.png"):
        more = [image.rotate(180)]
        image.save(tmp_path / name, save_all=True, append_images=more)
        with pytest.raises(ImageError, match=f"{name} holds 2 images: save the one"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("size", [(6, 5), (3, 4), (4, 1)])
def test_grey_with_alpha(tmp_path, size):
    grey = RNG.integers(0, 256, size).astype(np.uint8)
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(255 - grey)]).save(
        tmp_path / "la.png"
    )
    one = caffe.io.load_image(tmp_path / "la.png", color=False)
    three = caffe.io.load_image(tmp_path / "la.png")
    assert one.shape == (*size, 1) and three.shape == (*size, 3)
    np.testing.assert_allclose(one[:, :, 0], grey / 255, atol=1e-7)
    np.testing.assert_array_equal(three, np.repeat(one, 3, axis=2))
