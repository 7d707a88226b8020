"""Cut a recorded model into stages that run one by one and keep what later stages need.

A stage is a range of operations. It starts with those that its parent modules do just before the
module that it starts with, as these mostly prepare its input: a concatenation with a skip, say, has
to see the fresh skip if the stage runs.

What a stage computes and a later stage, or the caller, uses, crosses a cut: a skip connection as
well as the features themselves. These values are kept; all others are freed as in the model itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from lib.clocked.trace import WEIGHTED, Trace, TraceError, Weight, is_part_of, layer_type

Values = dict[str, Any]  # by the name of the operation that computed it, or of the input


@dataclass(frozen=True)
class Part:
    """One stage of a recorded model, ready to run.

    Attributes
    ----------
    name : str
    run : callable
        Takes the tensors of `weights`, then the values of `takes`; returns those of `gives`.
    weights : sequence of callable
        Look up the weights that the stage needs.
    takes, gives : sequence of str
        Names of the values that come in, and that are kept.
    operations : sequence of torch.fx.Node
    """

    name: str
    run: Callable[..., tuple]
    weights: Sequence[Weight]
    takes: Sequence[str]
    gives: Sequence[str]
    operations: Sequence[fx.Node]

    def __call__(self, values: Values) -> None:
        """Run the stage on the values that are there and store what it computes among them."""
        given = [weight() for weight in self.weights]
        given += [values[name] for name in self.takes]
        values.update(zip(self.gives, self.run(*given)))


def cut(trace: Trace, stages: Mapping[str, str]) -> list[Part]:
    """Cut a recorded model at the modules with which its stages start.

    Parameters
    ----------
    trace : Trace
    stages : mapping of str to str
        The module with which each stage starts, by the name of the stage, in the order in which the
        model runs them. What runs before the first of them belongs to the first stage.

    Returns
    -------
    list of Part

    Raises
    ------
    ValueError
        If a module does nothing in this model, or the modules are not in the order in which they
        run.
    """
    bounds = [*find_starts(trace, stages), len(trace.operations)]
    bounds[0] = 0
    ranges = [trace.operations[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]
    stage_of = {node: i for i, nodes in enumerate(ranges) for node in nodes}
    outputs = {leaf for leaf in trace.outputs if isinstance(leaf, fx.Node)}
    gives = [
        [n for n in nodes if n in outputs or any(stage_of.get(u, i) > i for u in n.users)]
        for i, nodes in enumerate(ranges)
    ]
    return [
        _part(trace, name, nodes, given)
        for name, nodes, given in zip(stages, ranges, gives, strict=True)
    ]


def find_starts(trace: Trace, stages: Mapping[str, str]) -> list[int]:
    """Return the number of the first operation of each stage; raise ValueError as `cut`."""
    owners = [trace.owners[node] for node in trace.operations]
    starts: list[int] = []
    for name, module in stages.items():
        first = next((i for i, owner in enumerate(owners) if is_part_of(owner, module)), None)
        if first is None:
            raise ValueError(
                f"stage {name!r} starts with the module {module!r}, which computes nothing in "
                "this model: it is not called, or returns its input; name another module"
            )
        at = with_preparation(trace, first, module)
        if starts and at <= starts[-1]:
            last = list(stages.items())[len(starts) - 1]
            what = "starts at the same operation as" if at == starts[-1] else "runs before"
            raise ValueError(
                f"stage {name!r} starts with the module {module!r}, which {what} {last[1]!r}, the "
                f"start of stage {last[0]!r}: name modules in the order in which the model runs "
                "them"
            )
        starts.append(at)
    return starts


def with_preparation(trace: Trace, first: int, module: str) -> int:
    """Return where the operations start that prepare the input of a module.

    Parameters
    ----------
    trace : Trace
    first : int
        Number of the first operation of the module.
    module : str

    Returns
    -------
    int
        The number of the first of the operations just before it that its parents do themselves; a
        layer with weights is none of these.
    """
    while first:
        before = trace.operations[first - 1]
        owner = trace.owners[before]
        parent = owner != module and is_part_of(module, owner)
        if not parent or layer_type(before) in WEIGHTED:
            break
        first -= 1
    return first


def dry_run(trace: Trace, parts: Sequence[Part], leaves: Sequence[Any]) -> tuple[Values, bool]:
    """Run all stages once and tell if each leaves alone what comes in from outside of it.

    Parameters
    ----------
    trace : Trace
    parts : sequence of Part
    leaves : sequence
        Values of the inputs.

    Returns
    -------
    values : dict
        What is kept.
    clean : bool
        False if a stage writes into a value that it was given, such as an in-place ReLU just after
        a cut. It would do so again if it ran twice on the same value.

    Raises
    ------
    TraceError
        If the model writes into its weights or buffers, which a skipped stage would not do.
    """
    values, clean = dict(zip(trace.inputs, leaves, strict=True)), True
    weights = {name: look_up() for name, look_up in trace.weights.items()}
    before_weights = {name: tensor._version for name, tensor in weights.items()}
    for part in parts:
        before = {name: version(values[name]) for name in part.takes}
        part(values)
        clean &= all(version(values[name]) == before[name] for name in part.takes)
    for name, tensor in weights.items():
        if tensor._version != before_weights[name]:
            raise TraceError(
                f"the model writes into {trace.weight_names.get(name, name)!r} when it runs: a "
                "stage that is skipped would leave that out; keep no state in the model"
            )
    return values, clean


def version(value: Any) -> int:
    """Return how often a tensor has been written into, 0 for values that do not tell."""
    if not isinstance(value, torch.Tensor) or value.is_inference():
        return 0
    return value._version


def _part(trace, name, nodes, gives):
    """Build one stage as a graph of its own."""
    graph, copies, inside = fx.Graph(), {}, set(nodes)
    used = list(dict.fromkeys(arg for node in nodes for arg in node.all_input_nodes))
    outside = [n for n in used if n not in inside and n.op != "get_attr"]
    weights = [n for n in outside if n.name in trace.weights]
    takes = [n for n in outside if n.name not in trace.weights]
    for node in (*weights, *takes):
        copies[node] = graph.placeholder(node.name)
    for node in used:
        if node.op == "get_attr":  # a piece of the model that runs under another setting
            copies[node] = graph.node_copy(node)
    for node in nodes:
        copies[node] = graph.node_copy(node, lambda n: copies[n])
    graph.output(tuple(copies[node] for node in gives))
    module = fx.GraphModule(trace.graph, graph)
    return Part(
        name,
        module.forward,
        [trace.weights[n.name] for n in weights],
        [n.name for n in takes],
        [n.name for n in gives],
        nodes,
    )
