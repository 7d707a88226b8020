"""Check that a cropped image lies in its source frame at the position stated for it."""

from collections.abc import Sequence

import numpy as np

from datasets.preprocess import ImageLike, as_image


def shift_errors(
    image: ImageLike,
    frame: ImageLike,
    window: tuple[int, int, int, int],
    shifts: Sequence[int] = range(-4, 5),
) -> dict[str, list[tuple[int, float]]]:
    """Compare `image` with a window of `frame` that is shifted by a few pixels.

    For the right window the error is smallest at shift 0, and 0 there if nothing was resampled.

    Parameters
    ----------
    image, frame : PIL.Image.Image or ndarray of uint8
        The cropped image and its source frame; arrays are H x W x 3 or H x W.
    window : (int, int, int, int)
        Left, top, right and bottom of the window in the frame; as large as the image.
    shifts : sequence of int
        Shifts in pixels, applied along the columns and along the rows.

    Returns
    -------
    dict of str to list of (int, float)
        For 'columns' and 'rows', pairs (shift, error). The error is the mean absolute difference
        of grey values (0..255) over the part of the shifted window inside the frame.

    Raises
    ------
    ValueError
        If image and window differ in size.
    """
    image, frame = as_image(image), as_image(frame)
    left, top, right, bottom = window
    if image.size != (right - left, bottom - top):
        raise ValueError(
            f"an image of {image.size} pixels for a window of "
            f"{(right - left, bottom - top)}: give the window it was cropped from"
        )
    pixels, frame_pixels = np.asarray(image, float), np.asarray(frame, float)
    return {
        "columns": [(s, _error(pixels, frame_pixels, left + s, top)) for s in shifts],
        "rows": [(s, _error(pixels, frame_pixels, left, top + s)) for s in shifts],
    }


def _error(image, frame, left, top):
    """Return the mean absolute difference where `image`, placed at (left, top), covers `frame`."""
    height, width = image.shape[:2]
    rows = slice(max(top, 0), min(top + height, len(frame)))
    columns = slice(max(left, 0), min(left + width, frame.shape[1]))
    part = image[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return float(np.abs(part - frame[rows, columns]).mean())
