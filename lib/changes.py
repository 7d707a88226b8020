"""What a clock compares: the best channel of each cell of a blob, and how many cells differ.

Of scores this is a label map (`lib.labels.label_map`). Blobs between other layers have channels in
place of classes, also more than 256 of them.
"""

import numpy as np

from lib.labels import CLASSES, changed_share, label_map
from lib.stages import Net, Stage


def class_map(values: np.ndarray) -> np.ndarray:
    """Return the strongest channel of each cell of a blob.

    Parameters
    ----------
    values : 1 x C x H x W, 1 x C x L or 1 x C float array
        A blob's data, of one frame.

    Returns
    -------
    H x W array
        uint8, uint16 for more than 256 channels; 1 x L or 1 x 1 for blobs of fewer axes. Of a
        single channel, 1 where it is above 0.

    Raises
    ------
    ValueError
        If the blob has another shape, or a value is not a number.
    """
    if not 2 <= np.ndim(values) <= 4 or len(values) != 1:
        raise ValueError(
            f"a clock compares blobs of one frame, 1 x C x H x W, got the shape "
            f"{np.shape(values)}: name another blob to watch"
        )
    item = values[0]
    item = item.reshape(item.shape[0], *(1,) * (3 - item.ndim), *item.shape[1:])
    if item.shape[0] == 1:
        return label_map(np.concatenate([np.zeros_like(item), item]))
    if item.shape[0] <= CLASSES:
        return label_map(item)
    best = item.argmax(0)  # of nan and numbers, argmax takes nan
    if np.isnan(np.take_along_axis(item, best[None], 0)).any():
        raise ValueError("a blob that a clock compares holds nan: look for it in weights and input")
    return best.astype(np.uint16)


def share_of_change(now: np.ndarray, before: np.ndarray) -> float:
    """Return the share of cells, 0..1, in which two class maps differ; 1 if their sizes do."""
    return changed_share(now, before, ignore=None)  # every value is a class, 255 too


def watched(net: Net, stage: Stage, blob: str | None = None) -> str:
    """Return the blob that a clock compares: `blob`, by default the scores that end `stage`.

    Raises ValueError if the net has no such blob.
    """
    if blob is None:
        return net.top_names[stage.end][0]
    if blob not in net.blobs:
        raise ValueError(
            f"the net has no blob {blob!r} to watch, its blobs are {', '.join(net.blobs)}"
        )
    return blob
