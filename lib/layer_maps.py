"""What each score layer of a net says about a frame, as label maps of the size of the frame."""

import numpy as np

from lib.labels import IGNORE, check_lookup, label_map, relabelled
from lib.run_net import segrun

STRIDES = {"score_pool3": 8, "score_pool4": 16, "score_fr": 32, "score": 1}  # of FCN-8s, in pixels


def layer_maps(net, clip, strides=STRIDES, relabel=None):
    """The best class of each pixel by each score layer alone, all stages run on every frame.

    clip     sequence of (in_, label or None), as for lib.evaluate.evaluate
    strides  {score blob: pixels of the frame that one of its cells stands for, along each side}
    relabel  256 uint8, what each class is to be shown as

    Returns {score blob: list of H x W uint8, one a frame}. Raises ValueError for blobs that the
    net lacks.
    """
    check_lookup(relabel)
    if missing := [blob for blob in strides if blob not in net.blobs]:
        raise ValueError(
            f"the net has no blob {missing[0]!r}, its blobs are "
            f"{', '.join(net.blobs)}: give strides of these"
        )
    maps = {blob: [] for blob in strides}
    for in_, _ in clip:
        segrun(net, in_)
        for blob, stride in strides.items():
            classes = relabelled(label_map(net.blobs[blob].data[0]), relabel)
            maps[blob].append(to_frame(classes, np.shape(in_)[1:], stride))
    return maps


def to_frame(cells, shape, stride):
    """A coarse map, h x w, at the (height, width) `shape` of the frame: each pixel takes the cell
    it lies in.

    Padding makes the maps of an FCN reach beyond the frame, and a convolution without it stop
    short of its borders, both alike on all sides. So the middles are laid on each other, which is
    right to within half a cell, and pixels beyond the last cell take that one.
    """
    rows, columns = (
        np.clip(
            np.floor((np.arange(pixels) + 0.5 - pixels / 2) / stride + count / 2), 0, count - 1
        ).astype(int)
        for pixels, count in zip(shape, cells.shape, strict=True)
    )
    return cells[np.ix_(rows, columns)]


def object_changes(net, clip, strides=STRIDES, relabel=None):
    """How much of what is neither background (class 0) nor ignored changes class, by each score
    layer: {score blob: share 0..1}, see change_within. Arguments and errors as for layer_maps, and
    ValueError where no two neighbouring frames have labels.
    """
    clip = list(clip)
    regions = [None if label is None else (label > 0) & (label != IGNORE) for _, label in clip]
    return {
        blob: change_within(maps, regions)
        for blob, maps in layer_maps(net, clip, strides, relabel).items()
    }


def change_rate(maps):
    """How often each pixel changes class: the share, 0..1, of consecutive pairs of the label maps
    of a clip on which it does.

    maps  H x W each, None for a frame without one, whose pairs do not count

    Returns H x W float. Raises ValueError where no pair is left.
    """
    return np.mean([now != before for before, now in _pairs(maps)], axis=0)


def change_within(maps, regions):
    """The share, 0..1, of pixels that change class, of those that lie in a region in both frames.

    maps     label maps of a clip, H x W each
    regions  H x W bool each, such as label > 0 of the truth; None for a frame without one, whose
             pairs do not count

    nan where the regions have no pixel in common. Raises ValueError where no pair is left.
    """
    changed = counted = 0
    places = [
        None if region is None else (out, region) for out, region in zip(maps, regions, strict=True)
    ]
    for (before, there), (now, here) in _pairs(places):
        both = there & here
        changed, counted = changed + np.sum((now != before) & both), counted + both.sum()
    return float(changed / counted) if counted else float("nan")


def _pairs(items):
    pairs = [
        (before, now)
        for before, now in zip(items[:-1], items[1:], strict=True)
        if before is not None and now is not None
    ]
    if not pairs:
        raise ValueError(
            f"no two neighbours to compare among {len(items)} frames: take a longer "
            "clip, or one whose frames all have labels"
        )
    return pairs
