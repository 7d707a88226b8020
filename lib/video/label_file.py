"""Label maps as PNG files: the classes as palette indices, so that viewers show their colours."""

import os
from io import BytesIO

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from lib.reading import open_to_read
from lib.video.errors import VideoError
from lib.video.frame import check_size

CLASS_MODES = ("P", "L", "1")  # PIL's names of images that hold classes, not colours
LEVEL = 1  # of compression: a third of the time of the usual 6, a quarter more bytes


def label_png(label: np.ndarray, palette: ArrayLike) -> bytes:
    """Return a label map as a PNG file.

    Parameters
    ----------
    label : H x W uint8 array
    palette : K x 3 array_like
        RGB colour of each class, 0..255; classes above have none and are black.

    Returns
    -------
    bytes
        Equal for equal arguments.
    """
    image = Image.fromarray(label)
    image.putpalette(np.asarray(palette, np.uint8).tobytes())
    file = BytesIO()
    image.save(file, "PNG", compress_level=LEVEL)
    return file.getvalue()


def read_label(path: os.PathLike[str] | str, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a label map.

    Parameters
    ----------
    path : path-like
        A grey or palette image.
    size : (int, int), optional
        Height and width to scale it to; each pixel takes the class of the nearest one.

    Returns
    -------
    H x W uint8 array

    Raises
    ------
    VideoError
        If it cannot be read, or holds colours.
    """
    try:
        with open_to_read(path) as file:
            image: Image.Image = Image.open(file, formats=("PNG", "BMP", "PPM", "TIFF"))
            check_size(str(path), *image.size)
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VideoError(f"{path}: {error}: copy the label again") from None
    if image.mode not in CLASS_MODES:
        raise VideoError(
            f"{path} holds colours (mode {image.mode}): give a grey or palette image of classes"
        )
    if size is not None and image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.array(image, np.uint8)
