"""Image files and encoded images as arrays in Caffe's layout: channels first, BGR, 8 bits.

Only pure data formats are opened, by what the file holds, not by its name (no PostScript, which
Pillow passes to an interpreter). What takes much memory or time is refused before it is decoded.
"""

import os
from typing import BinaryIO

import numpy as np
from PIL import Image

from caffe import files
from caffe.errors import DataError

IMAGE = files.Kind("image file", DataError, most=2**30)
FORMATS = ("BMP", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
MOST_PIXELS = 2**26
MOST_SCANNED = 2**30  # pixels times scans of a JPEG: each may touch all; there are ten or so
SCAN = b"\xff\xda"  # the marker that begins one
TILE = 322, 323  # TIFF tags: width and height of a tile, which is decoded as a whole
DEEP = ("I", "F")  # prefixes of Pillow's modes with more than 8 bits per channel


def decode(source: str | BinaryIO, place: str, colour: bool | None = None) -> np.ndarray:
    """Return an encoded image as an array.

    The orientation in a photograph's EXIF data is ignored.

    Parameters
    ----------
    source : str or binary file
        The image file; an open one is seekable.
    place : str
        The file, line or record, to begin the error message with.
    colour : bool or None
        True for 3 channels (BGR), False for 1 (grey), None for the channels of the image (4 are
        BGRA), like the flags color, grayscale and unchanged of OpenCV's imread.

    Returns
    -------
    numpy.ndarray of uint8
        Channels x height x width.

    Raises
    ------
    DataError
        If the image is damaged, too large, or of another format or depth.
    """
    if isinstance(source, str | os.PathLike):
        with files.open_file(source, IMAGE) as opened:
            return decode(opened, place, colour)
    try:
        with Image.open(source, formats=FORMATS) as image:
            _check_cost(image, source, place)
            return _channels_first(image, colour, place)
    except DataError:
        raise
    except Exception as e:  # a damaged image can raise almost anything in its decoder
        raise DataError(
            f"{place}: is not an image that can be read ({' '.join(FORMATS)}), or damaged: {e}: "
            "fetch it again"
        ) from None


def _check_cost(image, source, place):
    """Raise DataError if decoding may take much more memory or time than the image is worth."""
    sizes = [("", (image.height, image.width))]
    if image.format == "TIFF":
        sizes.append((" in a tile", tuple(image.tag_v2.get(tag, 0) for tag in reversed(TILE))))
    for where, (height, width) in sizes:
        if height * width > MOST_PIXELS:
            raise DataError(
                f"{place}: would be {height} x {width} pixels{where}: {MOST_PIXELS:.3g} are the "
                "most"
            )
    if image.format == "JPEG":
        at, scans = source.tell(), 0
        source.seek(0)
        while chunk := source.read(2**20):
            scans += chunk.count(SCAN)
        source.seek(at)
        if scans * image.width * image.height > MOST_SCANNED:
            raise DataError(
                f"{place}: is a JPEG of {image.height} x {image.width} pixels in {scans} scans, "
                f"{MOST_SCANNED:.3g} pixels in all scans are the most"
            )


def _channels_first(image, colour, place):
    """Return a Pillow image as an array, channels first, in BGR order."""
    if image.mode.startswith(DEEP):
        image = _eight_bits(image, colour, place)
    if colour is None:
        alpha = "A" in image.getbands() or "transparency" in image.info
        grey = image.mode in ("1", "L") and not alpha
        image = _converted(image, "L" if grey else "RGBA" if alpha else "RGB")
    else:
        image = _converted(image, "RGB")
        image = image if colour else image.convert("L")
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        return pixels[None]
    order = [2, 1, 0, 3][: pixels.shape[2]]
    return np.ascontiguousarray(pixels[:, :, order].transpose(2, 0, 1))


def _converted(image, mode):
    """Return an image in this mode, without a copy if it has it already."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image, colour, place):
    """Return the upper byte of 16-bit values; raise DataError if they are to stay unchanged."""
    pixels = np.asarray(image)
    if colour is None or pixels.dtype.kind == "f" or pixels.min() < 0 or pixels.max() > 65535:
        raise DataError(
            f"{place}: has values of more than 8 bits (mode {image.mode}): save it with 8, or use "
            "HDF5Data"
        )
    return Image.fromarray((pixels >> 8).astype(np.uint8))


def read(path: str, colour: bool | None, place: str, height: int = 0, width: int = 0) -> np.ndarray:
    """Return an image file as an array, resized if height and width are given.

    Parameters
    ----------
    path : str
        The image file.
    colour : bool or None
        See `decode`.
    place : str
        The list and line that name the file, to begin the error message with.
    height, width : int
        The size to resize to; 0 for that of the file.

    Returns
    -------
    numpy.ndarray of uint8
        Channels x height x width.

    Raises
    ------
    DataError
        If the file is missing or cannot be decoded.
    """
    shown = files.shown(path)
    if "\0" in path or not os.path.exists(path):
        raise DataError(
            f"{place}: there is no image file {shown}: correct the line, or root_folder (which is "
            "put before the path unchanged and so has to end in a slash)"
        )
    try:
        source = files.open_file(path, IMAGE)
    except DataError as e:
        raise DataError(f"{place}: {e}") from None
    with source:
        image = decode(source, f"{place}: {shown}", colour)
    return resize(image, height, width) if height and width else image


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an image resized bilinearly, bit for bit as by OpenCV's INTER_LINEAR.

    Pixel centres are at halves, and there is no antialiasing. Weights are multiples of 1/2048. Sums
    are truncated twice: to multiples of 1/128 along the columns, then to 1/4 for each of two rows.

    Parameters
    ----------
    image : numpy.ndarray of uint8
        Channels x height x width.
    height, width : int
        The new size.
    """
    if image.shape[1:] == (height, width):
        return image
    (left, right), across = _taps(image.shape[2], width)
    (top, bottom), down = _taps(image.shape[1], height, clamp=False)
    out = np.empty((len(image), height, width), np.uint8)
    for channel, resized in zip(image, out):  # one by one: integers take four times the memory
        rows = channel.astype(np.int32)
        rows = (rows[:, left] * across[0] + rows[:, right] * across[1]) >> 4
        quarters = (rows[top] * down[0][:, None] >> 16) + (rows[bottom] * down[1][:, None] >> 16)
        resized[...] = quarters + 2 >> 2
    return out


def _taps(size, wanted, clamp=True):
    """Return the two neighbours of each of `wanted` places along an axis, and their weights.

    Beyond the outermost centres both neighbours are the outermost pixel; with `clamp` the weights
    are then 1 and 0.
    """
    at = ((np.arange(wanted) + 0.5) * (size / wanted) - 0.5).astype(np.float32)
    first = np.floor(at).astype(int)
    part = at - first.astype(np.float32)
    if clamp:
        part[(first < 0) | (first >= size - 1)] = 0
    weights = np.rint(np.stack([1 - part, part]) * 2048).astype(np.int32)
    return np.clip([first, first + 1], 0, size - 1), weights
