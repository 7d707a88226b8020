"""Cut a model by measured cost: n stages that take about the same time.

Every operation is timed on this machine. A stage starts where a block of the model starts, or a
layer with weights. Where stages of about the same time can be had at several places, the cut goes
where it keeps less memory: between the blocks of a network rather than inside of one, where the
features and a shortcut around them cross.
"""

import time
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import fx

from lib.checks import check_whole
from lib.clocked.cut import with_preparation
from lib.clocked.trace import WEIGHTED, Trace, layer_type, writes_into

REPEATS = 3
MEMORY = 0.1  # weight of the memory that a cut keeps, against stages of equal time


def stage_names(n: int) -> tuple[str, ...]:
    """Name n stages as lib.schedule calls them.

    Parameters
    ----------
    n : int
        At least 1.

    Returns
    -------
    tuple of str
        The last of three or more is ``"fuse"``, the one before it ``"deep"``. So
        ``schedule.alternating`` and ``schedule.adaptive`` rest the costly middle of a U-shaped net.
    """
    check_whole("n, the number of stages,", n, least=1)
    if n < 3:
        return ("whole",) if n == 1 else ("shallow", "deep")
    middle = ["middle", *(f"middle{i}" for i in range(2, n))]
    return ("shallow", *middle[: n - 3], "deep", "fuse")


def cut_by_cost(trace: Trace, leaves: Sequence[Any], n: int) -> dict[str, str]:
    """Choose the modules at which a model is cut into n stages of about the same cost.

    Parameters
    ----------
    trace : Trace
    leaves : sequence
        Values of the inputs.
    n : int

    Returns
    -------
    dict of str to str
        The module with which each stage starts, by the name of the stage, as `lib.clocked.cut`
        takes it.

    Raises
    ------
    ValueError
        If the model has fewer modules than stages.
    """
    names = stage_names(n)
    starts = _places(trace)
    places = sorted(starts)
    if len(places) < n:
        raise ValueError(
            f"{n} stages of a model that can be cut at {len(places) - 1} modules: ask for fewer "
            "stages, or name the modules"
        )
    seconds, sizes = _measure(trace, leaves)
    ends = [*places[1:], len(trace.operations)]
    costs = [sum(seconds[a:b]) for a, b in zip(places, ends, strict=True)]
    kept = [_kept_bytes(trace, at, sizes) for at in places]
    chosen = choose_cuts(costs, kept, n)
    return dict(zip(names, (starts[places[i]] for i in (0, *chosen)), strict=True))


def choose_cuts(costs: Sequence[float], kept: Sequence[float], n: int) -> list[int]:
    """Choose n - 1 places to cut a row of pieces into stages.

    Parameters
    ----------
    costs : sequence of float
        Of the pieces.
    kept : sequence of float
        Memory that a cut before each piece keeps.
    n : int
        Number of stages, at most that of the pieces.

    Returns
    -------
    list of int
        Numbers of the pieces that start a stage, without the first. Stages cost about the same: the
        sum of the squares of their shares, times n, is 1 if they are equal. It is the smallest
        together with `MEMORY` times the kept memory, in units of the mean over all places.
    """
    upto = [0.0, *accumulate(costs)]
    total, unit = upto[-1] or 1.0, sum(kept[1:]) / max(len(kept) - 1, 1) or 1.0
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}  # by where the next stage starts
    for _ in range(n):
        longer: dict[int, tuple[float, list[int]]] = {}
        for end in range(1, len(costs) + 1):
            for at, (price, cuts) in best.items():
                if at >= end:
                    continue
                share = (upto[end] - upto[at]) / total
                price += n * share**2 + (MEMORY * kept[at] / unit if at else 0)
                if end not in longer or price < longer[end][0]:
                    longer[end] = price, [*cuts, at]
        best = longer
    return best[len(costs)][1][1:]


def _places(trace):
    """Return {number of an operation: module} of the places where a stage may start.

    That is with a block, or a layer with weights: a normalization or a ReLU belongs to the layer
    before it. No operation may write in place into a value from before the cut.
    """
    places: dict[int, str] = {}
    seen = set()
    for i, node in enumerate(trace.operations):
        parts = trace.owners[node].split(".")
        for module in (".".join(parts[:n]) for n in range(1, len(parts) + 1)):
            if module in seen or not module:
                continue
            seen.add(module)
            at = with_preparation(trace, i, module)
            leaf = trace.owners[node] == module and layer_type(node) not in WEIGHTED
            if at not in places and not (at and (leaf or _cuts_a_write(trace, at))):
                places[at] = module
    return {0: "", **places}


def _cuts_a_write(trace, at):
    """Tell if an operation after the place writes straight into a value from before it."""
    before = set(trace.operations[:at])
    return any(arg in before for node in trace.operations[at:] for arg in writes_into(node))


def _kept_bytes(trace, at, sizes):
    """Count the bytes that cross a cut before operation number `at`."""
    after = set(trace.operations[at:])
    return sum(
        sizes[i] for i, n in enumerate(trace.operations[:at]) if any(u in after for u in n.users)
    )


def _measure(trace, leaves):
    """Time each operation, in seconds, and measure what it returns, in bytes."""
    number = {node: i for i, node in enumerate(trace.operations)}
    seconds, sizes = [float("inf")] * len(number), [0] * len(number)
    weights = {name: look_up() for name, look_up in trace.weights.items()}

    class Timed(fx.Interpreter):
        def run_node(self, n):
            if n not in number:
                return super().run_node(n)
            start = _now(leaves)
            result = super().run_node(n)
            i = number[n]
            seconds[i] = min(seconds[i], _now(leaves) - start)
            if isinstance(result, torch.Tensor):
                sizes[i] = result.numel() * result.element_size()
            return result

    names = [n.name for n in trace.graph.graph.nodes if n.op == "placeholder"]
    for _ in range(REPEATS):
        # an operation may write into its input
        fresh = [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        given = {**weights, **dict(zip(trace.inputs, fresh, strict=True))}
        with torch.no_grad():
            Timed(trace.graph).run(*(given[name] for name in names))
    return seconds, sizes


def _now(leaves):
    """Return the time once the device has done its work."""
    for leaf in leaves:
        if isinstance(leaf, torch.Tensor) and leaf.device.type != "cpu":
            torch.accelerator.synchronize(leaf.device)
    return time.perf_counter()
