"""Curves over evaluation results: accuracy against cost, and against the period of a clock.

Also the colours, markers and axes that all plots share.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import TypeVar

from matplotlib.axes import Axes

from lib.compare import agreement
from lib.evaluate import Result
from lib.plot.inputs import as_axes, as_results, check_mapping

Value = TypeVar("Value")

# Okabe and Ito's colours, distinct to the colour-blind; a marker each for print without colour
STYLES = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
    ("#000000", "X"),
    ("#999933", "*"),
)
SCORES = {
    "acc": "overall accuracy (%)",
    "cl_acc": "mean class accuracy (%)",
    "mean_iu": "mean IU (%)",
    "fw_iu": "frequency-weighted IU (%)",
}
COSTS = {
    "macs": ("multiply-adds per frame (G)", lambda result: result.macs_per_frame / 1e9),
    "ms": ("time per frame (ms)", lambda result: result.ms_per_frame),
    "latency": ("latency, frame to output (ms)", lambda result: result.latency_ms),
    "fired": ("frames on which the deep stage ran (%)", lambda result: 100 * _fired(result)),
}


def accuracy_against_cost(
    series: Mapping[str, Sequence[Result]],
    cost: str = "macs",
    score: str = "mean_iu",
    ax: Axes | None = None,
    oracle: Result | None = None,
) -> Axes:
    """Plot scores over cost, one line per schedule.

    Parameters
    ----------
    series : mapping of str to sequence of Result
        {name: Results, e.g. one per threshold}; a single Result is drawn as a point.
    cost : {'macs', 'ms', 'latency', 'fired'}
    score : {'acc', 'cl_acc', 'mean_iu', 'fw_iu'}
    ax : Axes, optional
        Where to draw; a new figure by default.
    oracle : Result, optional
        Of the same clips: score against its output instead of the labels (all evaluated with
        ``keep=True``).

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `cost` or `score` is unknown, a Result has no deep stage for the cost 'fired', or
        lib.compare.agreement raises it.
    """
    check_mapping("series", series, "{name: Results}")
    label, value = choice("cost", COSTS, cost)
    lines = {
        name: sorted((value(r), _percent(r, score, oracle)) for r in as_results(results, name))
        for name, results in series.items()
    }
    return curves(lines, label, _score_label(score, oracle is not None), ax)


def period_sweep(
    series: Mapping[str, Mapping[int, Result]],
    score: str = "mean_iu",
    ax: Axes | None = None,
    oracles: Mapping[int, Result] | None = None,
) -> Axes:
    """Plot scores over the period of the clock, one line per schedule.

    Parameters
    ----------
    series : mapping of str to mapping of int to Result
        {name: {period in frames: Result}}.
    score : {'acc', 'cl_acc', 'mean_iu', 'fw_iu'}
    ax : Axes, optional
        Where to draw; a new figure by default.
    oracles : mapping of int to Result, optional
        {period: Result}: score against the output of these instead of the labels (all evaluated
        with ``keep=True``).

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `score` is unknown, or lib.compare.agreement raises it.
    """
    for name, results in (("series", series), *series.items()):
        check_mapping(name, results, "{name: {period in frames: Result}}")
    oracles = oracles or {}
    lines = {
        name: sorted((n, _percent(r, score, oracles.get(n))) for n, r in results.items())
        for name, results in series.items()
    }
    ax = curves(lines, "clock period (frames)", _score_label(score, bool(oracles)), ax)
    ax.set_xticks(sorted({period for results in series.values() for period in results}))
    return ax


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    x_label: str,
    y_label: str,
    ax: Axes | None = None,
    styles: Sequence[tuple[str, str]] = STYLES,
) -> Axes:
    """Plot lines with a legend, each in its own colour and marker.

    Parameters
    ----------
    lines : mapping of str to sequence of (float, float)
        {name: points (x, y)}.
    x_label, y_label : str
        With units.
    ax : Axes, optional
        Where to draw; a new figure by default.
    styles : sequence of (str, str)
        Colour and marker of each line, repeated if there are more lines.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there are no lines, one is not of points (x, y), or there are no styles.
    """
    check_mapping("lines", lines, "{name: points (x, y)}")
    styles = list(styles)
    if not styles or not all(len(style) == 2 for style in styles):
        raise ValueError(
            f"styles are {styles!r:.80}: give at least one pair of colour and marker, such as "
            '("black", "o")'
        )
    points_of = {name: _as_points(name, points) for name, points in lines.items()}
    ax = as_axes(ax, figsize=(6.5, 4.2))
    for (name, points), (colour, marker) in zip(points_of.items(), cycle(styles), strict=False):
        x, y = zip(*points, strict=True)
        ax.plot(x, y, color=colour, marker=marker, markersize=8, linewidth=1.8, label=name)
    ax.legend(fontsize=11, framealpha=0.9)
    return label_axes(ax, x_label, y_label)


def label_axes(ax: Axes, x_label: str, y_label: str) -> Axes:
    """Label the axes, give them the look of all our plots, and return them."""
    ax.set_xlabel(x_label, fontsize=12)
    ax.set_ylabel(y_label, fontsize=12)
    ax.tick_params(labelsize=11)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def choice(what: str, table: Mapping[str, Value], key: str) -> Value:
    """Return table[key]; raise ValueError with the valid keys if it is not there."""
    if key not in table:
        raise ValueError(f"no {what} {key!r}: choose one of {', '.join(table)}")
    return table[key]


def _fired(result):
    """Return the share of frames on which the deep stage ran."""
    if "deep" not in result.fired:
        raise ValueError(
            f"{result.name}: ran no stage 'deep', but {', '.join(result.fired)}: draw it over "
            "another cost, such as 'macs'"
        )
    return result.fired["deep"]


def _as_points(name, points):
    """Return points as a list of pairs; raise ValueError if they are none."""
    listed = list(points) if isinstance(points, Iterable) else []
    if not listed or any(not hasattr(p, "__len__") or len(p) != 2 for p in listed):
        raise ValueError(
            f"{name}: a line is a list of points (x, y), at least one, got {listed!r:.60}: "
            "list(enumerate(values)) makes one of values"
        )
    return listed


def _percent(result, score, oracle=None):
    choice("score", SCORES, score)
    scores = agreement(result, oracle, result.scores.n_classes) if oracle else result.scores
    return 100 * getattr(scores.summary(), score)


def _score_label(score, against_oracle):
    if against_oracle:
        return f"agreement with the oracle,\n{SCORES[score]}"
    return SCORES[score]
