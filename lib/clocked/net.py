"""The face of a staged PyTorch model that clocks know: blobs and ranges of layers, as of a net.

Schedules, scores, costs and tuning of lib are written for pycaffe nets, see `lib.stages.Net`. A
`StagedNet` has what they use, so they run on a PyTorch model unchanged: the blob ``data`` takes a
frame, ``forward(start, end)`` runs stages, the blob at the end of each stage holds its features for
clocks that watch them, and ``score`` the scores that the model returns.

Layers are the operations of the model. They are named after their module, those that share a module
``module/operation``. After each stage comes a layer ``NAME end``, whose blob the clocks watch.
"""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import fx

from lib.clocked.cut import version
from lib.clocked.plan import Plan, flatten, kind
from lib.clocked.trace import WEIGHTED, layer_type
from lib.stages import Stage

CLASSES = 256  # that fit into the label maps which clocks compare
Planner = Callable[[tuple, Mapping[str, Any]], Plan]


class ValueBlob:
    """A blob whose values are read only: an activation, a weight, or what clocks watch."""

    def __init__(self, read: Callable[[], np.ndarray]) -> None:
        self._read = read

    @property
    def data(self) -> np.ndarray:
        """The values, float32; nan where the model does not keep them."""
        return self._read()

    def reshape(self, *shape: int) -> None:
        """Do nothing: the model gives its values their shapes."""


class FrameBlob:
    """The blob ``data``: what is written into it is the next input of the model.

    Attributes
    ----------
    shape : tuple of int
        N x C x H x W.
    """

    def __init__(self, shape: tuple[int, ...], feed: Callable[[Any], None]) -> None:
        self.shape, self._feed = shape, feed

    @property
    def data(self) -> Any:
        """The blob itself: it has the shape of the frame and can be assigned to."""
        return self

    def reshape(self, *shape: int) -> None:
        """Take frames of another size from now on."""
        self.shape = shape

    def __setitem__(self, where: Any, frame: Any) -> None:
        self._feed(frame)


class StagedNet:
    """A PyTorch model as a net of lib, with the state of one stream of frames.

    Get one from `lib.clocked.Clocked.net`.

    Attributes
    ----------
    stages : tuple of lib.stages.Stage
        Give these to a schedule and to ``evaluate`` as `stages`.
    blobs, params, layers, top_names, bottom_names, blob_loss_weights
        As of a pycaffe net, see `lib.stages.Net`.
    """

    def __init__(
        self, planner: Planner, args: tuple, kwargs: Mapping[str, Any], labels: bool = True
    ) -> None:
        """Prepare the net for inputs such as these; run nothing.

        Parameters
        ----------
        planner : callable
            Gives the Plan for (args, kwargs).
        args, kwargs : tuple, mapping
            What the model is called with. The first N x C x H x W float tensor is the frame.
        labels : bool
            Whether the blob ``score`` holds the scores. If not it holds one zero, as nobody looks
            at it and label maps take time.
        """
        self._planner, self._labels = planner, labels
        self._pushed: tuple[Any, list] | None = None
        self._use(planner(args, kwargs), flatten((args, dict(kwargs))))

    def push(self, frame: np.ndarray, leaves: Sequence[Any]) -> None:
        """Feed these inputs as soon as `frame`, this very array, is written into ``data``."""
        self._pushed = frame, list(leaves)

    def forward(self, *, start: str | None = None, end: str | None = None) -> None:
        """Run the stages from the one that starts with `start` to the one that ends with `end`.

        Raises ValueError if no stage does, or a stage needs what another one has not computed yet.
        """
        first = 0 if start is None else self._find(start, [s.start for s in self.stages])
        last = (
            len(self.stages) if end is None else 1 + self._find(end, [s.end for s in self.stages])
        )
        with torch.no_grad():
            for part in self._plan.parts[first:last]:
                self._check(part.takes, f"stage {part.name!r}")
                part(self._values)
                for name in part.gives:
                    self._versions[name] = version(self._values[name])

    def output(self) -> Any:
        """Return what the model returns, from what its stages computed last."""
        leaves = self._plan.trace.outputs
        self._check([leaf.name for leaf in leaves if isinstance(leaf, fx.Node)], "the output")
        return self._plan.output(self._values)

    def _use(self, plan, given):
        """Take the names and sizes of a plan; forget all values."""
        self._plan, (self._leaves, self._spec) = plan, given
        self._values: dict[str, Any] = {}
        self._versions: dict[str, int] = {}
        self._describe(plan)

    def _describe(self, plan):
        """Set the attributes that a pycaffe net has."""
        trace, frame = plan.trace, self._leaves[plan.frame]
        names = _layer_names(trace)
        self._made_by = {node.name: name for node, name in names.items()}
        blobs: dict[str, Any] = {
            "data": FrameBlob(tuple(frame.shape), self._feed),
            "score": ValueBlob(self._score),
        }
        self._layer_names, self.layers, self.params = [], [], {}
        self.top_names: dict[str, list[str]] = {}
        self.bottom_names: dict[str, list[str]] = {}
        stages = []
        for part in plan.parts:
            for node in part.operations:
                name, type_ = names[node], layer_type(node)
                weighted = type_ in WEIGHTED
                inputs = [node.args[0]] if weighted else node.all_input_nodes
                self._add(name, type_, [names.get(n, "data") for n in _values(inputs, trace)])
                blobs[name] = ValueBlob(lambda node=node: self._value(node))
                if weighted:
                    weight = node.args[1]
                    self.params[name] = [ValueBlob(lambda node=weight: self._value(node))]
            end = f"{part.name} end"
            self._add(end, "Watch", [names[part.operations[-1]]])
            blobs[end] = ValueBlob(lambda part=part: self._watched(part))
            stages.append(Stage(part.name, names[part.operations[0]], end))
        self.stages = tuple(stages)
        self.blobs: Mapping[str, Any] = blobs
        self.blob_loss_weights = dict.fromkeys(blobs, 0.0)
        self.inputs, self.outputs = ["data"], ["score"]

    def _add(self, name, kind_, bottoms):
        self._layer_names.append(name)
        self.layers.append(SimpleNamespace(type=kind_))
        self.top_names[name] = [name]
        self.bottom_names[name] = bottoms

    def _feed(self, frame):
        """Make a frame the input, with another plan if it has another size."""
        if self._pushed is not None and frame is self._pushed[0]:
            leaves = self._pushed[1]
        else:
            leaves, at = list(self._leaves), self._plan.frame
            like, shape = leaves[at], self.blobs["data"].shape
            array = np.array(np.broadcast_to(np.asarray(frame, np.float32), shape))
            leaves[at] = torch.from_numpy(array).to(like.device, like.dtype)
        if [kind(leaf) for leaf in leaves] != [kind(leaf) for leaf in self._leaves]:
            args, kwargs = torch.utils._pytree.tree_unflatten(leaves, self._spec)
            self._use(self._planner(args, kwargs), (leaves, self._spec))
        inputs = dict(zip(self._plan.trace.inputs, leaves, strict=True))
        self._values.update(inputs)
        self._versions.update({name: version(value) for name, value in inputs.items()})

    def _check(self, names, user):
        """Raise ValueError if a value is missing, or was changed by a caller meanwhile."""
        for name in names:
            made_by = self._made_by.get(name, "data")
            if name not in self._values:
                raise ValueError(
                    f"{user} needs what {made_by!r} computes, which has not run on frames of this "
                    "size: run the first frame in full"
                )
            if version(self._values[name]) != self._versions[name]:
                raise ValueError(
                    f"{user} needs what {made_by!r} computed, which was changed in place "
                    "afterwards: outputs are kept for later frames, change output.clone()"
                )

    def _find(self, layer, layers):
        if layer not in layers:
            raise ValueError(
                f"no stage starts or ends with the layer {layer!r}: the stages of this model are "
                f"{', '.join(map(str, self.stages))}, give them as stages=net.stages"
            )
        return layers.index(layer)

    def _value(self, node):
        """Return a kept value or a weight; of others only the shape is known."""
        if node.name in self._plan.trace.weights:
            return _as_array(self._plan.trace.weights[node.name]())
        value = self._values.get(node.name)
        if isinstance(value, torch.Tensor):
            return _as_array(value)
        return np.broadcast_to(np.float32(np.nan), getattr(node.meta.get("val"), "shape", ()))

    def _score(self):
        if not self._labels:
            return np.zeros((1, 1, 1, 1), np.float32)
        if self._plan.scores is None:
            raise ValueError(
                "the model returns no N x classes x H x W tensor that label maps could be made "
                "of: call it as Clocked(model)(frame), or wrap it so that it returns its scores"
            )
        self._check([self._plan.scores], "the blob 'score'")
        return _as_array(self._values[self._plan.scores])

    def _watched(self, part):
        """Return what clocks see of a stage: its last value, as scores of up to 256 classes."""
        if part is self._plan.parts[-1] and self._plan.scores is not None:
            return self._score()
        values = [self._values.get(name) for name in part.gives]
        seen = [v for v in values if isinstance(v, torch.Tensor) and v.is_floating_point()]
        for ndim in (4, 3, 2):
            if fitting := [v for v in seen if v.ndim == ndim]:
                return _as_array(as_scores(fitting[-1]))[None]
        raise ValueError(
            f"stage {part.name!r} ends in no features that a clock could watch, or has not run: "
            "start the next stage with another module"
        )


def as_scores(features: torch.Tensor) -> torch.Tensor:
    """Turn features into scores whose best class changes with the strongest channel.

    Parameters
    ----------
    features : N x C x H x W, N x L x C (tokens) or N x C tensor

    Returns
    -------
    classes x H x W tensor
        Images of a batch lie below each other. More than 256 channels are counted in groups of
        neighbours, each as strong as its strongest channel.
    """
    if features.ndim == 2:
        features = features[:, :, None, None]
    elif features.ndim == 3:
        features = features.transpose(1, 2)[..., None]
    scores = features.transpose(0, 1).flatten(1, 2)
    group = -(-len(scores) // CLASSES)
    if group == 1:
        return scores
    lacking = -len(scores) % group
    if lacking:
        scores = torch.cat([scores, scores[-1:].expand(lacking, -1, -1)])
    return scores.unflatten(0, (-1, group)).amax(1)


def _as_array(tensor):
    return tensor.detach().float().cpu().numpy()


def _layer_names(trace):
    """Name each operation after its module, those that share one by their own names too."""
    owners = list(trace.owners.values())
    many = {owner for owner in owners if owners.count(owner) > 1}
    return {
        node: (f"{owner}/{node.name}" if owner in many else owner) if owner else node.name
        for node, owner in trace.owners.items()
    }


def _values(nodes, trace):
    """Return those of the inputs of an operation that are neither weights nor parts of a model."""
    return [n for n in nodes if n.name not in trace.weights and n.op != "get_attr"]
