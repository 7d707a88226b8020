"""A clock along time: which stages ran on which frame, and which frames a clip takes and scores."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch, Rectangle

from lib.plot.curves import STYLES, label_axes
from lib.plot.labels import Palette, Picture, paint
from lib.schedule import Step
from lib.stages import FCN8S, Stage

# darker with depth, so that the order shows without colour too (Okabe and Ito's blues)
SHADES = ("#9BD0F0", "#56B4E9", "#0072B2", "#C9C9C9")
LATER: dict[str, Any] = {"edgecolor": "white", "hatch": "////"}  # white, to be seen on dark shades


def filmstrip(
    images: Sequence[Picture],
    runs: Mapping[str, Sequence[Step]],
    palette: Palette,
    stages: Sequence[Stage] = FCN8S,
    width: float = 12,
    first: int = 0,
) -> Figure:
    """Draw the frames of a clip in a row, and below them the outputs of each schedule.

    Under each output is a column of cells, one per stage, filled if the stage ran and hatched if
    it ran after the output (in a pipeline).

    Parameters
    ----------
    images : sequence of H x W x 3 uint8 arrays or PIL images
        RGB.
    runs : mapping of str to sequence of Step
        {schedule name: Steps of lib.schedule, one per frame}.
    palette : n x 3 uint8 array or ListedColormap
    stages : sequence of Stage
    width : float
        Of the figure, in inches.
    first : int
        Number of the first frame, for the titles.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If a schedule has not as many Steps as there are images.
    """
    for name, steps in runs.items():
        if len(steps) != len(images):
            raise ValueError(f"{name}: {len(steps)} steps for {len(images)} images, give as many")
    high, wide = np.asarray(images[0]).shape[:2]
    tall = width / len(images) * high / wide
    heights = [tall] + [tall, 0.09 * len(stages)] * len(runs)
    fig, axes = plt.subplots(
        len(heights),
        len(images),
        squeeze=False,
        layout=ConstrainedLayoutEngine(h_pad=0.02, hspace=0, w_pad=0.02, wspace=0),
        figsize=(width, sum(heights) + 0.05 * len(heights) + 0.6),
        gridspec_kw={"height_ratios": heights},
    )
    for t, image in enumerate(images):
        axes[0, t].set_title(f"frame {first + t}", fontsize=11)
        _picture(axes[0, t], image)
        for i, steps in enumerate(runs.values()):
            _picture(axes[2 * i + 1, t], paint(steps[t].label, palette))
            _cells(axes[2 * i + 2, t], steps[t], stages)
    for i, name in enumerate(runs):
        axes[2 * i + 1, 0].set_ylabel(name, fontsize=11)
    handles = [
        Patch(facecolor=shade, edgecolor="0.3", label=stage.name)
        for stage, shade in zip(stages, cycle(SHADES), strict=False)
    ]
    if any(step.then for steps in runs.values() for step in steps):
        handles.append(Patch(**LATER, facecolor=SHADES[2], label="ran after the output"))
    handles.append(Patch(facecolor="white", edgecolor="0.3", label="did not run"))
    fig.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), fontsize=11, frameon=False
    )
    return fig


def timeline(
    clips: Mapping[str, Sequence[tuple[int, bool]]], last: int, ax: Axes | None = None
) -> Axes:
    """Draw one line per clip: a circle for each frame that is run, filled if it is also scored.

    Parameters
    ----------
    clips : mapping of str to sequence of (int, bool)
        {name: (frame number, whether it has a label)}, the first on top.
    last : int
        Number of the last frame of the video; small dots mark all frames from 1 on.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
    """
    ax = ax or plt.subplots(figsize=(9, 0.45 * len(clips) + 1.3), layout="constrained")[1]
    colour = STYLES[0][0]
    for y, frames in enumerate(clips.values()):
        for scored, face, what in ((False, "white", "run"), (True, colour, "run and scored")):
            shown = [number for number, labelled in frames if labelled == scored]
            ax.plot(
                shown,
                [y] * len(shown),
                "o",
                color=colour,
                markerfacecolor=face,
                markersize=9,
                label=what if y == 0 else None,
                zorder=2,
            )
        ax.plot(
            range(1, last + 1),
            [y] * last,
            ".",
            color=".4",
            markersize=3,
            zorder=3,
            label="frame of the shot" if y == 0 else None,
        )
    ax.set_yticks(range(len(clips)), list(clips))
    ax.set_ylim(len(clips) - 0.4, -0.6)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=11, frameon=False)
    return label_axes(ax, "frame number", "")


def _picture(ax, picture):
    ax.imshow(picture, interpolation="nearest")
    ax.set(xticks=[], yticks=[])


def _cells(ax, step, stages):
    """Draw a cell per stage, the first on top."""
    for y, (stage, shade) in enumerate(zip(stages, cycle(SHADES), strict=False)):
        ran, later = stage.name in step.ran, stage.name in step.then
        look = LATER if later else {"edgecolor": "0.3"}
        ax.add_patch(
            Rectangle(
                (0, len(stages) - 1 - y),
                1,
                1,
                **look,
                linewidth=0.8,
                facecolor=shade if ran or later else "white",
            )
        )
    ax.set(xlim=(0, 1), ylim=(0, len(stages)))
    ax.axis("off")
