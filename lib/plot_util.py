"""The plot helpers under one name, for notebooks: ``from lib.plot_util import rows, filmstrip``.

Each is defined in the module of `lib.plot` that it is imported from here; lib/README.md has a
picture of each.
"""

from lib.plot.budget import frontier
from lib.plot.classes import class_bars, confusion_map, swatches
from lib.plot.clock import filmstrip, timeline
from lib.plot.curves import accuracy_against_cost, curves, period_sweep
from lib.plot.differences import growth, layer_means, traces
from lib.plot.labels import animate, class_cmap, embed, paint, rows, segm_cmap, segshow
from lib.plot.masks import grey_levels, grid, outlines
from lib.plot.regions import paint_errors, region_bars, wrong_share

__all__ = [
    "accuracy_against_cost",
    "animate",
    "class_bars",
    "class_cmap",
    "confusion_map",
    "curves",
    "embed",
    "filmstrip",
    "frontier",
    "grey_levels",
    "grid",
    "growth",
    "layer_means",
    "outlines",
    "paint",
    "paint_errors",
    "period_sweep",
    "region_bars",
    "rows",
    "segm_cmap",
    "segshow",
    "swatches",
    "timeline",
    "traces",
    "wrong_share",
]
