"""Frame differences as pictures: the course of a shot, and how much each layer changes on average.

A layer keeps its colour and marker from one picture to the next.
"""

import matplotlib.pyplot as plt
import numpy as np

from lib.differences import summary
from lib.plot.curves import STYLES, choice, curves, label_axes

MEASURES = {
    "argmax": ("pixels that changed class (%)", 100),
    "relative": ("relative change of values", 1),
}
MARKS = 12  # on a line of a trace, so that they do not hide it


def traces(shot, measure="argmax", ax=None):
    """The change from each frame of a shot to the next, one line a layer. Returns the axes.

    shot     Differences of lib.differences
    measure  'argmax' or 'relative'

    Left out are layers that were never measured: the label, where the shot has none. Raises
    ValueError for an unknown measure.
    """
    label, scale = choice("measure", MEASURES, measure)
    shown = {
        layer: scale * changes
        for layer, changes in getattr(shot, measure).items()
        if not np.isnan(changes).all()
    }
    styles = _styles([*shot.argmax, *shot.relative])
    ax = ax or plt.subplots(figsize=(9, 4), layout="constrained")[1]
    curves(
        {layer: list(enumerate(changes, 1)) for layer, changes in shown.items()},
        "frame number",
        label,
        ax,
        [styles[layer] for layer in shown],
    )
    for line, changes in zip(ax.lines, shown.values(), strict=True):
        # a frame pair between others without a label is a point of its own, no line shows it
        every = 1 if np.isnan(changes).any() else max(1, len(changes) // MARKS)
        line.set(markersize=6, markevery=every)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=11, frameon=False)
    ax.set_ylim(bottom=0)
    return ax


def layer_means(collected, measure="argmax", ax=None):
    """Mean (mark) and standard deviation (bar) of each layer, over the frame pairs of all shots.

    collected  list of Differences of lib.differences
    measure    'argmax' or 'relative'

    Returns the axes. Raises ValueError for an unknown measure or an empty list.
    """
    label, scale = choice("measure", MEASURES, measure)
    rows = summary(collected)
    styles = _styles([*collected[0].argmax, *collected[0].relative])
    points = [
        (row.layer, scale * getattr(row, f"{measure}_mean"), scale * getattr(row, f"{measure}_std"))
        for row in rows
    ]
    points = [point for point in points if not np.isnan(point[1])]
    ax = ax or plt.subplots(figsize=(6.5, 0.5 * len(points) + 1.2), layout="constrained")[1]
    for y, (layer, mean, std) in enumerate(points):
        colour, marker = styles[layer]
        ax.errorbar(
            mean, y, xerr=std, color=colour, marker=marker, markersize=9, capsize=4, linewidth=1.8
        )
    ax.set_yticks(range(len(points)), [layer for layer, *_ in points])
    ax.invert_yaxis()  # the first layer on top, as in a net
    ax.margins(y=0.12)
    ax.set_xlim(left=0)
    ax.locator_params(axis="x", nbins=6)
    return label_axes(ax, label, "")


def growth(collected, measure="argmax", ax=None):
    """Mean change over how far apart the two frames are, one line a layer. Returns the axes.

    collected  {frames from one to the other: list of Differences of lib.differences}
    measure    'argmax' or 'relative'

    Left out are layers that were not measured at each of these. Raises ValueError for an unknown
    measure or an empty list.
    """
    label, scale = choice("measure", MEASURES, measure)
    summaries = {apart: summary(shots) for apart, shots in sorted(collected.items())}
    styles = _styles(
        [
            layer
            for shots in collected.values()
            for shot in shots
            for layer in (*shot.argmax, *shot.relative)
        ]
    )
    lines = {
        layer: [
            (apart, scale * getattr(row, f"{measure}_mean"))
            for apart, rows in summaries.items()
            for row in rows
            if row.layer == layer
        ]
        for layer in styles
    }
    lines = {
        layer: points
        for layer, points in lines.items()
        if len(points) == len(summaries) and not np.isnan(points).any()
    }
    ax = curves(
        lines, "frames from one to the other", label, ax, [styles[layer] for layer in lines]
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=11, frameon=False)
    ax.set_xticks(list(summaries))
    ax.set_ylim(bottom=0)
    return ax


def _styles(layers):
    """{layer: (colour, marker)}, in the order of first mention."""
    layers = list(dict.fromkeys(layers))
    return {layer: STYLES[i % len(STYLES)] for i, layer in enumerate(layers)}
