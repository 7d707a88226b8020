"""Errors near boundaries as pictures, and scores near boundaries beside those of all pixels."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lib.evaluate import Result
from lib.labels import IGNORE
from lib.plot.curves import STYLES, label_axes
from lib.plot.labels import Picture
from lib.score_util import Region

RIGHT, WRONG = (86, 180, 233), (213, 94, 0)  # Okabe and Ito's sky blue and vermilion
APART = 0.22  # distance of the marks of a schedule, in rows: equal scores do not hide each other
FADED = 0.35  # contrast that a picture keeps outside the region


def paint_errors(
    image: Picture, label: np.ndarray, out: np.ndarray, region: np.ndarray
) -> np.ndarray:
    """Colour the pixels of a region by whether the output is RIGHT or WRONG there.

    Parameters
    ----------
    image : H x W x 3 uint8 array or PIL image
        RGB; shown in pale grey.
    label, out : H x W uint8 arrays
        Pixels whose label is 255 (ignored) are not coloured.
    region : H x W bool array

    Returns
    -------
    H x W x 3 uint8 array

    Raises
    ------
    ValueError
        If the sizes differ.
    """
    rgb = np.asarray(image)
    if not rgb.shape[:2] == label.shape == out.shape == region.shape:
        raise ValueError(
            f"sizes differ: image {rgb.shape[:2]}, label {label.shape}, output "
            f"{out.shape}, region {region.shape}: give all four of one frame"
        )
    grey = rgb.mean(2, keepdims=True)
    painted = np.repeat(255 - FADED * (255 - grey), 3, axis=2).astype(np.uint8)
    counted = region & (label != IGNORE)
    painted[counted & (label == out)] = RIGHT
    painted[counted & (label != out)] = WRONG
    return painted


def wrong_share(label: np.ndarray, out: np.ndarray, region: Region) -> float:
    """Return the share of labelled pixels in a region that an output has wrong.

    Parameters
    ----------
    label, out : H x W uint8 arrays
    region : callable
        Label (H x W) to mask (H x W bool).

    Returns
    -------
    float
        From 0 to 1; 0 if the region has no labelled pixel.
    """
    counted = region(label) & (label != IGNORE)
    return float((label != out)[counted].mean()) if counted.any() else 0.0


def region_bars(
    series: Mapping[str, Sequence[Result]], region_title: str, width: float = 11
) -> Figure:
    """Draw two panels, mean IU on all pixels and in a region, with a mark for each Result.

    Parameters
    ----------
    series : mapping of str to sequence of Result
        {title of a setting: Results with region_scores}, the same schedules in each. A setting
        has its colour and marker, a schedule its row.
    region_title : str
        Of the second panel.
    width : float
        Of the figure, in inches.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the settings have different schedules.
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
    for ax, (panel, scores) in zip(axes, panels.items(), strict=True):
        shares = np.array(
            [
                [100 * getattr(result, scores).summary().mean_iu for result in results]
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
                clip_on=False,
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
