"""What a caller says has changed in the inputs of a net, checked and turned into windows."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from caffe.engine.changes.regions import NOTHING, Region, boxes, joined
from caffe.engine.reach import CHANNELS, Window, hull, is_empty, whole
from caffe.errors import CaffeError
from caffe.layer_types.base import Shape


def changed_windows(given: Any, shapes: Mapping[str, Shape]) -> dict[str, Region]:
    """Return the windows in which inputs have changed, by input; only of those that are given.

    Parameters
    ----------
    given : dict of str to what follows, or that for a net with one input, or None
        A bool mask with one value per pixel, a window ((top, bottom), (left, right)) or several of
        them.
    shapes : mapping of str to Shape
        The inputs' shapes.

    Raises
    ------
    CaffeError
        If it is none of these, or names no input.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        if len(shapes) != 1:
            raise CaffeError(
                f"changed: the net has {len(shapes)} inputs ({' '.join(shapes)}): give a dict of "
                "what has changed by the name of the input"
            )
        given = {next(iter(shapes)): given}
    if unknown := set(given) - set(shapes):
        raise CaffeError(
            f"changed names {' '.join(map(repr, sorted(map(str, unknown))))}, the inputs of the "
            f"net are {' '.join(shapes)}"
        )
    return {name: _windows(name, shapes[name], value) for name, value in given.items()}


def one_window(regions: Mapping[str, Region]) -> dict[str, Window]:
    """Return one window per input that holds all of its windows; none for an input without any."""
    held = {name: functools.reduce(hull, region, None) for name, region in regions.items()}
    return {name: window for name, window in held.items() if window is not None}


def check_tolerance(tolerance: Any) -> None:
    """Raise CaffeError unless the tolerance of an incremental forward is a number of 0 or more."""
    try:
        good = math.isfinite(tolerance) and tolerance >= 0
    except TypeError:
        good = False
    if not good:
        raise CaffeError(
            f"tolerance is {tolerance!r}: give the largest difference of input values that counts "
            "as no change, 0 or more"
        )


def _windows(name: str, shape: Shape, given: Any) -> Region:
    """Return the windows that are given for one input, cut to it."""
    size = tuple(shape[CHANNELS + 1 :])
    if not size:
        return (whole(shape),) if np.any(given) else NOTHING
    fix = f"give a bool mask of shape {size}, a window such as {whole(shape)}, or a list of windows"
    if isinstance(given, np.ndarray) and given.dtype == bool:
        if given.shape != size:
            raise CaffeError(f"changed: the mask for {name!r} has the shape {given.shape}: {fix}")
        return boxes(given)
    try:
        numbers = np.asarray(given)
        if not numbers.size:
            return NOTHING
        numbers = numbers[None] if numbers.ndim == 2 else numbers
        good = numbers.shape[1:] == (len(size), 2) and np.issubdtype(numbers.dtype, np.integer)
    except ValueError:
        good = False
    if not good:
        raise CaffeError(f"changed is {str(given)[:100]} for {name!r}: {fix}")
    cut = [
        tuple((max(0, begin), min(end, n)) for (begin, end), n in zip(window, size))
        for window in numbers.tolist()
    ]
    return joined([window for window in cut if not is_empty(window)])
