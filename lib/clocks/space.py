"""A clock in space: run of each stage only what has changed, beside the clocks in time.

A camera that stands still, a screen, a video codec that skips blocks: much of a frame is that of
the frame before, and what these pixels alone reach in a stage need not be computed again. A stage
that a clock skipped gathers its changes until it runs. Values are those of whole stages, up to
rounding.

This needs `forward_incremental` of a net, which the pycaffe of this repository has. On another one
the same schedules run whole stages.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from lib.checks import check_at_least_zero
from lib.schedule import Schedule, Step, per_frame
from lib.stages import FCN8S, Net, Stage, check_stages


class ChangedOnly:
    """A net whose `forward` computes only what has changed since each layer last ran.

    All else is the net itself: the two share blobs and weights, and any clock takes it as a Net.

    Parameters
    ----------
    net : Net
    tolerance : float
        Values of a pixel that differ by at most that much from those last used count as unchanged,
        in the units of the input (0..255 for frames).
    exact : bool
        Give the same bits as whole stages, for some of the gain.

    Attributes
    ----------
    in_part : bool
        Whether the net can do this; if not, it runs whole stages.
    multiply_adds : dict of str to int
        What was computed since this dict was put here, by layer.
    ignored : float
        Largest difference that counted as unchanged, of all forwards.
    """

    def __init__(self, net: Net, tolerance: float = 0, exact: bool = False):
        check_at_least_zero("tolerance", tolerance)
        self._net, self._options = net, {"tolerance": tolerance, "exact": exact}
        self.in_part = hasattr(type(net), "forward_incremental")
        self.multiply_adds: dict[str, int] = {}
        self.ignored = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net, name)

    def forward(self, *, start: str | None = None, end: str | None = None) -> object:
        """Run the layers from `start` to `end`, both inclusive, on what has changed."""
        if not self.in_part:
            return self._net.forward(start=start, end=end)
        net: Any = self._net
        result = net.forward_incremental(start=start, end=end, **self._options)
        for layer, count in net.increment.multiply_adds.items():
            self.multiply_adds[layer] = self.multiply_adds.get(layer, 0) + count
        self.ignored = max(self.ignored, net.increment.ignored)
        return result


def changed_only(
    net: Net,
    frames: Iterable[np.ndarray],
    clock: Schedule = per_frame,
    tolerance: float = 0,
    exact: bool = False,
    **options: Any,
) -> Iterator[Step]:
    """Run the stages that another clock runs, but of each only what has changed.

    Parameters
    ----------
    net : Net
    frames : iterable of 3 x H x W float arrays
    clock : callable
        Any schedule, such as `lib.schedule.alternating`: which stages run on which frame.
    tolerance, exact
        See `ChangedOnly`.
    **options
        Of the clock.

    Yields
    ------
    Step
        With the multiply-adds that were done, for `lib.evaluate`.
    """
    part: Any = ChangedOnly(net, tolerance, exact)
    done: dict[str, int] = {}
    for step in clock(part, frames, **options):
        done, part.multiply_adds = part.multiply_adds, {}
        yield step._replace(macs=done) if part.in_part else step
    for layer, count in part.multiply_adds.items():  # what the clock ran after its last output
        done[layer] = done.get(layer, 0) + count


def reached_cost(net: Net, changed: Any, stages: Sequence[Stage] = FCN8S) -> dict[str, int]:
    """Count the multiply-adds that a change of the input reaches, by stage.

    Parameters
    ----------
    net : Net
    changed : bool array H x W, or window ((top, bottom), (left, right))
    stages : sequence of Stage

    Returns
    -------
    dict of str to int
        By stage name; compare with `lib.cost.stage_cost`.

    Raises
    ------
    ValueError
        If the net cannot count them, or lacks a layer that a stage names.
    """
    check_stages(net, stages)
    if not hasattr(type(net), "multiply_adds"):
        raise ValueError(
            "this net does not know what a change reaches: it needs multiply_adds(changed), which "
            "the pycaffe of this repository has"
        )
    counting: Any = net
    counts, names = counting.multiply_adds(changed), list(net._layer_names)
    return {
        stage.name: sum(
            counts[layer] for layer in names[names.index(stage.start) : names.index(stage.end) + 1]
        )
        for stage in stages
    }
