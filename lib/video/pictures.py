"""Frames of a folder of images, in the order of their numbers."""

import os
import re
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from lib.reading import open_to_read
from lib.video.errors import VideoError
from lib.video.frame import Frame, check_size

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP")  # of which none names other files
RATE = 25  # frames a second
DEEP = ("I;16", "I;16B", "I;16L", "I")  # 16 bits of grey, as PIL calls them


def list_pictures(folder: os.PathLike[str] | str) -> list[Path]:
    """List the images of a folder, in the order of the numbers in their names.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    list of Path
        Hidden files and files with other suffixes are left out.

    Raises
    ------
    VideoError
        If the folder cannot be read, or holds no image.
    """
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise VideoError(f"{folder}: {error.strerror}: give a folder of images") from None
    names = [n for n in names if n.lower().endswith(SUFFIXES) and not n.startswith(".")]
    if not names:
        raise VideoError(f"{folder} holds no images: give a folder with {', '.join(SUFFIXES)}")
    return [Path(folder, name) for name in sorted(names, key=_in_order)]


def folder_frames(
    folder: os.PathLike[str] | str, rate: Fraction | int = RATE, start: int = 0
) -> Iterator[Frame]:
    """Yield the images of a folder as the frames of a video.

    Parameters
    ----------
    folder : path-like
    rate : Fraction or int
        Frames a second.
    start : int
        Number of the first frame wanted.

    Yields
    ------
    Frame

    Raises
    ------
    VideoError
        With the file and the number of the frame, if an image cannot be read or differs in size
        from those before it.
    """
    rate, size = Fraction(rate), None
    paths = list_pictures(folder)
    for number, path in enumerate(paths[start:], start):
        place = f"{path}, frame {number} (the first is 0)"
        picture = load_picture(path, place)
        now = picture.width, picture.height
        if size not in (None, now):
            raise VideoError(
                f"{place}: its size is {now[0]} x {now[1]} pixels, that of the frames before it "
                f"{size[0]} x {size[1]}: give images of one size"
            )
        size = now
        pts = number * rate.denominator
        base = Fraction(1, rate.numerator)
        arrived = time.monotonic()
        yield Frame(number, pts, base, picture, duration=rate.denominator, arrived=arrived)


def load_picture(path: Path, place: str | None = None) -> av.VideoFrame:
    """Load an image, upright; grey, 16-bit and palette images too.

    Raises VideoError, which begins with `place`, if it is no image or too large.
    """
    place = place or str(path)
    try:
        with open_to_read(path) as file:  # not by name, or a named pipe would be waited for
            image: Image.Image = Image.open(file, formats=FORMATS)
            check_size(place, *image.size)
            image.load()
            image = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VideoError(f"{place}: {error}: copy the image again, or take it away") from None
    if image.mode in DEEP:
        grey = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
        return av.VideoFrame.from_ndarray(grey, "gray16le")
    return av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), "rgb24")


def _in_order(name):
    """Return a key by which frame9 comes before frame10."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdecimal() else part for part in parts], name
