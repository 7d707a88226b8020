"""Where each part of a frame was on the frame before, and label maps moved along with it.

Block matching: frames are averaged over square cells, and each cell looks for the displacement, of
at most a few cells, at which the window around it differs least from the frame before. A parabola
through the differences next to the least one places it between cells. This takes a thousandth of
the work of a net, so an output can follow the picture on frames that the net does not see.
"""

from typing import NamedTuple

import numpy as np

ROWS = 64  # cells in the height of a frame: of 6 pixels on frames of 360
REACH = 3  # cells, the largest displacement from frame to frame
RADIUS = 3  # cells, of the window that is compared


class Motion(NamedTuple):
    """How a frame came from an earlier one.

    Attributes
    ----------
    offset : 2 x h x w float array
        For each cell of the frame, how many pixels down and to the right its content was on the
        earlier frame.
    cell : int
        Side of a cell in pixels.
    residual : float
        What motion does not explain: mean difference of the frame to the moved one, as a share of
        the frame's own mean deviation from its average. 0 for a frame that only moved, or is flat.
    """

    offset: np.ndarray
    cell: int
    residual: float


def find_motion(now: np.ndarray, before: np.ndarray, reach: int = REACH) -> Motion:
    """Find where the parts of a frame were on the frame before.

    Parameters
    ----------
    now, before : channels x H x W float arrays
        Two frames as nets take them.
    reach : int
        Largest displacement in cells. A cell is a 64th of the height of the frame, at least one
        pixel.

    Returns
    -------
    Motion

    Raises
    ------
    ValueError
        If the frames differ in size.
    """
    if now.shape != before.shape:
        raise ValueError(
            f"frames of the shapes {before.shape} and {now.shape} have no motion in common: give "
            "two of one size"
        )
    cell = max(1, min(round(now.shape[-2] / ROWS), min(now.shape[-2:]) // 2))
    a, b = _cells(now, cell), _cells(before, cell)
    size = a.shape
    shifted = np.lib.stride_tricks.sliding_window_view(np.pad(b, reach, mode="edge"), size)
    side = 2 * reach + 1
    cost = _window_means(np.abs(shifted.reshape(-1, *size) - a), RADIUS)
    # of equals the least displacement: flat parts rest
    order = np.argsort([np.hypot(*_displacement(i, side)) for i in range(side**2)], kind="stable")
    best = order[cost[order].argmin(0)]
    down, right = best // side, best % side
    least = np.take_along_axis(cost, best[None], 0)[0]
    offset = np.stack(
        [
            down - reach + _between(cost, best, least, side, (down > 0) & (down < side - 1)),
            right - reach + _between(cost, best, least, 1, (right > 0) & (right < side - 1)),
        ]
    )
    contrast = float(np.abs(a - a.mean()).mean())
    residual = float(least.mean()) / contrast if contrast > 0 else 0.0
    return Motion(cell * offset, cell, residual)


def _displacement(i, side):
    """Return the displacement (down, right) in cells with number `i` of side x side ones."""
    return i // side - side // 2, i % side - side // 2


def then(motion: Motion, earlier: Motion) -> Motion:
    """Chain two motions: from a frame to the one before, and from that one further back.

    Residuals add up.
    """
    rows, columns = np.indices(motion.offset.shape[1:])
    down, right = motion.offset / motion.cell
    offset = motion.offset + _sample(earlier.offset, rows + down, columns + right)
    return Motion(offset, motion.cell, motion.residual + earlier.residual)


def moved(label: np.ndarray, motion: Motion) -> np.ndarray:
    """Return a label map as it looks after the motion.

    Parameters
    ----------
    label : H x W array
        Of the earlier frame, at the size of the frame.
    motion : Motion
        From the later frame to the earlier.

    Returns
    -------
    H x W array
        For each pixel the class of where it was, of the nearest pixel at the border.
    """
    height, width = label.shape
    rows = (np.arange(height) + 0.5) / motion.cell - 0.5
    columns = (np.arange(width) + 0.5) / motion.cell - 0.5
    down, right = _stretch(motion.offset, rows, columns)
    i = np.rint(np.arange(height)[:, None] + down).astype(np.intp)
    j = np.rint(np.arange(width) + right).astype(np.intp)
    return label[np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]


def _cells(frame, cell):
    """Return the mean over channels and cell x cell pixels; the rest at the border is left out."""
    height, width = (side // cell for side in frame.shape[-2:])
    grey = frame[:, : height * cell, : width * cell].mean(0, dtype=np.float32)
    return grey.reshape(height, cell, width, cell).mean((1, 3))


def _window_means(maps, radius):
    """Return the means of the windows around each cell, the border repeated outwards."""
    for axis in (1, 2):
        length, pad = maps.shape[axis], [(0, 0)] * 3
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(maps, pad, mode="edge"), axis, dtype=np.float32)
        far, near = (
            sums[(slice(None),) * axis + (slice(start, start + length),)]
            for start in (2 * radius + 1, 0)
        )
        maps = far - near
    return maps / (2 * radius + 1) ** 2


def _between(cost, best, least, step, inside):
    """Return where between cells, -0.5 to 0.5, a parabola through the costs is lowest."""
    near = (np.where(inside, best + s, best)[None] for s in (-step, step))
    low, high = (np.take_along_axis(cost, cells, 0)[0] for cells in near)
    curve = low - 2 * least + high
    inside = inside & (curve > 1e-6) & (np.minimum(low, high) > 0)
    lowest = (low - high) / (2 * np.where(inside, curve, 1))
    # a perfect match is where it is: differences to its left and right need not be alike
    doubt = np.clip(2 * least / np.where(inside, np.minimum(low, high), 1), 0, 1)
    return np.where(inside, np.clip(lowest, -0.5, 0.5) * doubt, 0)


def _corners(places, length):
    """Return the cell before each place along an axis, and the weight of the cell after it."""
    places = np.clip(places, 0, length - 1)
    low = np.minimum(places.astype(np.intp), max(length - 2, 0))
    return low, np.minimum(low + 1, length - 1), places - low


def _sample(maps, rows, columns):
    """Return maps (n x h x w) between cells, at places given for each cell."""
    i, below, down = _corners(rows, maps.shape[1])
    j, beside, right = _corners(columns, maps.shape[2])
    top = maps[:, i, j] * (1 - right) + maps[:, i, beside] * right
    bottom = maps[:, below, j] * (1 - right) + maps[:, below, beside] * right
    return top * (1 - down) + bottom * down


def _stretch(maps, rows, columns):
    """Return maps (n x h x w) between cells, at every pair of a row and a column."""
    i, below, down = _corners(rows, maps.shape[1])
    j, beside, right = _corners(columns, maps.shape[2])
    maps = maps[:, i] * (1 - down)[:, None] + maps[:, below] * down[:, None]
    return maps[:, :, j] * (1 - right) + maps[:, :, beside] * right
