"""Files of Youtube-Objects: numbered frames and masks, and lists of shots."""

import re
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from datasets.errors import DatasetError
from datasets.files import image_size, open_image, read_names
from datasets.frame_files import names_with
from datasets.reading.gate import is_there

ShotName = tuple[str, str, str]  # class, video, shot


def frame_number(idx: int | str) -> int:
    """Return the number of a frame or mask: 12 for 12, 'frame0012', 'frame0012.jpg' or '00012'.

    Raises
    ------
    DatasetError
        If `idx` is none of these.
    """
    match = re.fullmatch(r"(?:frame)?([0-9]{1,9})(?:\.jpg)?", str(idx))
    if not match:
        raise DatasetError(f"{idx!r}: neither the number of a frame nor a name such as frame0001")
    return int(match[1])


def list_numbers(folder: Path, prefix: str) -> list[int]:
    """List the numbers of the files {prefix}{digits}.jpg in a folder.

    Parameters
    ----------
    folder : Path
        The folder.
    prefix : str
        Start of the file names.

    Returns
    -------
    list of int
        The numbers, in order.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no such file, or one is spelled another way.
    """
    matches = [
        re.fullmatch(rf"{prefix}([0-9]{{1,9}})\.jpg", name) for name in names_with(folder, ".jpg")
    ]
    numbers = sorted({int(match[1]) for match in matches if match})
    if not numbers:
        raise DatasetError(f"{folder}: holds no {prefix}*.jpg; unpack the shot again")
    return numbers


def read_shots(path: Path, known: Collection[ShotName]) -> list[ShotName]:
    """Read a list of shots.

    Parameters
    ----------
    path : Path
        Text file of one class/video/shot per line.
    known : collection of (str, str, str)
        All (class, video, shot) that have masks.

    Returns
    -------
    list of (str, str, str)
        The (class, video, shot) of each line.

    Raises
    ------
    DatasetError
        If the file is missing, or a line is not one of `known`.
    """
    names = read_names(
        path,
        "Youtube-Objects has no official split: give no split, or write one class/video/shot "
        "per line there",
    )
    by_name = {"/".join(shot): shot for shot in known}
    for name in names:
        if name not in by_name:
            raise DatasetError(f"{path}: {name} is not a class/video/shot with masks")
    return [by_name[name] for name in names]


def open_mask(mask_path: Path, frame_path: Path, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Open a mask and compute the size of its resized frame.

    Mask and frame may differ in resolution, as both are resized anyway.

    Parameters
    ----------
    mask_path, frame_path : Path
        Files of the mask and of its frame.
    side : int
        Longer side of the resized frame, in pixels.

    Returns
    -------
    mask : PIL.Image.Image
        The mask as stored, a grey image.
    size : (int, int)
        Width and height of the resized frame.

    Raises
    ------
    DatasetError
        If a file is missing or damaged, or mask and frame differ in aspect ratio.
    """
    if is_there(mask_path) and not is_there(frame_path):
        raise DatasetError(
            f"{mask_path}: a mask without its frame {frame_path}; the masks are of "
            "v1, later versions number the frames differently"
        )
    mask = open_image(mask_path).convert("L")
    size = fit(image_size(frame_path), side)
    if max(abs(a - b) for a, b in zip(fit(mask.size, side), size, strict=True)) > 1:
        raise DatasetError(
            f"{mask_path}: the mask is {mask.width} x {mask.height}, but its frame "
            f"{frame_path} has another aspect ratio; are both of v1?"
        )
    return mask, size


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Scale `size` (width, height) to a longer side of `side` pixels."""
    scale = side / max(size)
    width, height = size
    return max(1, round(scale * width)), max(1, round(scale * height))
