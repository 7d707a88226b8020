"""A clock along time: which stages ran on which frame, and which frames a clip takes and scores."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch, Rectangle

from lib.checks import check_whole, is_whole
from lib.plot.curves import STYLES, label_axes
from lib.plot.inputs import Palette, Picture, as_axes, as_picture, as_pictures, check_mapping
from lib.plot.labels import paint
from lib.schedule import Step
from lib.stages import FCN8S, Stage

MOST_FRAMES = 1_000_000  # of a timeline
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
        Those that the schedules ran, e.g. WHOLE of lib.stages for a net that is not cut.
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
        If a schedule has not as many Steps as there are images, or ran other stages.
    """
    images, runs = as_pictures(images), _as_runs(runs, stages)
    for name, steps in runs.items():
        if len(steps) != len(images):
            raise ValueError(f"{name}: {len(steps)} steps for {len(images)} images, give as many")
    shown = [as_picture(image, f"image {t}") for t, image in enumerate(images)]
    high, wide = shown[0].shape[:2]
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
    for t, image in enumerate(shown):
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

    Raises
    ------
    ValueError
        If the clips are not lists of (frame number, bool), or `last` is no number of a frame.
    """
    check_mapping("clips", clips, "{name: [(frame number, whether it has a label), ...]}")
    check_whole("the number of the last frame", last, 1, MOST_FRAMES)
    for name, frames in clips.items():
        _check_frames(name, frames)
    last = int(last)
    ax = as_axes(ax, figsize=(9, 0.45 * len(clips) + 1.3))
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


def _as_runs(runs, stages):
    """Return {schedule name: list of Steps}; raise ValueError for what are no Steps of `stages`."""
    check_mapping("runs", runs, "{name of the schedule: its Steps}")
    if not isinstance(stages, (tuple, list)) or not all(isinstance(s, Stage) for s in stages):
        raise ValueError(f"stages are {stages!r:.60}: give FCN8S or WHOLE of lib.stages, or Stages")
    known = {stage.name for stage in stages}
    listed = {name: list(steps) for name, steps in runs.items()}
    for name, steps in listed.items():
        for step in steps:
            if not isinstance(step, Step):
                raise ValueError(
                    f"{name}: holds a {type(step).__name__}: give Steps, "
                    "result.kept(clip.name).steps() of lib.evaluate"
                )
            if other := {*step.ran, *step.then} - known:
                raise ValueError(
                    f"{name}: its steps ran the stages {', '.join(sorted(other))}, those to draw "
                    f"are {', '.join(stage.name for stage in stages)}: give filmstrip the stages "
                    "of the schedule, stages=WHOLE of a net that is not cut"
                )
    return listed


def _check_frames(name, frames):
    for item in frames:
        pair = isinstance(item, (tuple, list)) and len(item) == 2
        if not pair or not is_whole(item[0]) or item[1] not in (False, True):
            raise ValueError(
                f"{name}: holds {item!r:.60}: give a (frame number, whether it has a label) for "
                "each frame"
            )


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
