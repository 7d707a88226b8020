"""Image files to arrays, as skimage reads them, but only formats that are pure data.

The format is told by the content, not the name. PostScript, which Pillow gives to an interpreter,
is none of them, nothing is fetched from a network, and the size is checked before pixels are
decoded.
"""

import io
import os
import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from caffe.blobs import memory
from caffe.errors import CaffeError, ImageError
from caffe.files import IMAGE, PathLike, as_path, open_file, shown

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
MOST_PIXELS = 2**26
BYTES_PER_VALUE = 20  # while it becomes a float: 4 of the image, 8 + 4 of copies, 4 of the result
# Pillow's modes that become another one before they are an array; P becomes what its palette has
CONVERTED = {"PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}
TAKEN = {"1", "L", "LA", "RGB", "RGBA", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
# tags of TIFF
BITS, COMPRESSION, DESCRIPTION, SAMPLES = 258, 259, 270, 277


def read_image(source: PathLike | BinaryIO | bytes) -> np.ndarray:
    """Read an image file.

    Parameters
    ----------
    source : path, binary file or bytes
        A file on this machine, one that is open, or the content of one.

    Returns
    -------
    numpy.ndarray
        H x W if grey, else H x W x channels: 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha). The
        type is that of the file: bool, unsigned integers of 8 or 16 bits, int32 or float32.

    Raises
    ------
    ImageError
        If the file is missing, no image, damaged, of another format or too large.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), "the image in memory")
    if not isinstance(source, str | os.PathLike) and hasattr(source, "read"):
        return _read(source, getattr(source, "name", "the open file"))  # a download, in web_demo
    path = as_path(source, IMAGE)
    with open_file(path, IMAGE) as file:
        return _read(file, path)


def _read(file, name):
    """Read an open file; `name` is for messages, and tells a TIFF of more than 8 bits."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we check, and raise
            if _is_deep_tiff(file, name):
                return _read_deep_tiff(name)
            with Image.open(file, formats=FORMATS) as image:
                _check_size(name, image.width, image.height)
                if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
                    raise ImageError(
                        f"{shown(name)} holds {image.n_frames} images: save the one that you want "
                        "as a PNG"
                    )
                return _as_array(image, name)
    except CaffeError:
        raise
    except UnidentifiedImageError:
        raise ImageError(
            f"{shown(name)} cannot be read as an image: its content is none of {' '.join(FORMATS)}"
        ) from None
    except Exception as e:  # a damaged image can raise almost anything in its decoder
        raise ImageError(
            f"{shown(name)} cannot be read as an image: it is damaged, or of a kind that is not "
            f"read: {e}"
        ) from e


def _check_size(name, width, height):
    """Raise an error if an image has too many pixels, or more than there is memory for."""
    if width * height > MOST_PIXELS:
        raise ImageError(
            f"{shown(name)} has {height} x {width} pixels, and {MOST_PIXELS:.3g} are the most: "
            "save it smaller"
        )
    memory.check(width * height * 3 * BYTES_PER_VALUE // 4, f"the image {shown(name)} takes")


def _as_array(image, name):
    """Return the pixels of a Pillow image."""
    if image.mode == "P":
        image = image.convert(image.palette.mode)
    elif image.format == "PNG" and image.mode == "I":
        image = image.convert("I;16")
    image = image.convert(CONVERTED[image.mode]) if image.mode in CONVERTED else image
    if image.mode not in TAKEN:
        raise ImageError(f"{shown(name)} has colours of kind {image.mode}: save it as RGB")
    return np.array(image)


def _is_deep_tiff(file, name):
    """Tell whether this is a colour TIFF of more than 8 bits, which Pillow would cut to 8."""
    if not str(name).lower().endswith((".tif", ".tiff")):
        return False
    start = file.read(8)
    try:
        if start[:4] not in (b"II*\0", b"MM\0*"):
            return False
        tags = TiffImagePlugin.ImageFileDirectory_v2(start)
        file.seek(tags.next)
        tags.load(file)
    finally:
        file.seek(0)
    width, height = tags.get(256, 0), tags.get(257, 0)
    if tags.get(SAMPLES, 1) < 3 or max(tags.get(BITS, (1,))) <= 8:
        return False
    _check_size(name, width, height)
    if tags.get(COMPRESSION, 1) != 1 or "<OME" in str(tags.get(DESCRIPTION, "")):
        raise ImageError(
            f"{shown(name)} is a TIFF of more than 8 bits that is compressed, or in parts: save it "
            "with 8 bits, or uncompressed"
        )
    return True


def _read_deep_tiff(name):
    from skimage.io import imread  # slow to import

    array = imread(os.path.abspath(name))
    if array.ndim != 3:
        raise ImageError(
            f"{shown(name)} holds an array of shape {array.shape}: save the image that you want as "
            "a PNG"
        )
    return array
