"""Cut any net into stages: by names of layers, or at equal shares of the measured cost.

A stage is a range of layers, so a cut is the layer that begins a stage. It may be anywhere but
before a layer that works in place on what an earlier stage computed: such a stage could not run
twice.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np

from lib.checks import check_whole, is_whole
from lib.stages import Net, Stage, check_stages

Auto = Literal["auto"]
# what functions take as `stages`, see `as_stages`
Stages = Sequence[Stage] | Sequence[str] | Mapping[str, str] | Auto | tuple[Auto, int]

PARTS = 4  # stages of 'auto', as many as FCN-8s has
SKIP = 0.05  # share of the cost that a connection passes by, from which its end fuses
CHEAP = 0.01  # share of the cost up to which a layer begins no stage
TAIL = 1 / 3  # largest share of the cost of a stage that fuses

_chosen: WeakKeyDictionary[Any, dict[int, tuple[Stage, ...]]] = WeakKeyDictionary()


def as_stages(net: Net, stages: Stages) -> tuple[Stage, ...]:
    """Return the stages of a net, as Stages, from any way to state them.

    Parameters
    ----------
    net : Net
    stages : sequence of Stage, sequence of str, mapping of str to str, 'auto' or ('auto', n)
        Stages; the layers at which to cut (see `cut_at`), with names or without; or n stages by
        `auto_stages`, 4 or as many as the net allows by default. A net is measured once: later
        calls return the same stages.

    Returns
    -------
    tuple of Stage

    Raises
    ------
    ValueError
        If they are none of these, or do not fit the net (see lib.stages.check_stages).
    """
    if isinstance(stages, str) and stages == "auto":
        return _auto_once(net, 0)
    if isinstance(stages, tuple) and stages[:1] == ("auto",):
        if len(stages) != 2 or not is_whole(stages[1]):
            raise ValueError(f"stages are {stages!r}: give ('auto', n), a number of stages")
        return _auto_once(net, int(stages[1]))  # type: ignore[arg-type]
    if isinstance(stages, Mapping):
        return cut_at(net, list(stages.values()), list(stages))
    if not isinstance(stages, str) and isinstance(stages, Sequence) and stages:
        if all(isinstance(stage, str) for stage in stages):
            return cut_at(net, stages)  # type: ignore[arg-type]
    check_stages(net, stages)  # type: ignore[arg-type]
    return tuple(stages)  # type: ignore[arg-type]


def cut_at(
    net: Net, layers: Sequence[str], names: Sequence[str] | None = None
) -> tuple[Stage, ...]:
    """Cut a net before the given layers.

    Parameters
    ----------
    net : Net
    layers : sequence of str
        Layers that begin a stage, in the order of the net. What comes before the first of them is
        a stage too, unless only inputs do or `names` has one name for each of `layers`.
    names : sequence of str, optional
        Of the stages. By default shallow, middle, deep and fuse for four, see `stage_names`.

    Returns
    -------
    tuple of Stage

    Raises
    ------
    ValueError
        If the net has no such layer, the layers are not in its order, a cut separates a layer from
        one that works in place on its output, or the names are not as many as the stages.
    """
    order, first = list(net._layer_names), _first(net)
    for layer in layers:
        if layer not in order:
            raise ValueError(
                f"the net has no layer {layer!r} to cut at, its layers are {', '.join(order)}"
            )
    starts = [order.index(layer) for layer in layers]
    if sorted(set(starts)) != starts:
        raise ValueError(
            f"the cuts {', '.join(layers)} are not in the order of the net: give each layer once, "
            f"{', '.join(order[i] for i in sorted(set(starts)))}"
        )
    if not starts or (starts[0] > first and len(names or ()) != len(starts)):
        starts = [first, *starts]
    allowed = _allowed(net)
    for start in starts[1:]:
        if start not in allowed:
            below = max((a for a in allowed if a < start), default=first)
            raise ValueError(
                f"a cut before {order[start]!r} separates layers that work in place on one blob: "
                f"cut before {order[below]!r}"
            )
    names = stage_names(len(starts)) if names is None else list(names)
    if len(names) != len(starts):
        raise ValueError(
            f"{len(names)} names for {len(starts)} stages, which begin with "
            f"{', '.join(order[i] for i in starts)}: give a name for each"
        )
    ends = [*(start - 1 for start in starts[1:]), len(order) - 1]
    stages = tuple(Stage(*of) for of in zip(names, _at(order, starts), _at(order, ends)))
    check_stages(net, stages)
    return stages


def auto_stages(
    net: Net, n: int | None = None, costs: Mapping[str, float] | None = None
) -> tuple[Stage, ...]:
    """Cut a net into n stages of about equal cost.

    If the net ends in layers that fuse late features with early ones (a connection that passes by
    at least a twentieth of the cost, at the head of at most a third of it), these are the last
    stage, however cheap, as in FCN-8s: with it, fresh early features renew the output while
    earlier stages rest.

    Parameters
    ----------
    net : Net
        At the size of its frames: the cost depends on it.
    n : int, optional
        Number of stages; by default 4, or fewer if the net has fewer layers to cut at.
    costs : mapping of str to float, optional
        Of each layer by name, such as lib.cost.multiply_adds(net). By default the seconds that
        `layer_seconds` measures here; a layer that is not named costs nothing.

    Returns
    -------
    tuple of Stage
        Named as by `stage_names`.

    Raises
    ------
    ValueError
        If the net cannot be cut into n stages, or costs nothing.
    """
    if n is not None:
        check_whole("the number of stages", n, least=1)
    order, first = list(net._layer_names), _first(net)
    costs = layer_seconds(net) if costs is None else costs
    spent = np.cumsum([0.0, *(float(costs.get(name, 0)) for name in order)])
    if not spent[-1] > 0:
        raise ValueError("the layers of the net cost nothing: give costs by layer name, above 0")
    allowed = [i for i in _allowed(net) if i > first]
    fuse = _fusing(net, allowed, spent)
    body = [i for i in allowed if _begins(net, order[i]) and (fuse is None or i < fuse)]
    # cheap layers, such as those of scores, belong to the features that they read
    working = [i for i in body if float(costs.get(order[i], 0)) >= CHEAP * spent[-1]]
    body = working if n is None or len(working) + (fuse is not None) >= n - 1 else body
    cuts_there = len(body) + (fuse is not None)
    if n is not None and n - 1 > cuts_there:
        raise ValueError(
            f"the net cannot be cut into {n} stages: it can be cut before "
            f"{', '.join(_at(order, [*body, *([] if fuse is None else [fuse])])) or 'no layer'}, "
            f"so give at most {cuts_there + 1}"
        )
    n = min(PARTS, cuts_there + 1) if n is None else int(n)
    tail = [fuse] if fuse is not None and n > 1 else []
    end = tail[0] if tail else len(order)
    starts = _balanced(spent, first, body, end, n - len(tail))
    return cut_at(net, _at(order, [*starts, *tail]), stage_names(n))


def stage_names(n: int) -> list[str]:
    """Return names for n stages: shallow, middle, deep and fuse for four.

    The last stage is 'fuse' from three on, the one before it 'deep', so that clocks which name
    the deep stage work for nets that are cut in another number of parts.
    """
    if n <= 2:
        return ["whole"] if n == 1 else ["shallow", "deep"]
    middle = ["middle"] if n == 4 else [f"middle{i}" for i in range(1, n - 2)]
    return ["shallow", *middle, "deep", "fuse"]


def layer_seconds(net: Net, repeats: int = 3) -> dict[str, float]:
    """Measure how long each layer takes on its own, at the current sizes of the blobs.

    Parameters
    ----------
    net : Net
        Runs on what its input holds; afterwards its blobs hold the results.
    repeats : int
        How often each is run; the shortest time counts, as others are longer by chance.

    Returns
    -------
    dict of str to float
        Seconds by layer name.
    """
    check_whole("repeats", repeats, least=1)
    net.forward()  # the first run allocates
    seconds = {}
    for name in list(net._layer_names):
        taken = []
        for _ in range(repeats if net.bottom_names[name] else 0):
            start = time.perf_counter()
            net.forward(start=name, end=name)
            taken.append(time.perf_counter() - start)
        seconds[name] = min(taken, default=0.0)
    return seconds


def _auto_once(net, n):
    """Return auto_stages(net, n), the same at each call: a second measurement may cut elsewhere."""
    try:
        of_net = _chosen.setdefault(net, {})
    except TypeError:  # a net that cannot be referred to weakly
        of_net = {}
    if n not in of_net:
        of_net[n] = auto_stages(net, n or None)
    return of_net[n]


def _at(order, numbers):
    return [order[i] for i in numbers]


def _first(net):
    """Return the number of the first layer that reads a blob: those before it are inputs."""
    order = list(net._layer_names)
    return next((i for i, name in enumerate(order) if net.bottom_names[name]), 0)


def _begins(net, layer):
    """Tell if a stage may well begin here: at a layer with weights, or one of several inputs."""
    return layer in net.params or len(net.bottom_names[layer]) > 1


def _allowed(net):
    """Return the numbers of the layers before which a cut leaves no in-place layer on its own."""
    order = list(net._layer_names)
    made: dict[str, int] = {}
    forbidden: set[int] = set()
    for i, name in enumerate(order):
        for top in net.top_names[name]:
            if top in net.bottom_names[name] and top in made:
                forbidden.update(range(made[top] + 1, i + 1))
            else:
                made[top] = i
    return [i for i in range(len(order)) if i not in forbidden]


def _fusing(net, allowed, spent):
    """Return the number of the layer with which the last stage begins, None if nothing fuses."""
    order, made = list(net._layer_names), {}
    for i, name in enumerate(order):
        passed = max((spent[i] - spent[made[b] + 1] for b in net.bottom_names[name] if b in made),
                     default=0)  # fmt: skip
        long = passed >= SKIP * spent[-1] and spent[-1] - spent[i] <= TAIL * spent[-1]
        if long and len(net.bottom_names[name]) > 1 and i in allowed:
            return i
        made |= dict.fromkeys(net.top_names[name], i)
    return None


def _balanced(spent, first, cuts, end, n):
    """Return the starts of n parts of first..end, the dearest of which is as cheap as can be."""
    if n == 1:
        return [first]
    places = [first, *cuts, end]
    cost = {(a, b): spent[b] - spent[a] for j, b in enumerate(places) for a in places[:j]}
    best = {b: (cost[first, b], [first]) for b in places[1:]}
    for _ in range(n - 1):
        before = {b: [a for a in best if a < b] for b in places}
        best = {
            b: min((max(best[a][0], cost[a, b]), [*best[a][1], a]) for a in starts)
            for b, starts in before.items()
            if starts
        }
    return best[end][1]
