"""Image files and encoded images to arrays as Caffe has them: channels first, BGR, 8 bits.

Only formats that are plain data are opened (no PostScript, which Pillow hands to an interpreter).
"""

import os

import numpy as np
from PIL import Image

from caffe.errors import DataError

FORMATS = ("BMP", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
MOST_PIXELS = 2**26
DEEP = ("I", "F")  # begin Pillow's modes of more than 8 bits a channel


def decode(source, place, colour=None):
    """uint8 array, channels x height x width, of an encoded image.

    source: a path or a binary file; place: what the DataError begins with.
    colour: True for 3 channels (BGR), False for 1 (grey), None for those the image has (4 are
    BGRA), as OpenCV's imread does with its flags for colour, grey and unchanged. A photograph is
    not turned upright by its EXIF orientation.
    """
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise DataError(
                    "%s: would be %d x %d pixels: %.3g are the most"
                    % (place, image.height, image.width, MOST_PIXELS)
                )
            return _channels_first(image, colour, place)
    except DataError:
        raise
    except Exception as e:  # a damaged image can raise almost anything in its decoder
        raise DataError(
            "{}: is no image that can be read ({}), or damaged: {}: fetch it again".format(
                place, " ".join(FORMATS), e
            )
        ) from None


def _channels_first(image, colour, place):
    if image.mode.startswith(DEEP):
        image = _eight_bits(image, colour, place)
    if colour is None:
        alpha = "A" in image.getbands() or "transparency" in image.info
        grey = image.mode in ("1", "L") and not alpha
        image = image.convert("L" if grey else "RGBA" if alpha else "RGB")
    else:
        image = image.convert("RGB")
        image = image if colour else image.convert("L")
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        return pixels[None]
    order = [2, 1, 0, 3][: pixels.shape[2]]
    return np.ascontiguousarray(pixels[:, :, order].transpose(2, 0, 1))


def _eight_bits(image, colour, place):
    """The upper byte of 16 bits; DataError where the values are to stay as they are."""
    pixels = np.asarray(image)
    if colour is None or pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise DataError(
            f"{place}: has values of more than 8 bits (mode {image.mode}): save it with 8, or use "
            "HDF5Data"
        )
    return Image.fromarray((pixels >> 8).astype(np.uint8))


def read(path, colour, place, height=0, width=0):
    """decode, of the file `path`, resized to height x width unless these are 0."""
    if not os.path.isfile(path):
        raise DataError(
            f"{place}: there is no image file {path}: correct the line, or root_folder (which is "
            "put before it as it stands, so it ends in a slash)"
        )
    image = decode(path, f"{place}: {path}", colour)
    return resize(image, height, width) if height and width else image


def resize(image, height, width):
    """Bilinear, of a uint8 image, channels first: bit for bit what OpenCV's INTER_LINEAR gives.

    Pixel centres are at halves, nothing is smoothed before. Weights are in 2048ths, and sums are
    cut down twice on the way: first to 128ths, then to quarters for each row.
    """
    if image.shape[1:] == (height, width):
        return image
    (left, right), across = _taps(image.shape[2], width)
    (top, bottom), down = _taps(image.shape[1], height, inside=False)
    rows = image.astype(np.int32)
    rows = (rows[:, :, left] * across[0] + rows[:, :, right] * across[1]) >> 4
    quarters = (rows[:, top] * down[0][:, None] >> 16) + (rows[:, bottom] * down[1][:, None] >> 16)
    return (quarters + 2 >> 2).astype(np.uint8)


def _taps(size, wanted, inside=True):
    """For each of `wanted` places along an axis: its two neighbours and their weights.

    inside: beyond the outermost centres the weights are 1 and 0 (else they stay, of one pixel).
    """
    at = ((np.arange(wanted) + 0.5) * (size / wanted) - 0.5).astype(np.float32)
    first = np.floor(at).astype(int)
    part = at - first.astype(np.float32)
    if inside:
        part[(first < 0) | (first >= size - 1)] = 0
    weights = np.rint(np.stack([1 - part, part]) * 2048).astype(np.int32)
    return np.clip([first, first + 1], 0, size - 1), weights
