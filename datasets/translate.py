"""Synthetic video from a still: a window that moves over it, so the motion is known exactly."""

import os

import numpy as np

from datasets.errors import DatasetError

Box = tuple[int, int, int, int]  # left, top, right, bottom


def translated_boxes(
    size: tuple[int, int], shift: float, num_frames: int, name: os.PathLike[str] | str = "the image"
) -> list[Box]:
    """Return the windows of a translated video.

    The windows move along the longer side (down if the image is square), from its start to its
    end, and span the shorter side.

    Parameters
    ----------
    size : (int, int)
        Width and height of the image.
    shift : float
        Pixels per frame: a whole number, 0 or more.
    num_frames : int
        Number of windows, 1 or more.
    name : path-like
        Name of the image in messages.

    Returns
    -------
    list of (int, int, int, int)
        Left, top, right and bottom of each window.

    Raises
    ------
    DatasetError
        If an argument is out of range, or the image too short for so many frames.
    """
    width, height = size
    if num_frames < 1 or shift < 0 or shift != int(shift):
        raise DatasetError(
            f"{num_frames} frames with a shift of {shift} pixels requested: "
            "give at least 1 frame and a shift of 0 or more whole pixels"
        )
    shift = int(shift)
    length = max(size) - shift * (num_frames - 1)
    if length < 1:
        raise DatasetError(
            f"{name}: {width} x {height} pixels are too few for {num_frames} frames "
            f"{shift} pixels apart; request fewer frames or a smaller shift"
        )
    starts = [shift * k for k in range(num_frames)]
    if width > height:
        return [(start, 0, start + length, height) for start in starts]
    return [(0, start, width, start + length) for start in starts]


def crop_label(label: np.ndarray, box: Box) -> np.ndarray:
    """Return the part of `label` (... x H x W) inside `box`, as a view."""
    left, top, right, bottom = box
    return label[..., top:bottom, left:right]
