"""Pictures side by side, masks of objects outlined on them, and the grey levels of mask files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.checks import check_above_zero, check_share, check_whole
from lib.labels import plane
from lib.plot.curves import STYLES, label_axes
from lib.plot.inputs import (
    Picture,
    as_axes,
    as_grey_or_picture,
    as_pictures,
    as_titles,
    check_mapping,
)

GREY = plt.get_cmap("gray").with_extremes(bad="#56B4E9")  # nan is no share: not white
LEVELS = 256  # of grey
DASHES = ("-", "--", ":", "-.")


def grid(
    pictures: Sequence[Picture],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    width: float = 10,
    white: float = 1,
) -> Figure:
    """Draw pictures side by side, such as the frames of a video.

    Parameters
    ----------
    pictures : sequence of H x W x 3 uint8 (RGB) or H x W float arrays, or PIL images
        Float values are shares 0..1, shown as grey, and blue where they are nan. One picture is a
        list of one.
    titles : sequence of str, optional
        One per picture.
    columns : int, optional
        Pictures per row; all in one row by default.
    width : float
        Of the figure, in inches.
    white : float
        The share from which on grey is white.

    Returns
    -------
    Figure
        ``fig.axes[i]`` are those of ``pictures[i]``.

    Raises
    ------
    ValueError
        If there are no pictures, not as many titles as pictures, or a picture is none.
    """
    pictures = as_pictures(pictures, "pictures", single_2d=True)
    titles = as_titles(titles, len(pictures), "titles", "pictures")
    if columns is not None:
        check_whole("columns", columns, least=1)
    check_share("white", white)
    check_above_zero("white", white)
    shown = [as_grey_or_picture(picture, f"picture {i}") for i, picture in enumerate(pictures)]
    columns = int(columns or len(pictures))
    lines = -(-len(pictures) // columns)
    high, wide = shown[0].shape[:2]
    tall = width / columns * high / wide
    fig, axes = plt.subplots(
        lines,
        columns,
        squeeze=False,
        layout="constrained",
        figsize=(width, lines * (tall + (0.3 if titles else 0.05))),
    )
    for i, ax in enumerate(axes.flat):
        if i >= len(pictures):
            ax.axis("off")
            continue
        ax.imshow(shown[i], cmap=GREY, vmin=0, vmax=white, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        if titles:
            ax.set_title(titles[i], fontsize=11)
    return fig


def outlines(
    pictures: Sequence[Picture],
    masks: Sequence[np.ndarray | None],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    width: float = 10,
    linewidth: float = 1.6,
) -> Figure:
    """Draw pictures as `grid` does, each with the outline of its mask.

    Parameters
    ----------
    pictures, titles, columns, width
        As for `grid`.
    masks : sequence of H x W bool arrays
        One per picture (0 and 1 will do too, and a label of one object), None for a picture
        without one. For one picture, one mask.
    linewidth : float
        Of the outline, in points.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are not as many masks as pictures, or a mask differs in size from its picture.
    """
    pictures = as_pictures(pictures, "pictures", single_2d=True)
    one = not isinstance(masks, Iterable) or getattr(masks, "ndim", 0) == 2
    listed: list[Any] = [masks] if one else list(masks)
    if len(listed) != len(pictures):
        raise ValueError(
            f"{len(listed)} masks for {len(pictures)} pictures: give one per picture, "
            "None for a picture without one"
        )
    fig = grid(pictures, titles, columns, width)
    for ax, picture, mask in zip(fig.axes, pictures, listed, strict=False):
        if mask is None or not np.any(mask):
            continue
        mask = plane(mask, "a mask")
        if np.shape(mask) != (size := as_grey_or_picture(picture).shape[:2]):
            raise ValueError(
                f"the mask has the shape {np.shape(mask)}, its picture {size}: "
                "give both in one size"
            )
        padded = np.pad(np.asarray(mask, float), 1)  # closes the outline at the picture's edge
        x, y = (np.arange(-1, n - 1) for n in padded.shape[::-1])
        limits = ax.get_xlim(), ax.get_ylim()
        for colour, wide in (("black", 2.2 * linewidth), ("#F0E442", linewidth)):
            ax.contour(x, y, padded, [0.5], colors=colour, linewidths=wide)
        ax.set(xlim=limits[0], ylim=limits[1])
    return fig


def grey_levels(
    histograms: Mapping[str, Sequence[int] | np.ndarray], threshold: int, ax: Axes | None = None
) -> Axes:
    """Plot how many pixels of mask files have which grey level, on a logarithmic scale.

    Parameters
    ----------
    histograms : mapping of str to 256 counts
        {name: pixels by grey level}, at most four.
    threshold : int
        Levels above it count as the object; marked by a line.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there are more than four histograms, one is not of 256 counts, or the threshold is no
        level.
    """
    check_mapping("histograms", histograms, "{name: np.bincount(mask.ravel(), minlength=256)}")
    check_whole("the threshold", threshold, 0, LEVELS - 1)
    if len(histograms) > len(DASHES):
        raise ValueError(f"{len(histograms)} histograms: give at most {len(DASHES)} to one figure")
    for name, counts in histograms.items():
        _check_histogram(name, counts)
    ax = as_axes(ax, figsize=(9, 3.6))
    for (name, counts), (colour, _), dashes in zip(
        histograms.items(), STYLES, DASHES, strict=False
    ):
        share = 100 * np.asarray(counts, float) / np.sum(counts)
        ax.stairs(
            share, np.arange(257) - 0.5, color=colour, linestyle=dashes, linewidth=1.6, label=name
        )
    ax.axvline(threshold + 0.5, color=".3", linewidth=1, label=f"object: levels above {threshold}")
    ax.set(yscale="log", xlim=(-3, 258))
    ax.legend(fontsize=11, loc="upper center")
    return label_axes(ax, "grey level of a mask pixel", "pixels (%)")


def _check_histogram(name, counts):
    counts = np.asarray(counts)
    if counts.shape != (LEVELS,) or counts.dtype.kind not in "biuf" or not (counts >= 0).all():
        raise ValueError(
            f"{name}: a histogram has the shape {counts.shape}: give {LEVELS} counts, "
            "np.bincount(mask.ravel(), minlength=256)"
        )
    if not counts.sum():
        raise ValueError(f"{name}: a histogram counts no pixels: give that of at least one mask")
