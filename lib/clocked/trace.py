"""A PyTorch model as a list of operations, each with the module that it belongs to.

`torch.export` runs the model once on tensors without values and records the operations. The record
holds for inputs of these shapes, dtypes and device only. Weights are no part of it: an operation
names the parameters and buffers that it needs, and they are looked up in the model at each run, so
that a model that was trained, loaded or moved meanwhile is run as it is.
"""

import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

# Operations with dense weights, as types of Caffe layers: the ones that lib.cost counts.
WEIGHTED = ("Convolution", "Deconvolution", "InnerProduct")
TYPES = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), "Convolution"),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), "Deconvolution"),
    "linear": "InnerProduct",
}

Weight = Callable[[], torch.Tensor]


class TraceError(ValueError):
    """A model that cannot be recorded as a list of operations, or does not run as recorded."""


@dataclass(frozen=True)
class Trace:
    """The operations of a model for inputs of one kind.

    Attributes
    ----------
    graph : torch.fx.GraphModule
        Its inputs are weights and what the model is called with.
    operations : sequence of torch.fx.Node
        In order of execution.
    owners : dict of torch.fx.Node to str
        The module that each operation is in, "" for the model itself.
    weights : dict of str to callable
        How to look up the tensor of each input of the graph that is a weight or a constant.
    weight_names : dict of str to str
        Their names in the model; a constant has none.
    inputs : sequence of str
        The other inputs of the graph: the leaves of (args, kwargs), in order.
    outputs : sequence
        The leaves of what the model returns: nodes, or constants such as None.
    rebuild : callable
        Turns a list of values of these leaves into what the model returns.
    """

    graph: fx.GraphModule
    operations: Sequence[fx.Node]
    owners: Mapping[fx.Node, str]
    weights: Mapping[str, Weight]
    weight_names: Mapping[str, str]
    inputs: Sequence[str]
    outputs: Sequence[Any]
    rebuild: Callable[[list], Any]


def trace(
    model: nn.Module, args: tuple, kwargs: Mapping[str, Any], functional: bool = False
) -> Trace:
    """Record what a model does with these inputs.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode.
    args, kwargs : tuple, mapping
        What the model is called with.
    functional : bool
        Replace operations that write into their input by those that return a new tensor.

    Returns
    -------
    Trace

    Raises
    ------
    TraceError
        If torch.export cannot record the model, with the module in which it failed.
    """
    program = _export(model, args, dict(kwargs))
    if functional:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch about itself
            program = program.run_decompositions({})
    graph, signature = program.graph_module, program.graph_signature
    operations = [n for n in graph.graph.nodes if n.op == "call_function"]
    inputs: list[str] = []
    weights: dict[str, Weight] = {}
    names: dict[str, str] = {}
    for spec in signature.input_specs:
        name, target = str(getattr(spec.arg, "name", "")), str(spec.target)
        if spec.kind.name == "USER_INPUT":
            inputs.append(name)
        elif spec.kind.name in ("PARAMETER", "BUFFER"):
            weights[name], names[name] = _looked_up(model, target), target
        else:
            weights[name] = _kept(program.constants[target])
    [output] = [n for n in graph.graph.nodes if n.op == "output"]
    user = [s.kind.name == "USER_OUTPUT" for s in signature.output_specs]
    outputs = [leaf for leaf, is_users in zip(output.args[0], user, strict=True) if is_users]
    return Trace(
        graph,
        operations,
        {node: _owner(node) for node in operations},
        weights,
        names,
        inputs,
        outputs,
        _rebuilder(program.call_spec.out_spec),
    )


def is_part_of(owner: str, module: str) -> bool:
    """Tell if the module named `owner` is `module`, or lies in it."""
    return owner == module or not module or owner.startswith(module + ".")


def layer_type(node: fx.Node) -> str:
    """Return the Caffe layer type of an operation with dense weights, else its own name."""
    name = getattr(node.target, "__name__", str(node.target)).partition(".")[0]
    return TYPES.get(name, name)


def writes_into(node: fx.Node) -> list[fx.Node]:
    """Return the inputs of an operation that it writes into, such as that of an in-place ReLU."""
    schema = getattr(node.target, "_schema", None)
    if schema is None or not schema.is_mutable:
        return []
    written = [
        node.args[i] if i < len(node.args) else node.kwargs.get(argument.name)
        for i, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return [arg for arg in written if isinstance(arg, fx.Node)]


def _export(model, args, kwargs):
    try:
        with torch.no_grad():
            return torch.export.export(model, args, kwargs, strict=False)
    except Exception as error:
        what = type(model).__name__
        own, where = _failing(model, lambda: model(*args, **kwargs))
        if own is not None:
            raise TraceError(
                f"{what} does not run on these inputs, it failed {where}: {_first_line(own)} Give "
                "it what it takes without a clock"
            ) from own
        _, where = _failing(model, lambda: torch.export.export(model, args, kwargs, strict=False))
        raise TraceError(
            f"{what} cannot be cut into stages: torch.export failed {where}: {_first_line(error)} "
            "Rewrite that module without decisions that depend on the values of tensors, or clock "
            "the part of the model that can be exported"
        ) from error


def _failing(model, run):
    """Return the error of a run, None if there is none, and say in which module it happened."""
    with _watching(model) as entered, torch.no_grad():
        try:
            run()
            return None, ""
        except Exception as error:
            name = entered[-1] if entered else ""
            kind = type(model.get_submodule(name)).__name__
            return error, f"in the module {name!r} ({kind})" if name else "in its own forward()"


def _first_line(error):
    return str(error).strip().partition("\n")[0]


@contextmanager
def _watching(model: nn.Module) -> Iterator[list[str]]:
    """Keep the names of the modules that have been entered and not left, innermost last."""
    entered: list[str] = []
    hooks = []
    for name, module in model.named_modules():
        hooks.append(module.register_forward_pre_hook(lambda *_, name=name: entered.append(name)))
        hooks.append(module.register_forward_hook(lambda *_: entered.pop() and None))
    try:
        yield entered
    finally:
        for hook in hooks:
            hook.remove()


def _owner(node):
    """Return the name of the innermost module that an operation is in."""
    if node.target is operator.getitem:  # a part of a result belongs where that is computed
        return _owner(node.args[0])
    stack = node.meta.get("nn_module_stack") or {}
    name = next(reversed(stack.values()))[0] if stack else ""
    return re.sub(r"@\d+", "", name)  # further calls of a module have numbers


def _looked_up(model, name):
    """Return a function that gives the parameter or buffer as it is then."""
    path, _, last = name.rpartition(".")
    module = model.get_submodule(path)
    of = module._parameters if last in module._parameters else module._buffers
    return lambda: of[last]


def _kept(tensor):
    return lambda: tensor


def _rebuilder(spec):
    return lambda leaves: torch.utils._pytree.tree_unflatten(leaves, spec)
