"""Frame differences as plots: along a shot, and how much each layer changes on average.

A layer has the same colour and marker in all of them.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from lib.differences import Differences, summary
from lib.plot.curves import STYLES, choice, curves, label_axes

MEASURES = {
    "argmax": ("pixels that changed class (%)", 100),
    "relative": ("relative change of values", 1),
}
MARKS = 12  # markers on a line of a trace, few enough not to hide it


def traces(shot: Differences, measure: str = "argmax", ax: Axes | None = None) -> Axes:
    """Plot the change from each frame of a shot to the next, one line per layer.

    Layers that were never measured, such as the label of a shot without labels, are left out.

    Parameters
    ----------
    shot : Differences
    measure : {'argmax', 'relative'}
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `measure` is unknown.
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
        # a measured pair between pairs without a label is a single point, which no line shows
        every = 1 if np.isnan(changes).any() else max(1, len(changes) // MARKS)
        line.set(markersize=6, markevery=every)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=11, frameon=False)
    ax.set_ylim(bottom=0)
    return ax


def layer_means(
    collected: Sequence[Differences], measure: str = "argmax", ax: Axes | None = None
) -> Axes:
    """Plot mean (marker) and standard deviation (bar) of each layer, over all frame pairs.

    Parameters
    ----------
    collected : sequence of Differences
    measure : {'argmax', 'relative'}
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `measure` is unknown or there are no Differences.
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


def growth(
    collected: Mapping[int, Sequence[Differences]], measure: str = "argmax", ax: Axes | None = None
) -> Axes:
    """Plot the mean change over the distance of the two frames, one line per layer.

    Layers that were not measured at every distance are left out.

    Parameters
    ----------
    collected : mapping of int to sequence of Differences
        {distance in frames: Differences of frames this far apart}.
    measure : {'argmax', 'relative'}
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `measure` is unknown or a distance has no Differences.
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
        lines, "distance between frames (frames)", label, ax, [styles[layer] for layer in lines]
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=11, frameon=False)
    ax.set_xticks(list(summaries))
    ax.set_ylim(bottom=0)
    return ax


def _styles(layers):
    """Return {layer: (colour, marker)}, in the order of first mention."""
    layers = list(dict.fromkeys(layers))
    return {layer: STYLES[i % len(STYLES)] for i, layer in enumerate(layers)}
