"""Figures with one item per class: bars, swatches of the palette, and a confusion matrix."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import ArrayLike

from lib.plot.curves import label_axes

WRITTEN = 0.05  # least share that is written into its cell of a confusion map


def class_bars(
    panels: Mapping[str, Sequence[float] | np.ndarray],
    class_names: Sequence[str],
    palette: ArrayLike,
    log: bool = False,
    width: float = 10,
) -> Figure:
    """Draw one panel per set of values, side by side: a bar per class in its colour.

    Classes are sorted by the first panel, largest on top; those that are nan there come last.

    Parameters
    ----------
    panels : mapping of str to sequence of float
        {title of the x axis: one value per class}; nan leaves a bar out.
    class_names : sequence of str
    palette : n x 3 uint8 array
        RGB.
    log : bool
        Logarithmic x axis in the first panel, for frequencies that span powers of ten. Classes
        with value 0 then have no bar.
    width : float
        Of the figure, in inches.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are not as many values as names.
    """
    colours = np.asarray(palette)[: len(class_names)] / 255
    for title, values in panels.items():
        if not len(values) == len(class_names) == len(colours):
            raise ValueError(
                f"{title}: {len(values)} values for {len(class_names)} class names "
                f"and {len(colours)} colours, give one of each per class"
            )
    first = np.asarray(next(iter(panels.values())), float)
    order = np.argsort(-np.where(np.isnan(first), -np.inf, first), kind="stable")
    fig, axes = plt.subplots(
        1,
        len(panels),
        squeeze=False,
        sharey=True,
        layout="constrained",
        figsize=(width, 0.21 * len(order) + 0.9),
    )
    for ax, (title, values) in zip(axes[0], panels.items(), strict=True):
        ax.barh(
            range(len(order)),
            np.asarray(values, float)[order],
            color=colours[order],
            edgecolor="0.3",
            linewidth=0.6,
        )
        label_axes(ax, title, "").set_axisbelow(True)
    axes[0, 0].set_yticks(range(len(order)), [class_names[i] for i in order], fontsize=10)
    axes[0, 0].set_ylim(len(order) - 0.4, -0.6)
    if log:
        axes[0, 0].set_xscale("log")
        axes[0, 0].xaxis.set_major_formatter(FuncFormatter("{:g}".format))
    return fig


def confusion_map(hist: ArrayLike, class_names: Sequence[str], width: float = 10) -> Figure:
    """Draw a confusion matrix: a row per true class, its pixels shared out by output class.

    Classes that are neither in the truth nor in the output are left out. Shares of 5 % or more
    are written into the cell.

    Parameters
    ----------
    hist : n x n counts
        As `Scores.hist` of lib.score_util: hist[i, j] pixels of class i were labelled j.
    class_names : sequence of str
    width : float
        Of the figure, in inches.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If there are not as many names as classes.
    """
    counts = np.asarray(hist, float)
    if len(class_names) != len(counts):
        raise ValueError(
            f"{len(class_names)} class names for a matrix of {len(counts)} classes: "
            "give one per class"
        )
    seen = np.flatnonzero(counts.sum(0) + counts.sum(1))
    counts, names = counts[np.ix_(seen, seen)], [class_names[i] for i in seen.tolist()]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    fig, ax = plt.subplots(figsize=(width, 0.85 * width), layout="constrained")
    picture = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.argwhere(shares >= WRITTEN):
        ax.text(
            j,
            i,
            f"{100 * shares[i, j]:.0f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if shares[i, j] > 0.5 else "black",
        )
    ax.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(labelsize=10)
    ax.set_xlabel("output", fontsize=12)
    ax.set_ylabel("truth", fontsize=12)
    bar = fig.colorbar(picture, shrink=0.6, format=PercentFormatter(1))
    bar.set_label("share of the true class", fontsize=11)
    return fig


def swatches(
    class_names: Sequence[str], palette: ArrayLike, columns: int = 4, width: float = 10
) -> Figure:
    """Draw a swatch per class with its number and name, to look colours up in.

    Parameters
    ----------
    class_names : sequence of str
    palette : n x 3 uint8 array
        RGB.
    columns : int
        Swatches per row.
    width : float
        Of the figure, in inches.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the palette has too few colours.
    """
    colours = np.asarray(palette)[: len(class_names)] / 255
    if len(colours) < len(class_names):
        raise ValueError(
            f"{len(class_names)} class names for {len(colours)} colours: give the "
            "palette of this dataset"
        )
    lines = -(-len(class_names) // columns)
    fig, ax = plt.subplots(figsize=(width, 0.34 * lines), layout="constrained")
    for number, (name, colour) in enumerate(zip(class_names, colours, strict=True)):
        x, y = number % columns, lines - 1 - number // columns
        ax.add_patch(Rectangle((x, y + 0.12), 0.16, 0.76, facecolor=colour, edgecolor="0.3"))
        ax.text(x + 0.2, y + 0.5, f"{number}  {name}", va="center", fontsize=11)
    ax.set(xlim=(-0.01, columns), ylim=(0, lines))
    ax.axis("off")
    return fig
