"""The results as one picture: engines, growth with size and width, and share of changed pixels."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from benchmarks.bars import rows_by_engine, seconds
from benchmarks.tables import milliseconds

OURS, OTHERS = "#c0392b", "#7f8c8d"


def plot(results: Mapping[str, Any], path: Path) -> None:
    """Draw the results of a run into a PNG file; what was not measured leaves no panel."""
    panels = []
    for key in ("full", "light"):
        if key in results:
            panels.append((_engines, results[key]))
    for key, draw in (("size", _sizes), ("channels", _widths), ("changed", _changed)):
        if key in results:
            panels.append((draw, results[key]))
    rows = (len(panels) + 1) // 2
    figure = Figure(figsize=(11, 3.6 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, (draw, part) in zip(grid, panels):
        draw(axes, part)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    machine = results["machine"]
    figure.suptitle(
        f"{machine['processor']}, {machine['threads']} threads, {machine['date']}", fontsize=10
    )
    figure.savefig(path, dpi=110)


def _engines(axes, result):
    """Draw a bar for each engine; whiskers go from the fastest to the slowest frame."""
    rows = sorted(rows_by_engine(result).values(), key=lambda row: -median(row["seconds"]["frame"]))
    middles = [1000 * median(row["seconds"]["frame"]) for row in rows]
    low = [m - 1000 * min(row["seconds"]["frame"]) for m, row in zip(middles, rows)]
    high = [1000 * max(row["seconds"]["frame"]) - m for m, row in zip(middles, rows)]
    colours = [OURS if row["engine"].startswith("clockwork") else OTHERS for row in rows]
    axes.barh(
        [row["title"] for row in rows],
        middles,
        xerr=[low, high],
        color=colours,
        error_kw={"elinewidth": 1, "capsize": 2},
    )
    right = [m + h for m, h in zip(middles, high)]
    for y, (middle, end) in enumerate(zip(middles, right)):
        axes.text(end + 0.02 * max(right), y, milliseconds(middle / 1000), va="center", fontsize=8)
    axes.set_xlim(0, 1.12 * max(right))
    axes.set_title(result["case"]["title"])
    axes.set_xlabel("milliseconds for a frame")


def _lines(axes, points, xs):
    names = {row["engine"]: row["title"] for point in points for row in point["rows"]}
    for name, title in names.items():
        known = [(x, seconds(point, name)) for x, point in zip(xs, points)]
        known = [(x, s) for x, s in known if s]
        style = {"color": OURS, "linewidth": 2.5} if name == "clockwork" else {}
        axes.plot([x for x, _ in known], [s for _, s in known], marker="o", label=title, **style)
    axes.set_ylabel("seconds for a frame")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False)


def _sizes(axes, points):
    _lines(axes, points, [point["case"]["height"] for point in points])
    axes.set_xlabel("height and width of the frame")
    axes.set_title("Frame size")


def _widths(axes, points):
    _lines(axes, points, [100 * point["case"]["channels"] for point in points])
    axes.set_xlabel("channels, percent of VGG-16's")
    axes.set_title("Width of the net, 500 x 500")


def _changed(axes, changed):
    """Draw time over the share of changed pixels, beside a full frame and the counted bound."""
    points = changed["points"]
    shares = [100 * point["share"] for point in points]
    axes.plot(shares, [p["seconds"] for p in points], marker="o", color=OURS, label="all stages")
    axes.plot(
        shares,
        [p["seconds_without_deep"] for p in points],
        marker="o",
        linestyle="--",
        color=OURS,
        label="without the deep stage",
    )
    axes.plot(shares, [p["bound"] for p in points], color=OTHERS, label="counted bound")
    axes.axhline(changed["full"], color="black", linewidth=1, label="a full frame")
    axes.set_xlabel("pixels that changed, percent")
    axes.set_ylabel("seconds for a frame")
    axes.set_ylim(bottom=0)
    axes.set_title("Static camera, FCN-8s, 500 x 500")
    axes.legend(fontsize=8, frameon=False)
