"""Floods of tiny parts are refused at once; metadata of JPEG files is left out, pixels stay."""

import io
import resource
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from datasets.errors import DatasetError
from datasets.files import image_size, open_image
from datasets.reading.image_bytes import ImageBytes

READ_AT_MOST = 10  # seconds; ten times as many parts took minutes


def encoded(form, mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def chunk(name, body=b""):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


PNG_HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
PNG_TAIL = chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND")
FLOODS = {
    "png chunks": PNG_HEAD + chunk(b"teST") * 300_000 + PNG_TAIL,
    "png texts": PNG_HEAD + chunk(b"tEXt", b"a\0b") * 300_000 + PNG_TAIL,
    "jpeg tags": b"\xff\xd8" + b"\xff\xe1\0\2" * 100_000,
    "jpeg comments": b"\xff\xd8" + b"\xff\xfe\0\2" * 100_000,
    "jpeg filling": b"\xff\xd8" + b"\xff\0" * 100_000,
    "jpeg marks": b"\xff\xd8" + b"\xff" * 3_300_000,
    "jpeg restarts": b"\xff\xd8" + b"\xff\xd0" * 100_000,
    "jpeg rubbish": b"\xff\xd8" + b"\xfe" * 3_300_000,
    "ppm comments": b"P6 " + b"#\n" * 1_000_000 + b"1 1 255\n123",
}


@pytest.mark.parametrize("read", [open_image, image_size])
@pytest.mark.parametrize("content", FLOODS.values(), ids=FLOODS)
def test_floods(tmp_path, read, content):
    path = tmp_path / "frame.png"
    path.write_bytes(content)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(
        DatasetError, match="frame.png: .*(too many|more than 10,000) parts|damaged"
    ):
        read(path)
    assert time.monotonic() - start < READ_AT_MOST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize(
    "content, message",
    [
        (b"P3 10 10 255\n" + b"#x\n" * 300_000, "too many comments"),
        (b"P3 2000 2000 255\n" + b"0 " * 12_000_000, "is a text, or whose values do not"),
        (b"P5 4000 4000 100\n" + bytes(16_000_000), "is a text, or whose values do not"),
        (b"P5 2000 2000 100\n" + bytes(4_000_000), "too many parts"),
    ],
)
def test_ppm_that_is_read_in_python(tmp_path, content, message):
    path = tmp_path / "frame.ppm"
    path.write_bytes(content)
    start = time.monotonic()
    with pytest.raises(DatasetError, match=f"frame.ppm: .*{message}"):
        open_image(path)
    assert time.monotonic() - start < READ_AT_MOST


def test_small_ppm_of_any_kind(tmp_path):
    path = tmp_path / "frame.ppm"
    for content in (
        b"P3 2 1 255 # two pixels\n1 2 3 4 5 6\n",
        b"P6 2 1 255\n\1\2\3\4\5\6",
        b"P6 2 1 65535\n\1\1\2\2\3\3\4\4\5\5\6\6",
    ):
        path.write_bytes(content)
        assert np.asarray(open_image(path)).tolist() == [[[1, 2, 3], [4, 5, 6]]]


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 30}])
def test_pixels_of_jpeg_files_stay(tmp_path, mode, options):
    plain = encoded("JPEG", mode, **options)
    tags = b"\xff\xe1\0\x0eExif\0\0rubbish"[:16] + b"\xff\xfe\0\7hello" + b"\xff\xff\xff\0\0"
    second = 4 + int.from_bytes(plain[4:6], "big")  # where the second part begins
    for content in (plain, *(plain[:at] + tags + plain[at:] for at in (2, second))):
        (tmp_path / "frame.jpg").write_bytes(content)
        image = open_image(tmp_path / "frame.jpg")
        assert image.mode == mode and "exif" not in image.info
        assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(plain))))


def test_metadata_does_not_reach_pillow():
    exif = Image.Exif()
    exif[0x9286] = "taken by hand"
    content = encoded("JPEG", exif=exif, icc_profile=bytes(100_000), comment="hello")
    left = ImageBytes(content).getvalue()
    assert b"Exif" in content and b"ICC_PROFILE" in content and b"hello" in content
    for word in (b"Exif", b"ICC_PROFILE", b"hello"):
        assert word not in left
    assert left == encoded("JPEG") and ImageBytes(left).getvalue() == left


def test_real_photographs_stay(shared):
    paths = sorted(shared.glob("samples/**/*.jpg"))[:20]
    assert paths
    for path in paths:
        assert np.array_equal(np.asarray(open_image(path)), np.asarray(Image.open(path)))
