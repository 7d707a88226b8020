"""Label maps: from scores, from one set of classes to another, and how much two of them differ.

What a change is, is defined here once, in `compare_labels`, and all measures of change in lib use
it: a pixel has changed if its class differs, and counts only if it is labelled in both maps. A
pixel that is unlabelled (255) in one of the two says nothing about a change: it is neither changed
nor the same. `changed_share` is the share of the pixels that count.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

IGNORE = 255  # the label of pixels that are neither trained on nor scored
CLASSES = 256  # that fit into a label map, which is uint8
FIX = "give H x W or 1 x H x W integers, a class for each pixel"


def label_map(scores: np.ndarray) -> np.ndarray:
    """Return the best-scoring class of each pixel.

    Parameters
    ----------
    scores : classes x H x W float array

    Returns
    -------
    H x W uint8 array
        Of equal scores the lowest class, as by argmax.

    Raises
    ------
    ValueError
        If the scores are not classes x H x W with at most 256 classes, or one is not a number.
    """
    if np.ndim(scores) != 3 or not 1 <= len(scores) <= CLASSES:
        raise ValueError(
            f"scores have the shape {np.shape(scores)}: give classes x H x W, of 1 to {CLASSES} "
            "classes, such as net.blobs['score'].data[0]"
        )
    best, label = scores[0].copy(), np.zeros(scores.shape[1:], np.uint8)
    better = np.empty(label.shape, bool)
    class_where_better = better.view(np.uint8)
    # Class by class over whole maps, without masks: all of these calls use vector instructions. A
    # later class is a larger number, so the maximum replaces the earlier one.
    for class_, score in enumerate(scores[1:], 1):
        np.greater(score, best, out=better)
        np.multiply(class_where_better, np.uint8(class_), out=class_where_better)
        np.maximum(label, class_where_better, out=label)
        np.maximum(best, score, out=best)
    if np.isnan(best).any():  # a maximum keeps nan, so the last one tells of all
        raise ValueError(
            f"scores are not numbers at {np.isnan(best).mean():.1%} of the pixels: look for nan in "
            "the weights of the net and in its input"
        )
    return label


def relabelled(label: np.ndarray, lookup: np.ndarray | None) -> np.ndarray:
    """Replace each class of a label map by its entry in a lookup table.

    Parameters
    ----------
    label : H x W uint8 array
    lookup : 256 uint8 array or None
        The new class of each value 0..255, e.g. `from_voc` of datasets.youtube.

    Returns
    -------
    H x W uint8 array
        `label` itself if `lookup` is None.
    """
    return label if lookup is None else lookup[label]


def check_lookup(lookup: np.ndarray | None) -> None:
    """Raise ValueError unless `lookup` is None or a table for `relabelled`."""
    if lookup is None:
        return
    shape, kind = np.shape(lookup), getattr(lookup, "dtype", type(lookup).__name__)
    if shape != (256,) or kind != np.uint8:
        raise ValueError(
            f"relabel has the shape {shape} and holds {kind}: give 256 uint8, the new "
            "class of each value 0..255"
        )


def plane(label: ArrayLike, what: str = "the label map") -> np.ndarray:
    """Return H x W or 1 x H x W values of any type as H x W; raise ValueError for other shapes."""
    if label is None:
        raise ValueError(f"{what} is None: leave out frames without a label, or {FIX}")
    try:
        values = np.asarray(label)
    except ValueError as error:
        raise ValueError(f"{what} is not an array ({error}): {FIX}") from None
    if values.ndim == 3 and len(values) == 1:
        values = values[0]
    if values.ndim != 2:
        raise ValueError(f"{what} has the shape {values.shape}: {FIX}{_axis_hint(values.shape)}")
    return values


def as_label(label: ArrayLike, what: str = "the label map") -> np.ndarray:
    """Return a label map as H x W, with the values and the type that it has.

    Parameters
    ----------
    label : H x W or 1 x H x W integer or bool array, or a PIL image of classes
    what : str
        What error messages call it.

    Returns
    -------
    H x W integer or bool array

    Raises
    ------
    ValueError
        If it is anything else.
    """
    classes = plane(label, what)
    if classes.dtype.kind not in "biu":
        raise ValueError(f"{what} holds {classes.dtype}: {FIX}; cast them with astype(np.uint8)")
    return classes


def as_maps(maps: Iterable, what: str = "label maps") -> Any:
    """Return the label maps of a clip as a sequence; raise ValueError for one map in their place.

    Its rows would pass for maps of their own. Sequences are returned as they are, as they may load
    or unpack each map on access.
    """
    listed = None if isinstance(maps, (str, bytes, Mapping)) else maps
    if not isinstance(listed, Iterable) or getattr(maps, "ndim", 3) == 2:
        got = f"one array of the shape {maps.shape}" if hasattr(maps, "shape") else repr(maps)[:60]
        raise ValueError(f"{what} are {got}: give a list with a label map for each frame")
    return listed if isinstance(listed, (Sequence, np.ndarray)) else list(listed)


def as_classes(label: ArrayLike, what: str = "the label map") -> np.ndarray:
    """Return a label map as `as_label`, as uint8; raise ValueError if a class is not in 0..255."""
    classes = as_label(label, what)
    if classes.dtype == np.uint8:
        return classes
    low, high = classes.min(initial=0), classes.max(initial=0)
    if low < 0 or high >= CLASSES:
        raise ValueError(
            f"{what} holds the class {low if low < 0 else high}: classes are 0..254, and "
            f"{IGNORE} for pixels without a label"
        )
    return classes.astype(np.uint8)


def compare_labels(
    now: np.ndarray, before: np.ndarray, ignore: int | None = IGNORE
) -> tuple[np.ndarray, np.ndarray]:
    """Compare two label maps pixel by pixel: the one definition of a change, see the module.

    Parameters
    ----------
    now, before : integer arrays of one shape
    ignore : int or None
        The label of pixels without a class. None if every value is a class, as in the class maps
        of scores.

    Returns
    -------
    changed : bool array
        Pixels that count and whose class differs.
    counted : bool array
        Pixels that count, as they are labelled in both.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if np.shape(now) != np.shape(before):
        raise ValueError(
            f"label maps of the shapes {np.shape(now)} and {np.shape(before)} cannot be compared: "
            "give two of one size"
        )
    changed = now != before
    if ignore is None:
        return changed, np.ones(changed.shape, bool)
    counted = (now != ignore) & (before != ignore)
    return changed & counted, counted


def changed_share(now: np.ndarray, before: np.ndarray, ignore: int | None = IGNORE) -> float:
    """Return the share of pixels, 0..1, whose class differs between two label maps.

    Parameters
    ----------
    now, before : H x W or 1 x H x W integer arrays
    ignore : int or None
        As for `compare_labels`: pixels with this label in either map do not count.

    Returns
    -------
    float
        1 if the sizes differ; nan if no pixel is labelled in both.
    """
    now, before = (plane(m, "a label map to compare") for m in (now, before))
    if now.shape != before.shape:
        return 1.0
    changed, counted = compare_labels(now, before, ignore)
    total = np.count_nonzero(counted)
    return np.count_nonzero(changed) / total if total else float("nan")


def _axis_hint(shape):
    """Return what to do with an array of another shape, where that can be told."""
    if len(shape) == 3 and shape[2] == 1:
        return "; of this one, label[..., 0]"
    if len(shape) == 3 and shape[2] in (3, 4):
        return "; this one is a picture, not the classes"
    if len(shape) == 3 and shape[0] == 3:
        return "; this one is an input of a net, or three label maps"
    return ""
