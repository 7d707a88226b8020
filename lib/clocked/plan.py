"""A model made ready for inputs of one kind: recorded, cut, checked against the model itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from lib.clocked.auto import cut_by_cost
from lib.clocked.cut import Part, Values, cut, dry_run
from lib.clocked.trace import Trace, TraceError, trace

flatten = torch.utils._pytree.tree_flatten


@dataclass(frozen=True)
class Plan:
    """The stages of a model for inputs of one kind.

    Attributes
    ----------
    trace : Trace
    stages : mapping of str to str
        The module with which each stage starts, by the name of the stage.
    parts : sequence of Part
    frame : int
        Number of the input, among the leaves of (args, kwargs), that is the frame.
    scores : str or None
        Name of the value, among those that the model returns, that holds the scores.
    """

    trace: Trace
    stages: Mapping[str, str]
    parts: Sequence[Part]
    frame: int
    scores: str | None

    def output(self, values: Values) -> Any:
        """Return what the model returns, from what the stages computed last."""
        return self.trace.rebuild(
            [values[o.name] if isinstance(o, fx.Node) else o for o in self.trace.outputs]
        )


def prepare(
    model: nn.Module, args: tuple, kwargs: Mapping[str, Any], stages: Mapping[str, str] | int
) -> Plan:
    """Record and cut a model, and check that its stages compute what the model computes.

    Parameters
    ----------
    model : torch.nn.Module
        In eval mode.
    args, kwargs : tuple, mapping
        What the model is called with.
    stages : mapping of str to str, or int
        The module with which each stage starts, by the name of the stage; or a number of stages,
        which are then cut by measured cost.

    Returns
    -------
    Plan

    Raises
    ------
    TraceError
        If the model cannot be recorded, or does not run as recorded.
    ValueError
        If the stages do not cut this model.
    """
    leaves = flatten((args, dict(kwargs)))[0]
    recorded = trace(model, args, kwargs)
    if isinstance(stages, int):
        stages = cut_by_cost(recorded, leaves, stages)
    parts = cut(recorded, stages)
    with torch.no_grad():
        values, clean = dry_run(recorded, parts, copied(leaves))
        if not clean:
            recorded = trace(model, args, kwargs, functional=True)
            parts = cut(recorded, stages)
            values, _ = dry_run(recorded, parts, copied(leaves))
        plan = Plan(recorded, stages, parts, frame_of(leaves), _scores(recorded, values))
        _check_same(model, args, kwargs, plan.output(values))
    return plan


def frame_of(leaves: Sequence[Any]) -> int:
    """Return the number of the first N x C x H x W float tensor among inputs of a model.

    Raises ValueError if there is none.
    """
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, torch.Tensor) and leaf.ndim == 4 and leaf.is_floating_point():
            return i
    raise ValueError(
        f"no frame among the inputs {[kind(leaf) for leaf in leaves]}: give a float tensor of the "
        "shape N x C x H x W"
    )


def copied(leaves: Sequence[Any]) -> list[Any]:
    """Return inputs of their own: callers may write the next frame into the same tensor."""
    return [leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]


def kind(leaf: Any) -> Any:
    """Return what an input must have in common with others to be run by the same plan."""
    if isinstance(leaf, torch.Tensor):
        return tuple(leaf.shape), leaf.dtype, leaf.device
    return leaf


def _scores(trace, values):
    """Return the name of the first map of class scores that the model returns."""
    for leaf in trace.outputs:
        value = values.get(leaf.name) if isinstance(leaf, fx.Node) else None
        if isinstance(value, torch.Tensor) and value.ndim == 4 and value.is_floating_point():
            return leaf.name
    return None


def _check_same(model, args, kwargs, output):
    """Raise TraceError unless the stages returned what the model returns."""
    expected = model(*args, **kwargs)
    pairs = zip(flatten(expected)[0], flatten(output)[0], strict=True)
    for i, (theirs, ours) in enumerate(pairs):
        if isinstance(theirs, torch.Tensor):
            try:
                torch.testing.assert_close(ours, theirs, equal_nan=True)
            except AssertionError as error:
                reason = str(error).strip().partition("\n")[0]
                raise TraceError(
                    f"{type(model).__name__} does not run as recorded, output number {i}: {reason} "
                    "It draws random numbers, keeps state, or decides by the values of its input: "
                    "such a model cannot be clocked"
                ) from None
