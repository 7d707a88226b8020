"""Curves over evaluation results: accuracy against cost, and against the period of a clock."""

from itertools import cycle

import matplotlib.pyplot as plt

from lib.compare import agreement

# Okabe and Ito's colours, which the colour-blind tell apart; a marker each for print without colour
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
    "fired": ("frames on which the deep stage ran (%)", lambda result: 100 * result.fired["deep"]),
}


def accuracy_against_cost(series, cost="macs", score="mean_iu", ax=None, oracle=None):
    """Scores over cost, one line a schedule. Returns the axes.

    series  {name: list of Results of lib.evaluate, e.g. one a threshold}; a single one is a point
    cost    'macs', 'ms', 'latency' or 'fired'
    score   'acc', 'cl_acc', 'mean_iu' or 'fw_iu'
    oracle  a Result of the same clips: scores are against its output, not the labels (all kept)
    """
    label, value = choice("cost", COSTS, cost)
    lines = {
        name: sorted((value(r), _percent(r, score, oracle)) for r in results)
        for name, results in series.items()
    }
    return curves(lines, label, _score_label(score, oracle), ax)


def period_sweep(series, score="mean_iu", ax=None, oracles=None):
    """Scores over the period of the clock: {name: {period in frames: Result}}. Returns the axes.

    oracles  {period: Result}: scores are against the output of these, not the labels (all kept)
    """
    oracles = oracles or {}
    lines = {
        name: sorted(
            (period, _percent(r, score, oracles.get(period))) for period, r in results.items()
        )
        for name, results in series.items()
    }
    ax = curves(lines, "clock period (frames)", _score_label(score, oracles), ax)
    ax.set_xticks(sorted({period for results in series.values() for period in results}))
    return ax


def curves(lines, x_label, y_label, ax=None, styles=STYLES):
    """Draw {name: [(x, y), ...]} each with its colour and marker. Returns the axes."""
    ax = ax or plt.subplots(figsize=(6.5, 4.2), layout="constrained")[1]
    for (name, points), (colour, marker) in zip(lines.items(), cycle(styles), strict=False):
        x, y = zip(*points, strict=True)
        ax.plot(x, y, color=colour, marker=marker, markersize=8, linewidth=1.8, label=name)
    ax.legend(fontsize=11, framealpha=0.9)
    return label_axes(ax, x_label, y_label)


def label_axes(ax, x_label, y_label):
    """Give axes their labels and the look of all our plots. Returns them."""
    ax.set_xlabel(x_label, fontsize=12)
    ax.set_ylabel(y_label, fontsize=12)
    ax.tick_params(labelsize=11)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _percent(result, score, oracle=None):
    choice("score", SCORES, score)
    scores = agreement(result, oracle, result.scores.n_classes) if oracle else result.scores
    return 100 * getattr(scores.summary(), score)


def _score_label(score, oracle):
    return f"agreement with the oracle,\n{SCORES[score]}" if oracle else SCORES[score]


def choice(what, table, key):
    """table[key]. Raises ValueError where there is none, with the keys to choose from."""
    if key not in table:
        raise ValueError(f"no {what} {key!r}: choose one of {', '.join(table)}")
    return table[key]
