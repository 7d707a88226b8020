"""Pictures side by side, masks of objects outlined on them, and the grey levels of mask files."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.plot.curves import STYLES, label_axes
from lib.plot.labels import Picture

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
        Float values are shares 0..1, shown as grey.
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
        If there are no pictures, or not as many titles as pictures.
    """
    if not len(pictures) or titles is not None and len(titles) != len(pictures):
        raise ValueError(
            f"{len(titles or ())} titles for {len(pictures)} pictures: give at least one picture, "
            "and one title per picture"
        )
    columns = columns or len(pictures)
    lines = -(-len(pictures) // columns)
    high, wide = np.asarray(pictures[0]).shape[:2]
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
        ax.imshow(np.asarray(pictures[i]), cmap="gray", vmin=0, vmax=white, interpolation="nearest")
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
        One per picture (0 and 1 will do too), None for a picture without one.
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
    if len(masks) != len(pictures):
        raise ValueError(
            f"{len(masks)} masks for {len(pictures)} pictures: give one per picture, "
            "None for a picture without one"
        )
    fig = grid(pictures, titles, columns, width)
    for ax, picture, mask in zip(fig.axes, pictures, masks, strict=False):
        if mask is None or not np.any(mask):
            continue
        if np.shape(mask) != (size := np.asarray(picture).shape[:2]):
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
    """
    ax = ax or plt.subplots(figsize=(9, 3.6), layout="constrained")[1]
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
