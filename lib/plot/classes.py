"""Figures with one bar a class: how often it occurs, how well it is found.

What a net takes the classes for: a confusion matrix as a picture.

The classes of a dataset as a picture: one swatch each, to look colours up in.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, PercentFormatter

from lib.plot.curves import label_axes


def class_bars(panels, class_names, palette, log=False, width=10):
    """A figure of one panel for each set of values, one bar a class in its colour, side by side.

    panels   {title of the x axis: one value a class}; classes are sorted by the first, largest on
             top, those that have nan there at the bottom; nan leaves a bar out
    palette  n x 3 uint8 RGB, as for lib.plot_util
    log      logarithmic x axis in the first panel, for frequencies that span powers of ten; classes
             of value 0 then have no bar

    Returns the figure. Raises ValueError where the panels or names do not have equally many values.
    """
    colours = np.asarray(palette)[: len(class_names)] / 255
    for title, values in panels.items():
        if not len(values) == len(class_names) == len(colours):
            raise ValueError(
                f"{title}: {len(values)} values for {len(class_names)} class names "
                f"and {len(colours)} colours, give one of each a class"
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


WRITTEN = 0.05  # least share that is written into its cell


def confusion_map(hist, class_names, width=10):
    """A figure of a confusion matrix: a row a true class, in it the shares of its pixels by output.

    hist  n x n counts as Scores.hist of lib.score_util: hist[i, j] pixels of class i labelled j

    Classes that neither occur nor are given are left out. Shares of 5 % or more are written out.
    Returns the figure. Raises ValueError where there are not as many names as classes.
    """
    hist = np.asarray(hist, float)
    if len(class_names) != len(hist):
        raise ValueError(
            f"{len(class_names)} class names for a matrix of {len(hist)} classes: give one a class"
        )
    seen = np.flatnonzero(hist.sum(0) + hist.sum(1))
    hist, names = hist[np.ix_(seen, seen)], [class_names[i] for i in seen]
    shares = hist / np.maximum(hist.sum(1, keepdims=True), 1)
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


def swatches(class_names, palette, columns=4, width=10):
    """A figure of one swatch a class with its number and name, in rows of `columns`.

    palette  n x 3 uint8 RGB, as for lib.plot_util

    Returns the figure. Raises ValueError where the palette has too few colours.
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
