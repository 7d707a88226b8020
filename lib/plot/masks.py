"""Masks of one object as pictures: outlined on its frames, and the grey levels of their files.

Pictures side by side with a title each, such as the frames of a video.
"""

import matplotlib.pyplot as plt
import numpy as np

from lib.plot.curves import STYLES, label_axes

DASHES = ("-", "--", ":", "-.")


def outlines(pictures, masks, titles=None, columns=None, width=10, linewidth=1.6):
    """A figure of pictures as lib.plot_grid.grid draws them, each with the outline of its mask.

    masks  H x W bool (or 0 and 1) each, None for a picture without one

    Returns the figure. Raises ValueError where there are not as many masks as pictures, or one has
    another size than its picture.
    """
    if len(masks) != len(pictures):
        raise ValueError(
            f"{len(masks)} masks for {len(pictures)} pictures: give one a picture, "
            "None where there is none"
        )
    fig = grid(pictures, titles, columns, width)
    for ax, picture, mask in zip(fig.axes, pictures, masks, strict=False):
        if mask is None or not np.any(mask):
            continue
        if np.shape(mask) != np.shape(picture)[:2]:
            raise ValueError(
                f"the mask has the shape {np.shape(mask)}, its picture "
                f"{np.shape(picture)[:2]}: give both at one size"
            )
        outside = np.pad(np.asarray(mask, float), 1)  # closes the outline at the picture's edge
        x, y = (np.arange(-1, n - 1) for n in outside.shape[::-1])
        limits = ax.get_xlim(), ax.get_ylim()
        for colour, wide in (("black", 2.2 * linewidth), ("#F0E442", linewidth)):
            ax.contour(x, y, outside, [0.5], colors=colour, linewidths=wide)
        ax.set(xlim=limits[0], ylim=limits[1])
    return fig


def grey_levels(histograms, threshold, ax=None):
    """How many pixels of masks have which grey level, on a logarithmic scale. Returns the axes.

    histograms  {name: 256 counts}
    threshold   levels above it count as the object; marked by a line
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


def grid(pictures, titles=None, columns=None, width=10, white=1):
    """A figure of pictures in rows of `columns` (all in one row if not given).

    pictures  H x W x 3 uint8 RGB or H x W of shares 0..1, shown as grey (PIL images are taken too)
    titles    one str a picture
    width     of the figure, in inches
    white     the share from which on grey is white

    Returns the figure; fig.axes[i] are those of pictures[i]. Raises ValueError where there are not
    as many titles as pictures, or none of them.
    """
    if not len(pictures) or titles is not None and len(titles) != len(pictures):
        raise ValueError(
            f"{len(titles or ())} titles for {len(pictures)} pictures: give one a "
            "picture, of at least one picture"
        )
    columns = columns or len(pictures)
    lines = -(-len(pictures) // columns)
    high, wide = np.shape(pictures[0])[:2]
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
