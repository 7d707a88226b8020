"""Read image, label and list files; any kind of bad file raises DatasetError."""

import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.errors import DatasetError

IGNORE = 255  # label value that is excluded from training and scoring

# Pillow raises different exceptions for damaged files, depending on the format.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    zlib.error,
    struct.error,
    Image.DecompressionBombError,
)


def open_image(path: os.PathLike[str] | str) -> Image.Image:
    """Open and fully decode an image file.

    Parameters
    ----------
    path : path-like
        The image file.

    Returns
    -------
    PIL.Image.Image
        The image, in the mode it is stored in.

    Raises
    ------
    DatasetError
        If the file is missing, empty, truncated or not an image.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; is the dataset unpacked completely?")
    if path.stat().st_size == 0:
        raise DatasetError(f"{path}: the file is empty; download it again")
    try:
        with Image.open(path) as im:
            im.load()
            return im.copy()
    except _DECODE_ERRORS as error:
        raise DatasetError(
            f"{path}: damaged or not an image ({error}); download it again"
        ) from error


def open_rgb(path: os.PathLike[str] | str) -> Image.Image:
    """Open an image file as `open_image` does and convert it to RGB."""
    return open_image(path).convert("RGB")


def image_size(path: os.PathLike[str] | str) -> tuple[int, int]:
    """Return the (width, height) of an image file, reading only its header if it is valid."""
    try:
        with Image.open(path) as im:
            return im.size
    except _DECODE_ERRORS:
        return open_image(path).size  # raises the DatasetError that explains the failure


def open_label(
    path: os.PathLike[str] | str,
    num_values: int,
    size: tuple[int, int] | None = None,
    colors: Mapping[tuple[int, int, int], int] | None = None,
) -> npt.NDArray[np.uint8]:
    """Open a label image.

    Parameters
    ----------
    path : path-like
        The label file; single-channel unless `colors` is given.
    num_values : int
        Number of valid values: each must be in 0..num_values - 1 or IGNORE.
    size : (int, int), optional
        Width and height of the frame, which the label must match.
    colors : mapping of (r, g, b) to int, optional
        Value of each colour, for labels that may be stored as a painted RGB image.

    Returns
    -------
    ndarray of uint8, H x W
        The stored values; for a palette image, its indices.

    Raises
    ------
    DatasetError
        If the file cannot be read, is painted in unknown colours, holds a value out of range, or
        differs in size from its frame.
    """
    im = open_image(path)
    if im.mode in ("L", "P", "1", "I", "I;16"):
        label = np.asarray(im)
    elif im.mode == "RGB" and colors:
        label = _values_from_colors(np.asarray(im), colors, path)
    else:
        raise DatasetError(
            f"{path}: a label holds one class index per pixel, but this is an image of mode "
            f"{im.mode}; is it the coloured rendering of the label?"
        )
    if size is not None:
        check_label_size(path, im.size, size)
    invalid = (label >= num_values) & (label != IGNORE)
    if invalid.any():
        raise DatasetError(
            f"{path}: label value {label[invalid][0]} is neither below {num_values} "
            f"nor {IGNORE} (ignore); was this label made for another class list?"
        )
    return label.astype(np.uint8)


def check_label_size(
    path: os.PathLike[str] | str,
    size: Sequence[int],
    frame_size: Sequence[int],
    frame: str = "its frame",
) -> None:
    """Check that a label is as large as its frame.

    Parameters
    ----------
    path : path-like
        The label file, or another name for the label to use in the message.
    size, frame_size : (int, int)
        Width and height of the label and of the frame.
    frame : str
        Name of the frame in the message.

    Raises
    ------
    DatasetError
        If the sizes differ.
    """
    if tuple(size) != tuple(frame_size):
        raise DatasetError(
            f"{path}: the label is {_format_size(size)} but {frame} is "
            f"{_format_size(frame_size)}; one of the two was resized"
        )


def read_lines(path: os.PathLike[str] | str, hint: str) -> list[str]:
    """Read the lines of a text file, stripped. Blank lines are kept: lists are aligned by line.

    Parameters
    ----------
    path : path-like
        The text file.
    hint : str
        How to get the file; ends the error message.

    Returns
    -------
    list of str
        The lines.

    Raises
    ------
    DatasetError
        If the file is missing, holds only blank lines, or is not text.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such list; {hint}")
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path}: not a list of names, one per line ({error}); {hint}"
        ) from error
    if not any(lines):
        raise DatasetError(f"{path}: the list is empty; {hint}")
    return lines


def read_names(path: os.PathLike[str] | str, hint: str) -> list[str]:
    """Read a text file of one name per line as `read_lines` does, without the blank lines."""
    return [line for line in read_lines(path, hint) if line]


def _values_from_colors(rgb, colors, path):
    """Return the H x W uint8 values that `colors` assigns to the pixels of an H x W x 3 image."""
    packing = np.array((1 << 16, 1 << 8, 1))
    known = np.array(list(colors)) @ packing
    order = np.argsort(known)
    pixels = rgb.astype(np.int64) @ packing
    index = order[np.searchsorted(known, pixels, sorter=order).clip(max=len(known) - 1)]
    unknown = known[index] != pixels
    if unknown.any():
        raise DatasetError(
            f"{path}: no class has the colour {tuple(rgb[unknown][0].tolist())}; "
            "was this painted label resized or stored as JPEG?"
        )
    return np.array(list(colors.values()), np.uint8)[index]


def _format_size(size):
    """Format a size as 'width x height'."""
    return f"{size[0]} x {size[1]}"
