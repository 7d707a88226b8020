"""Raw video of NYUDv2: one folder per video, with the time of each frame in its file name."""

import re
from pathlib import Path
from typing import TypeVar

from datasets.errors import DatasetError
from datasets.frame_files import names_with
from datasets.reading.gate import is_folder, is_there, show

SUFFIXES = (".ppm", ".png", ".jpg")  # the official one, then those of converted copies
RGB = "r-"  # prefix of RGB frames; depth images have d-

Frame = TypeVar("Frame")


def frame_name(file_name: str) -> str:
    """Return the name of a frame: its file name without the suffix, if that is in SUFFIXES."""
    for suffix in SUFFIXES:
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)]
    return file_name


def frame_time(name: str) -> float:
    """Return the time of frame `name`: the number between its first two dashes.

    Raises
    ------
    DatasetError
        If the name holds no time.
    """
    match = re.match(r"[^-]*-([0-9]+(?:\.[0-9]*)?)-", name)
    if not match:
        raise DatasetError(
            f"{name}: no time in the name of this frame; expected {RGB}{{time}}-{{n}}, "
            "such as r-1294890493.094019-1806686197"
        )
    return float(match[1])


def list_raw_frames(video: Path) -> list[str]:
    """List the RGB frames of a video.

    Parameters
    ----------
    video : Path
        Folder of the video.

    Returns
    -------
    list of str
        Names of the frames without suffix, in time order.

    Raises
    ------
    DatasetError
        If the folder is missing or holds no frames, or a name holds no time.
    """
    if not is_folder(video):
        raise DatasetError(f"{show(video)}: no such video; unpack the raw video of NYUDv2 there")
    names = {frame_name(name) for name in names_with(video, *SUFFIXES) if name.startswith(RGB)}
    if not names:
        raise DatasetError(
            f"{video}: holds no frame {RGB}{{time}}-{{n}}{SUFFIXES[0]}; unpack the video again"
        )
    return sorted(names, key=lambda name: (frame_time(name), name))


def raw_frame_path(video: Path, frame: str) -> Path:
    """Find the file of a raw frame.

    Parameters
    ----------
    video : Path
        Folder of the video.
    frame : str
        Name of the frame, with or without suffix.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DatasetError
        If there is no such file with one of SUFFIXES.
    """
    frame = frame_name(frame)
    for suffix in SUFFIXES:
        path = video / f"{frame}{suffix}"
        if is_there(path):
            return path
    raise DatasetError(
        f"{video / frame}{SUFFIXES[0]}: no such frame, nor as {SUFFIXES[1]} or "
        f"{SUFFIXES[2]}; is the raw video unpacked completely?"
    )


def every(skip: int, frames: list[Frame], through: int = 0) -> list[Frame]:
    """Subsample frames in step with a given one.

    Parameters
    ----------
    skip : int
        Keep one of `skip` frames, 1 or more.
    frames : list
        The frames.
    through : int
        Index of a frame to keep.

    Returns
    -------
    list
        Every `skip`-th frame, including the one at `through`.

    Raises
    ------
    DatasetError
        If `skip` is below 1.
    """
    if skip < 1:
        raise DatasetError(f"every {skip}-th frame requested: give a skip of at least 1")
    return frames[through % skip :: skip]
