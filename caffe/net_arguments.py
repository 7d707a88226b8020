"""What users pass to the methods of a Net: checked here, with messages that say the fix."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from caffe.blobs import single
from caffe.blobs.blob import Blob
from caffe.errors import CaffeError, ShapeMismatch
from caffe.layer_types.base import Shape
from caffe.proto import caffe_pb2

# The constructor


def constructor_arguments(
    args: Sequence[Any], phase: Any, level: Any, stages: Any, weights: Any
) -> tuple[Any, Any, Any, Any]:
    """Return (phase, level, stages, weights) from either order of Net's arguments.

    Parameters
    ----------
    args : sequence
        What was given in order, after the path of the definition.
    phase, level, stages, weights
        What was given by name, or the defaults.

    Raises
    ------
    CaffeError
        If there are too many arguments.
    """
    if args and not isinstance(args[0], int):
        names = "weights", "phase", "level", "stages"
    else:
        names = "phase", "level", "stages", "weights"
    if len(args) > len(names):
        raise CaffeError(
            "Net takes a path, weights and a phase, or a path, a phase, a level, stages and "
            f"weights; {1 + len(args)} arguments were given"
        )
    given = dict(phase=phase, level=level, stages=stages, weights=weights) | dict(zip(names, args))
    return given["phase"], given["level"], given["stages"], given["weights"]


def check_state(net: str, phase: Any, level: Any, stages: Any) -> list[str]:
    """Check what the include and exclude rules of layers are matched against.

    Parameters
    ----------
    net : str
        The net, to begin messages with.
    phase, level, stages
        See `caffe.net.Net`.

    Returns
    -------
    list of str
        The stages.

    Raises
    ------
    CaffeError
        If one of them is of the wrong kind.
    """
    if phase not in (caffe_pb2.TRAIN, caffe_pb2.TEST):
        raise CaffeError(f"{net}: phase must be caffe.TRAIN or caffe.TEST, is {phase!r}")
    if not isinstance(level, int | np.integer) or not -(2**31) <= level < 2**31:
        raise CaffeError(f"{net}: level must be a whole number, is {level!r}")
    return names_of(stages, f"{net}: stages")


def names_of(names: Iterable[str] | None, what: str) -> list[str]:
    """Return a list of names; none for None.

    Parameters
    ----------
    names : iterable of str, optional
    what : str
        The argument, to begin the message with.

    Raises
    ------
    CaffeError
        If it is one str, which Python would read letter by letter, or holds something else.
    """
    if isinstance(names, str):
        raise CaffeError(f"{what}={names!r} is one str: give a list, [{names!r}]")
    found = list(names) if isinstance(names, Iterable) else [] if names is None else [names]
    if not all(isinstance(name, str) for name in found):
        raise CaffeError(f"{what}={names!r} must be a list of names")
    return found


# Ranges of layers


def check_order(call: str, start: str, end: str, first: int, last: int) -> None:
    """Raise CaffeError if layer number `first` comes after `last`, so that nothing would run.

    Parameters
    ----------
    call : str
        "forward" or "backward".
    start, end : str
        The arguments of the call.
    first, last : int
        Numbers of the first and the last layer of the range, in the order of the net.
    """
    if first > last:
        order = "start to end in" if call == "forward" else "start down to end against"
        raise CaffeError(
            f"{call}(start={start!r}, end={end!r}) runs no layer: layers run from {order} the "
            "order of the prototxt: swap the two"
        )


def check_numbers(call: str, first: int, last: int, count: int) -> None:
    """Raise CaffeError unless `first` to `last` is a range of the `count` layers of a net."""
    if count and not 0 <= first <= last < count:
        raise CaffeError(
            f"{call} of layers {first} to {last}: the net has layers 0 to {count - 1}, and a range "
            "runs from a number to the same or a larger one"
        )


# Arrays by name


def check_given(
    given: Iterable[str], wanted: Sequence[str], what: str, others: Sequence[str]
) -> None:
    """Raise CaffeError unless arrays are given for exactly the blobs wanted.

    Parameters
    ----------
    given, wanted : iterable of str
        Names of blobs.
    what : str
        Subject of the message: "forward was given inputs".
    others : sequence of str
        The other keywords of the method, for a hint at a misspelt one.
    """
    given = list(given)
    if set(given) == set(wanted):
        return
    for name in given:
        near = difflib.get_close_matches(name, others, 1)
        if name not in wanted and near:
            raise CaffeError(f"{what} {name!r}: did you mean the keyword {near[0]!r}?")
    raise CaffeError(
        f"{what} {sorted(given)}, the net has {sorted(wanted)}; other keywords are "
        f"{' '.join(others)}"
    )


def fill(blob: str, target: np.ndarray, values: npt.ArrayLike, what: str, resizable: bool) -> None:
    """Write `values` to a blob as NumPy does, except that the number of rows must be the blob's.

    Leading axes of length 1 that the blob does not have are dropped.

    Parameters
    ----------
    blob : str
        Name of the blob.
    target : numpy.ndarray
        Its data or diff.
    values : array_like
    what : str
        Subject of the message: "input 'data'".
    resizable : bool
        Whether the blob may be given another shape, as an input may.

    Raises
    ------
    ShapeMismatch
        If the shapes do not fit; the message says how to make them fit.
    CaffeError
        If the values are not numbers.
    """
    if isinstance(values, Blob):
        raise CaffeError(f"{what} is a Blob: give its .data")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeMismatch(f"{what} has no shape: its rows differ in length") from None
    shape = array.shape
    while len(shape) > target.ndim and shape[0] == 1:
        shape = shape[1:]
    if shape[:1] != target.shape[:1] or not _broadcasts(shape, target.shape):
        fix = _fix(blob, shape, target.shape, resizable)
        raise ShapeMismatch(f"{what} has shape {array.shape}, its blob {target.shape}{fix}")
    try:
        single.put(target, array, what)
    except (TypeError, ValueError) as e:
        raise CaffeError(f"{what} must be numbers: {e}") from None


def _broadcasts(shape, wanted):
    """Return whether NumPy broadcasts an array of this shape to the one wanted."""
    return len(shape) <= len(wanted) and all(
        d in (1, w) for d, w in zip(reversed(shape), reversed(wanted))
    )


def _fix(blob: str, shape: Shape, wanted: Shape, resizable: bool) -> str:
    """Say how an array becomes one for the blob; images are told by their number of channels."""
    layout = _layout(shape, wanted)
    if layout is None:
        if _without_ones(shape) == _without_ones(wanted):
            return f": give array.reshape{wanted}"
        if resizable and wanted == (0,):  # an input without a shape in the prototxt
            return f": call net.blobs[{blob!r}].reshape{shape} first"
        if len(shape) != len(wanted) or not resizable:
            return f": give an array of shape {wanted}"
        if len(wanted) == 4 and shape[1] != wanted[1]:
            return f": axis 1 has {shape[1]}, and the net takes {wanted[1]} channels"
        return f": call net.blobs[{blob!r}].reshape{shape} first"
    change, shape = layout
    if shape == wanted:
        return f": {change}"
    if not resizable:
        return f": give an array of shape {wanted}"
    return f": {change}, and call net.blobs[{blob!r}].reshape{shape} first"


def _layout(shape: Shape, wanted: Shape) -> tuple[str, Shape] | None:
    """Return what an image or a batch of images needs, and its shape then; None if it is none.

    The blob takes (number, channels, height, width).
    """
    if len(wanted) != 4:
        one_row = shape == wanted[1:] and wanted[:1] == (1,)
        return ("give array[np.newaxis], a batch of one", wanted) if one_row else None
    channels = wanted[1]
    if len(shape) == 4 and shape[3] == channels != shape[1]:
        n, height, width, _ = shape
        change = "it is in the order height, width, channels: give array.transpose(0, 3, 1, 2)"
        return change, (n, channels, height, width)
    if len(shape) == 3 and shape[0] == channels:
        return "it is one image: give array[np.newaxis], a batch of one", (1, *shape)
    if len(shape) == 3 and shape[2] == channels:
        change = (
            "it is one image in the order height, width, channels: give "
            "array.transpose(2, 0, 1)[np.newaxis]"
        )
        return change, (1, channels, *shape[:2])
    if len(shape) == 2 and channels == 1:
        return "it is one image: give array[np.newaxis, np.newaxis]", (1, 1, *shape)
    return None


def _without_ones(shape):
    return [d for d in shape if d != 1]


def copied(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return copies, because the next batch overwrites what forward and backward return."""
    return {name: array.copy() for name, array in arrays.items()}
