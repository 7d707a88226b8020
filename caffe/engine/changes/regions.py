"""Regions: a few windows that together hold what has changed, as few as it pays to have.

Two changes far apart are two windows, two close to each other one, as the work that a window
takes is its area and a constant. The windows of a region may overlap.
"""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from caffe.engine.reach import Window, area, contains, hull, is_empty

Region = tuple[Window, ...]
NOTHING: Region = ()

MOST = 8  # windows of a region
FIRST = 64  # windows that a mask is cut into before they are joined
GAP = 8  # unchanged rows or columns at which a mask is cut


def joined(windows: Iterable[Window], least: int = 0, most: int = MOST) -> Region:
    """Return windows that hold all of the given ones, joined where that is less work.

    Parameters
    ----------
    windows : iterable of Window
        Of one blob; empty ones are left out.
    least : int
        Positions that take as long as a window takes in addition to its area.
    most : int
        Windows to return at most.
    """
    left: list[Window] = []
    for window in windows:
        if is_empty(window) or any(contains(other, window) for other in left):
            continue
        left = [other for other in left if not contains(window, other)] + [window]
    while len(left) > 1:
        extra, a, b = min(
            (area(hull(a, b)) - area(a) - area(b), a, b) for a, b in itertools.combinations(left, 2)
        )
        if extra > least and len(left) <= most:
            break
        both = hull(a, b)
        assert both is not None
        left = [w for w in left if not contains(both, w)] + [both]
    return tuple(left)


def total(region: Region) -> int:
    """Return the number of positions in the windows of a region, those in two of them twice."""
    return sum(map(area, region))


def boxes(mask: np.ndarray) -> Region:
    """Return windows that hold all True positions of a mask.

    The mask is cut at gaps of GAP rows or columns, and the pieces again, as long as that gives no
    more than FIRST of them.

    Parameters
    ----------
    mask : numpy.ndarray
        Any number of axes, bool.
    """
    whole = _shrunk(mask, tuple((0, n) for n in mask.shape))
    if whole is None:
        return NOTHING
    done: list[Window] = []
    left = [whole]
    while left:
        window = left.pop()
        pieces = _pieces(mask, window)
        if len(pieces) == 1 or len(done) + len(left) + len(pieces) > FIRST:
            done.append(window)
        else:
            left += pieces
    return joined(done)


def _pieces(mask: np.ndarray, window: Window) -> Sequence[Window]:
    """Return the parts between gaps along the first axis that has some, else the window itself."""
    for axis, (begin, _) in enumerate(window):
        others = tuple(i for i in range(mask.ndim) if i != axis)
        line = mask[tuple(slice(*span) for span in window)].any(others)
        places = np.flatnonzero(line)
        cuts = np.flatnonzero(np.diff(places) > GAP)
        if len(cuts):
            firsts = [places[0], *places[cuts + 1]]
            lasts = [*places[cuts], places[-1]]
            spans = [(begin + int(p), begin + int(q) + 1) for p, q in zip(firsts, lasts)]
            parts = [(*window[:axis], span, *window[axis + 1 :]) for span in spans]
            return [part for part in (_shrunk(mask, p) for p in parts) if part is not None]
    return [window]


def _shrunk(mask: np.ndarray, window: Window) -> Window | None:
    """Return the smallest window with the True positions of this one, None if there are none."""
    part = mask[tuple(slice(*span) for span in window)]
    spans = []
    for axis, (begin, _) in enumerate(window):
        others = tuple(i for i in range(mask.ndim) if i != axis)
        places = np.flatnonzero(part.any(others))
        if not len(places):
            return None
        spans.append((begin + int(places[0]), begin + int(places[-1]) + 1))
    return tuple(spans)
