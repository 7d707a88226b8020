"""Read image, label and list files; any kind of bad file raises DatasetError."""

import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from datasets.errors import DatasetError
from datasets.reading.gate import read_file
from datasets.reading.image_bytes import ImageBytes, check_slow

IGNORE = 255  # label value that is excluded from training and scoring

# The formats that the datasets have. Pillow would take many more, and starts Ghostscript for one.
FORMATS = ("PNG", "JPEG", "PPM")
MAX_PIXELS = 1 << 25  # of an image; 8K video has 7680 x 4320, just below this
MAX_NAME = 4096  # characters in a line of a list, the longest path of most systems
_ROWS = 256  # of a label that are looked at together, to take little memory

Result = TypeVar("Result")


def open_image(path: os.PathLike[str] | str) -> Image.Image:
    """Open and fully decode an image file.

    Parameters
    ----------
    path : path-like
        The image file, of one of FORMATS, whatever its suffix.

    Returns
    -------
    PIL.Image.Image
        The image, in the mode it is stored in.

    Raises
    ------
    DatasetError
        If the file is missing, empty, truncated, too large, or not an image of these formats.
    """
    return _with_image(path, _decoded)


def open_rgb(path: os.PathLike[str] | str) -> Image.Image:
    """Open an image file as `open_image` does and convert it to RGB."""
    return open_image(path).convert("RGB")


def image_size(path: os.PathLike[str] | str) -> tuple[int, int]:
    """Return the (width, height) of an image file without decoding its pixels."""
    return _with_image(path, lambda im, content: im.size)


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
        If the file is missing, too large, holds only blank lines, is not text, or a line cannot be
        the name of something in the dataset.
    """
    content = read_file(path, "list", f"no such list; {hint}")
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: not a list of names, one per line ({error}); {hint}"
        ) from error
    for number, line in enumerate(lines, 1):
        _check_name(line, f"{path}, line {number}", hint)
    if not any(lines):
        raise DatasetError(f"{path}: the list is empty; {hint}")
    return lines


def read_names(path: os.PathLike[str] | str, hint: str) -> list[str]:
    """Read a text file of one name per line as `read_lines` does, without the blank lines."""
    return [line for line in read_lines(path, hint) if line]


def _with_image(
    path: os.PathLike[str] | str, use: Callable[[Image.Image, bytes], Result]
) -> Result:
    """Return what `use` makes of the image in a file, with any failure as a DatasetError."""
    content = read_file(path, "image")
    formats = " or ".join((", ".join(FORMATS[:-1]), FORMATS[-1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we check, and raise
            with Image.open(ImageBytes(content), formats=FORMATS) as im:
                _check_pixels(im.size)
                return use(im, content)
    except MemoryError:
        raise
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error
    except UnidentifiedImageError as error:
        raise DatasetError(
            f"{path}: damaged or not an image of the formats {formats}; download it again, or "
            "convert it"
        ) from error
    except Exception as error:  # damaged files raise almost anything in the decoders
        raise DatasetError(
            f"{path}: damaged or not an image ({error}); download it again"
        ) from error


def _decoded(image, content):
    """Return the pixels of an image that has just been opened."""
    check_slow(image, content)
    image.load()
    return image.copy()


def _check_pixels(size):
    """Raise DatasetError if an image of `size` would take too much memory."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise DatasetError(
            f"an image of {_format_size(size)} pixels, but {MAX_PIXELS:,} are the most; "
            "is it of this dataset? If so, scale it down"
        )


def _check_name(name, place, hint):
    """Raise DatasetError if a line of a list cannot name something below a folder."""
    if len(name) > MAX_NAME:
        raise DatasetError(f"{place}: a name of {len(name)} characters; {hint}")
    if "\0" in name or name.startswith("/") or ".." in re.split(r"[/\\]", name):
        raise DatasetError(f"{place}: {name!r} leads out of the folder of the dataset; {hint}")


def _values_from_colors(rgb, colors, path):
    """Return the H x W uint8 values that `colors` assigns to the pixels of an H x W x 3 image."""
    packing = np.array((1 << 16, 1 << 8, 1))
    known = np.array(list(colors)) @ packing
    order = np.argsort(known)
    values = np.array(list(colors.values()), np.uint8)
    label = np.empty(rgb.shape[:2], np.uint8)
    for top in range(0, len(rgb), _ROWS):
        rows = rgb[top : top + _ROWS]
        pixels = rows.astype(np.int64) @ packing
        index = order[np.searchsorted(known, pixels, sorter=order).clip(max=len(known) - 1)]
        unknown = known[index] != pixels
        if unknown.any():
            raise DatasetError(
                f"{path}: no class has the colour {tuple(rows[unknown][0].tolist())}; "
                "was this painted label resized or stored as JPEG?"
            )
        label[top : top + _ROWS] = values[index]
    return label


def _format_size(size):
    """Format a size as 'width x height'."""
    return f"{size[0]} x {size[1]}"
