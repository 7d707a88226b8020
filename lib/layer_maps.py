"""What each score layer of a net says about a frame, as label maps of the size of the frame."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lib.labels import IGNORE, check_lookup, label_map, relabelled
from lib.run_net import segrun
from lib.schedule import LabelledFrame
from lib.stages import Net

STRIDES = {"score_pool3": 8, "score_pool4": 16, "score_fr": 32, "score": 1}  # of FCN-8s, in pixels


def layer_maps(
    net: Net,
    clip: Iterable[LabelledFrame],
    strides: Mapping[str, int] = STRIDES,
    relabel: np.ndarray | None = None,
) -> dict[str, list[np.ndarray]]:
    """Run all stages on every frame and read off the best class by each score layer alone.

    Parameters
    ----------
    net : Net
    clip : Clip, or any iterable of (frame, label) pairs
    strides : mapping of str to int
        {score blob: its stride in pixels of the frame}.
    relabel : 256 uint8 array, optional
        The class that each class is shown as.

    Returns
    -------
    dict of str to list of H x W uint8 arrays
        {score blob: one map per frame}.

    Raises
    ------
    ValueError
        If the net lacks a blob.
    """
    check_lookup(relabel)
    if missing := [blob for blob in strides if blob not in net.blobs]:
        raise ValueError(
            f"the net has no blob {missing[0]!r}, its blobs are "
            f"{', '.join(net.blobs)}: give strides of these"
        )
    maps: dict[str, list[np.ndarray]] = {blob: [] for blob in strides}
    for in_, _ in clip:
        segrun(net, in_)
        for blob, stride in strides.items():
            classes = relabelled(label_map(net.blobs[blob].data[0]), relabel)
            maps[blob].append(to_frame(classes, in_.shape[1:], stride))
    return maps


def to_frame(cells: np.ndarray, shape: Sequence[int], stride: int) -> np.ndarray:
    """Enlarge a coarse map to the size of the frame: each pixel takes the cell it lies in.

    With padding the maps of an FCN reach beyond the frame, without it they stop short of its
    borders, equally on opposite sides. So the centres of map and frame are aligned, which is right
    to within half a cell. Pixels beyond the last cell take that one.

    Parameters
    ----------
    cells : h x w array
    shape : (int, int)
        Height and width of the frame in pixels.
    stride : int
        Pixels per cell, along each side.

    Returns
    -------
    height x width array of the type of `cells`
    """
    rows, columns = (
        np.clip(
            np.floor((np.arange(pixels) + 0.5 - pixels / 2) / stride + count / 2), 0, count - 1
        ).astype(int)
        for pixels, count in zip(shape, cells.shape, strict=True)
    )
    return cells[np.ix_(rows, columns)]


def object_changes(
    net: Net,
    clip: Iterable[LabelledFrame],
    strides: Mapping[str, int] = STRIDES,
    relabel: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how much of the labelled objects changes class, by each score layer.

    Objects are the pixels that are neither background (class 0) nor ignored, see `change_within`.

    Parameters
    ----------
    net, clip, strides, relabel
        As for `layer_maps`.

    Returns
    -------
    dict of str to float
        {score blob: share of pixels, 0..1}.

    Raises
    ------
    ValueError
        As `layer_maps`, and if no two consecutive frames have labels.
    """
    frames = list(clip)
    regions = [None if label is None else (label > 0) & (label != IGNORE) for _, label in frames]
    return {
        blob: change_within(maps, regions)
        for blob, maps in layer_maps(net, frames, strides, relabel).items()
    }


def change_rate(maps: Sequence[np.ndarray | None]) -> np.ndarray:
    """Measure how often each pixel changes class.

    Parameters
    ----------
    maps : sequence of H x W arrays
        Label maps of a clip. Pairs with a frame that has None do not count.

    Returns
    -------
    H x W float array
        Share, 0..1, of the pairs of consecutive frames on which the pixel changes.

    Raises
    ------
    ValueError
        If there is no pair of consecutive maps.
    """
    return np.mean([now != before for before, now in _pairs(maps)], axis=0)


def change_within(maps: Sequence[np.ndarray], regions: Sequence[np.ndarray | None]) -> float:
    """Measure the share of pixels that change class, of those inside a region in both frames.

    Parameters
    ----------
    maps : sequence of H x W arrays
        Label maps of a clip.
    regions : sequence of H x W bool arrays
        One per frame, such as ``label > 0`` of the truth. Pairs with a frame that has None do not
        count.

    Returns
    -------
    float
        From 0 to 1; nan if the regions have no pixel in common.

    Raises
    ------
    ValueError
        If there is no pair of consecutive regions.
    """
    changed = counted = 0
    frames = [
        None if region is None else (out, region) for out, region in zip(maps, regions, strict=True)
    ]
    for (before, region_before), (now, region_now) in _pairs(frames):
        both = region_now & region_before
        changed, counted = changed + np.sum((now != before) & both), counted + both.sum()
    return float(changed / counted) if counted else float("nan")


def _pairs(items):
    """List the pairs of consecutive items that are both not None; raise if there are none."""
    pairs = [
        (before, now)
        for before, now in zip(items[:-1], items[1:], strict=True)
        if before is not None and now is not None
    ]
    if not pairs:
        raise ValueError(
            f"no two consecutive frames to compare among {len(items)} frames: take a longer "
            "clip, or one whose frames all have labels"
        )
    return pairs
