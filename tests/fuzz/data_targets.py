"""What the fuzzers of datasets/ call with their bytes, as targets.py has for caffe: anything but a
DatasetError that names the file, or a sound result, is a finding."""

import io
import json
import os
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from datasets import files, miniature, nyud_files
from datasets.errors import DatasetError
from datasets.reading import matfile

DatasetErrors = (DatasetError,)
FOLDER = Path(
    tempfile.mkdtemp(
        prefix="clockwork-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    )
)
PNG = b"\x89PNG\r\n\x1a\n"
MANIFEST = {"name": "voc", "seed": 0, "size": [8, 8], "source": "0", "units": {"val": 1}}


def path_of(content, name):
    """A file that holds the bytes, in memory where the system has such a folder."""
    path = FOLDER / name
    path.write_bytes(content)
    return path


def attempt(read, path, *args):
    """What a reader returns; None for a DatasetError, which must name the file."""
    try:
        return read(path, *args)
    except DatasetErrors as error:
        assert path.name in str(error), error
        return None


def mat(content):
    """Reads a label, and a list of ids, from a MATLAB file, and from one that is packed."""
    _read_mat(content)
    packed = zlib.compress(content[128:])
    _read_mat(content[:128] + struct.pack("<II", 15, len(packed)) + packed)


def _read_mat(content):
    path = path_of(content, "val.mat")
    label = attempt(nyud_files.read_label, path, 40, (6, 4))
    assert label is None or label.shape == (4, 6) and label.dtype == np.uint8
    for key in ("segmentation", "split_ids"):
        array = attempt(matfile.open_mat, path, key)
        assert array is None or isinstance(array, np.ndarray) and array.dtype.kind in "iufOU"
    (FOLDER / "val.txt").unlink(missing_ok=True)
    try:
        assert all(isinstance(id, str) for id in nyud_files.read_ids(FOLDER, "val"))
    except DatasetErrors as error:
        assert "val.mat" in str(error), error


def image(content):
    """Opens an image, its size, and a label, and once more with the check sums of a PNG mended."""
    _read_image(content)
    if content.startswith(PNG):
        _read_image(_summed(content))


def _summed(content):
    """A PNG file with the check sum that each of its chunks should have."""
    parts, at = [PNG], len(PNG)
    while at < len(content):
        size = min(int.from_bytes(content[at : at + 4], "big"), len(content))
        chunk = content[at + 4 : at + 8 + size]
        parts += [content[at : at + 4], chunk, struct.pack(">I", zlib.crc32(chunk))]
        at += 12 + size
    return b"".join(parts)


def _read_image(content):
    path = path_of(content, "image.png")
    opened = attempt(files.open_image, path)
    size = attempt(files.image_size, path)
    assert opened is None or opened.size == size
    label = attempt(files.open_label, path, 21, size, {(128, 0, 0): 1, (0, 0, 0): 0})
    assert label is None or label.shape[::-1] == size


def names(content):
    """Reads a list of names, and one of raw frames."""
    path = path_of(content, "val_rawImages.txt")
    lines = attempt(files.read_lines, path, "hint")
    assert lines is None or any(lines)
    attempt(lambda path: nyud_files.read_raw_frames(path.parent, "val", lines or []), path)


def manifest(content):
    """Reads the manifest of a miniature: units of each split, or none."""
    folder = FOLDER / "miniature"
    folder.mkdir(exist_ok=True)
    (folder / "0.png").touch()
    (folder / "manifest.json").write_bytes(content)
    assert miniature._units_found(folder, MANIFEST) in ({}, {"val": 0}, {"val": 1})


TARGETS = {"mat": mat, "image": image, "names": names, "manifest": manifest}


def _mat(packed=True, **arrays):
    buffer = io.BytesIO()
    savemat(buffer, arrays, do_compression=packed)
    return buffer.getvalue()


def _mats():
    label = np.arange(24, dtype=np.uint8).reshape(4, 6)
    cells = np.empty((3, 1), object)
    cells[:, 0] = ["img_5001", 5002.0, "5003.png"]
    for packed in (True, False):
        yield _mat(packed, segmentation=label)
        yield _mat(packed, other={"a": label}, segmentation=label.astype(float))
        yield _mat(packed, segmentation=label, split_ids=cells)
        yield _mat(packed, segmentation=label, split_ids=np.array([5001, 5002]))
        yield _mat(packed, split_ids=["5001", "5002"], segmentation=label)


def _images():
    rgb = np.random.default_rng(0).integers(0, 2, (12, 16, 3), np.uint8) * 128
    palette = Image.fromarray(rgb[..., 0] // 64)
    palette.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    for picture, form, options in (
        (Image.fromarray(rgb), "PNG", {}),
        (palette, "PNG", {}),
        (palette.convert("1"), "PNG", {}),
        (Image.fromarray(rgb).convert("RGBA"), "PNG", {}),
        (Image.fromarray(rgb[..., 0].astype(np.uint16)), "PNG", {}),
        (Image.fromarray(rgb), "JPEG", {}),
        (Image.fromarray(rgb[..., 0]), "JPEG", {"progressive": True}),
        (Image.fromarray(rgb).convert("CMYK"), "JPEG", {}),
        (Image.fromarray(rgb), "PPM", {}),
        (Image.fromarray(rgb[..., 0]), "PPM", {}),
        (palette.convert("1"), "PPM", {}),
    ):
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        yield buffer.getvalue()
    yield b"P3 2 2 255\n0 0 0 128 0 0  # comment\n0 0 0 1 2 3\n"
    yield b"P2 2 2 40\n0 1 2 3\n"
    yield b"P1 4 2\n0110 1001\n"
    yield b"P5 2 2 1000\n\0\1\0\2\0\3\0\4"


def seeds(target):
    """Sound files for one of TARGETS, as bytes."""
    if target == "mat":
        return list(_mats())
    if target == "image":
        return list(_images())
    if target == "names":
        return [b"a/r-1.5-2.ppm\n\nb/r-2.5-3.png\n", b"\xef\xbb\xbfb/c\r\nd/e", "ä/ö\n".encode()]
    return [
        json.dumps({**MANIFEST, "files": 1}).encode(),
        json.dumps({**MANIFEST, "files": 1, "units": {"val": 0}}, indent=2).encode(),
    ]
