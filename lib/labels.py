"""Label maps: from scores, from one set of classes to another, and how much two of them differ."""

import numpy as np

IGNORE = 255  # the label of pixels that are neither trained on nor scored


def label_map(scores: np.ndarray) -> np.ndarray:
    """Return the best-scoring class of each pixel.

    Parameters
    ----------
    scores : classes x H x W float array

    Returns
    -------
    H x W uint8 array
        Of equal scores the lowest class, as by argmax.
    """
    best, label = scores[0].copy(), np.zeros(scores.shape[1:], np.uint8)
    # class by class over whole maps: on full frames a third of the time of argmax over axis 0
    for class_, score in enumerate(scores[1:], 1):
        np.copyto(label, np.uint8(class_), where=score > best)
        np.maximum(best, score, out=best)
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


def changed_share(now: np.ndarray, before: np.ndarray) -> float:
    """Return the share of pixels, 0..1, that differ between two label maps; 1 if sizes differ."""
    return float(np.mean(now != before)) if now.shape == before.shape else 1.0
