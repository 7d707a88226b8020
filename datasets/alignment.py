"""Whether a cut-out picture lies where it is said to lie in the picture it was cut from."""

import numpy as np

from datasets.preprocess import as_image


def shift_errors(image, frame, window, shifts=range(-4, 5)):
    """How far `image` is from a window of `frame` that is moved by a few pixels.

    image, frame  PIL images or H x W x 3 uint8; the image has the size of the window
    window        left, top, right, bottom in the frame
    shifts        pixels to move the window by, along the columns or along the rows

    Returns {'columns': [(shift, error), ...], 'rows': ...}: error is the mean absolute difference
    of grey values 0..255 where the moved window lies in the frame. The right window has its least
    error at 0, and 0 there if nothing was resampled. Raises ValueError where the sizes differ.
    """
    image, frame = as_image(image), as_image(frame)
    left, top, right, bottom = window
    if image.size != (right - left, bottom - top):
        raise ValueError(
            f"an image of {image.size} pixels for a window of "
            f"{(right - left, bottom - top)}: give the window that it was cut from"
        )
    image, frame = (np.asarray(picture, float) for picture in (image, frame))
    return {
        "columns": [(s, _error(image, frame, left + s, top)) for s in shifts],
        "rows": [(s, _error(image, frame, left, top + s)) for s in shifts],
    }


def _error(image, frame, left, top):
    """Mean absolute difference where `image`, put at (left, top), lies in `frame`."""
    high, wide = image.shape[:2]
    rows = slice(max(top, 0), min(top + high, len(frame)))
    columns = slice(max(left, 0), min(left + wide, frame.shape[1]))
    part = image[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return float(np.abs(part - frame[rows, columns]).mean())
