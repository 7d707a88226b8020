"""Errors near boundaries as pictures, and scores near boundaries beside those of all pixels."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from lib.labels import IGNORE
from lib.plot.curves import STYLES, label_axes

RIGHT, WRONG = (86, 180, 233), (213, 94, 0)  # Okabe and Ito's sky blue and vermilion
APART = 0.22  # of the marks of a schedule, in rows, so that equal scores do not hide one another
FADED = 0.35  # what is left of a picture's contrast where it is not what matters


def paint_errors(image, label, out, region):
    """The picture with the pixels of a region in colour: RIGHT where the output is, else WRONG.

    image       H x W x 3 uint8 RGB (a PIL image is taken too), shown pale
    label, out  H x W uint8; where the label is 255 (ignored) nothing is coloured
    region      H x W bool

    Returns H x W x 3 uint8. Raises ValueError where the sizes differ.
    """
    image = np.asarray(image)
    if not image.shape[:2] == label.shape == out.shape == region.shape:
        raise ValueError(
            f"sizes differ: image {image.shape[:2]}, label {label.shape}, output "
            f"{out.shape}, region {region.shape}: give all four of one frame"
        )
    grey = image.mean(2, keepdims=True)
    painted = np.repeat(255 - FADED * (255 - grey), 3, axis=2).astype(np.uint8)
    counted = region & (label != IGNORE)
    painted[counted & (label == out)] = RIGHT
    painted[counted & (label != out)] = WRONG
    return painted


def wrong_share(label, out, region):
    """The share, 0..1, of the labelled pixels of a region that an output has wrong; 0 of none.

    region  callable, label H x W -> H x W bool
    """
    counted = region(label) & (label != IGNORE)
    return float((label != out)[counted].mean()) if counted.any() else 0.0


def region_bars(series, region_title, width=11):
    """A figure of two panels, mean IU on all pixels and in a region: a mark for each Result.

    series        {title of a setting: list of Results of lib.evaluate with region_scores}, the same
                  schedules in each; a setting has its colour and marker, a schedule its line
    region_title  of the second panel

    Returns the figure. Raises ValueError where the settings hold other schedules.
    """
    names = [result.name for result in next(iter(series.values()))]
    for title, results in series.items():
        if [result.name for result in results] != names:
            raise ValueError(
                f"{title}: holds {[result.name for result in results]}, the first "
                f"{names}: run the same schedules, in the same order"
            )
    panels = {"all pixels": "scores", region_title: "region_scores"}
    offsets = APART * (np.arange(len(series)) - (len(series) - 1) / 2)
    fig, axes = plt.subplots(
        1, len(panels), sharey=True, layout="constrained", figsize=(width, 0.5 * len(names) + 1.5)
    )
    for ax, (panel, kept) in zip(axes, panels.items(), strict=True):
        shares = np.array(
            [
                [100 * getattr(result, kept).summary().mean_iu for result in results]
                for results in series.values()
            ]
        )
        for offset, (colour, marker), title, values in zip(
            offsets, STYLES, series, shares, strict=False
        ):
            ax.plot(
                values,
                np.arange(len(names)) + offset,
                linestyle="",
                color=colour,
                marker=marker,
                markersize=9,
                label=title,
            )
        label_axes(ax, "mean IU (%)", "").set_title(panel, fontsize=12)
        ax.set_xlim(left=0)
        ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)  # the first on top
    fig.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        fontsize=11,
        ncols=len(series),
        frameon=False,
    )
    return fig
