"""Read image and label files, turning every way in which they can be bad into a DatasetError."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.errors import DatasetError

IGNORE = 255  # the label value that neither training nor scoring looks at

# What Pillow raises on damaged input differs from format to format.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    zlib.error,
    struct.error,
    Image.DecompressionBombError,
)


def open_image(path):
    """Open and fully decode the image file `path` as a PIL image, in the mode it was stored in.

    Raises DatasetError naming the file if it is missing, empty, truncated or not an image.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; is the dataset unpacked completely?")
    if path.stat().st_size == 0:
        raise DatasetError(f"{path}: the file is empty; fetch it again")
    try:
        with Image.open(path) as im:
            im.load()
            return im.copy()
    except _DECODE_ERRORS as error:
        raise DatasetError(f"{path}: damaged or not an image ({error}); fetch it again") from error


def open_rgb(path):
    """Open `path` as a PIL RGB image (grey and palette images are converted)."""
    return open_image(path).convert("RGB")


def image_size(path):
    """(width, height) of the image file `path`, read from its header alone."""
    try:
        with Image.open(path) as im:
            return im.size
    except _DECODE_ERRORS:
        return open_image(path).size  # fails too, with the message that says why


def open_label(path, num_values, size=None, colors=None):
    """Open a label image as an H x W uint8 array of its stored values (palette indices as such).

    Args:
        path: the label file, single-channel unless `colors` are given.
        num_values: values must be below this, or IGNORE.
        size: (width, height) of the frame it belongs to, checked unless None.
        colors: {(r, g, b): value}, for labels that may be stored as a painted RGB image.
    Raises DatasetError naming the file if it is unreadable, in colours that do not tell the
    class, out of range or of another size than its frame.
    """
    im = open_image(path)
    if im.mode in ("L", "P", "1", "I", "I;16"):
        label = np.asarray(im)
    elif im.mode == "RGB" and colors:
        label = _values_of(np.asarray(im), colors, path)
    else:
        raise DatasetError(
            f"{path}: a label holds one class index a pixel, this is a {im.mode} "
            "image; is it the coloured rendering of the label?"
        )
    if size is not None:
        check_label_size(path, im.size, size)
    wrong = (label >= num_values) & (label != IGNORE)
    if wrong.any():
        raise DatasetError(
            f"{path}: label value {label[wrong][0]} is neither below {num_values} "
            f"nor {IGNORE} (ignore); is this label made for another class list?"
        )
    return label.astype(np.uint8)


def check_label_size(path, size, frame_size, frame="its frame"):
    """Raise DatasetError naming the label `path` if its size is not `frame_size` (w, h)."""
    if tuple(size) != tuple(frame_size):
        raise DatasetError(
            f"{path}: the label is {_dims(size)} but {frame} is "
            f"{_dims(frame_size)}; one of the two was resized"
        )


def read_lines(path, help):
    """The lines of the text file `path`, stripped; blank ones stay, as lists are aligned by line.

    Raises DatasetError naming the file, with `help` on how to get it, if it is missing, holds
    nothing or is not text.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such list; {help}")
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a list of names, one a line ({error}); {help}") from error
    if not any(lines):
        raise DatasetError(f"{path}: the list is empty; {help}")
    return lines


def read_names(path, help):
    """The names in the text file `path`, one a line, blank lines left out; raises as read_lines."""
    return [line for line in read_lines(path, help) if line]


def _values_of(rgb, colors, path):
    """The H x W uint8 values that `colors` gives to the pixels of an H x W x 3 image."""
    packing = np.array((1 << 16, 1 << 8, 1))
    known = np.array(list(colors)) @ packing
    order = np.argsort(known)
    pixels = rgb.astype(np.int64) @ packing
    found = order[np.searchsorted(known, pixels, sorter=order).clip(max=len(known) - 1)]
    strange = known[found] != pixels
    if strange.any():
        raise DatasetError(
            f"{path}: no class has the colour {tuple(rgb[strange][0].tolist())}; "
            "was this painted label resized or stored as JPEG?"
        )
    return np.array(list(colors.values()), np.uint8)[found]


def _dims(size):
    return f"{size[0]} x {size[1]}"
