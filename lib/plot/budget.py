"""What clocks cost, and how far they agree with the net on every frame."""

from matplotlib.axes import Axes

from lib.clocks.budget import Tuning
from lib.plot.curves import curves
from lib.plot.inputs import as_axes


def frontier(tuning: Tuning, ax: Axes | None = None) -> Axes:
    """Plot agreement over cost of all clocks that a tuning tried, one line for each kind.

    A line joins the clocks of its kind that no cheaper one of them surpasses. A dashed line marks
    the budget, a ring the clock that was chosen.

    Parameters
    ----------
    tuning : Tuning
        From lib.clocks.budget.tune_clock.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
    """
    kinds = {clock.name: None for clock in tuning.tried}
    lines = {kind: _best(c for c in tuning.tried if c.name == kind) for kind in kinds}
    ax = as_axes(ax, figsize=(6.5, 4.2))
    ax.axvline(100 * tuning.budget, linestyle="--", color="0.5", label="budget")
    best = tuning.best
    ax.scatter(
        [100 * best.share],
        [100 * best.agreement],
        s=220,
        facecolors="none",
        edgecolors="black",
        linewidths=1.5,
        zorder=3,
        label="chosen",
    )
    agreed = "agreement with the oracle,\nmean IU (%)"
    return curves(lines, "cost (% of the net on every frame)", agreed, ax)


def _best(clocks):
    """Return the points of clocks by cost, without those that a cheaper clock surpasses."""
    points: list[tuple[float, float]] = []
    for clock in sorted(clocks, key=lambda c: (c.share, -c.agreement)):
        if not points or 100 * clock.agreement > points[-1][1]:
            points.append((100 * clock.share, 100 * clock.agreement))
    return points
