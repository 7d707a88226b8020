"""Graph: from a NetParameter to the layers that run, their connections and gradient needs.

The graph holds what does not change while a net runs; blobs and weights belong to `caffe.net.Net`.
"""

import difflib
from collections.abc import Iterable

from caffe import layer_types
from caffe.errors import CaffeError, DuplicateTop, MissingBottom
from caffe.layer_types.base import UNNAMED, LayerType
from caffe.proto import caffe_pb2


def net_state(
    param: caffe_pb2.NetParameter, phase: int, level: int, stages: Iterable[str] | None
) -> caffe_pb2.NetState:
    """Return the NetState that include and exclude rules are matched against.

    Parameters
    ----------
    param : NetParameter
        Its own `state` is the starting point.
    phase : int
        ``caffe.TRAIN`` or ``caffe.TEST``.
    level : int
    stages : iterable of str or None
        Appended to the stages of `param`.
    """
    state = caffe_pb2.NetState()
    state.CopyFrom(param.state)
    state.phase, state.level = phase, level  # type: ignore[assignment]  # enums accept their numbers
    state.stage.extend(stages or [])
    return state


def included(spec: caffe_pb2.LayerParameter, state: caffe_pb2.NetState) -> bool:
    """Return whether the include and exclude rules of a layer admit it in `state`.

    A layer with include rules runs if one of them matches, any other layer if no exclude rule
    matches.

    Raises
    ------
    CaffeError
        If the layer has both kinds of rules.
    """
    if spec.include and spec.exclude:
        raise CaffeError(f"layer {spec.name!r}: give include rules or exclude rules, not both")
    if spec.include:
        return any(_matches(rule, state) for rule in spec.include)
    return not any(_matches(rule, state) for rule in spec.exclude)


def _matches(rule, state):
    return (
        (not rule.HasField("phase") or rule.phase == state.phase)
        and (not rule.HasField("min_level") or state.level >= rule.min_level)
        and (not rule.HasField("max_level") or state.level <= rule.max_level)
        and all(s in state.stage for s in rule.stage)
        and not any(s in state.stage for s in rule.not_stage)
    )


class Graph:
    """The layers of a net in order, with their connections checked.

    Parameters
    ----------
    param : NetParameter
        The definition, in today's form.
    state : NetState
        Decides which layers are included.

    Attributes
    ----------
    layers : list of LayerType
    bottoms, tops : list of list of str
        Blob names per layer.
    blobs : list of str
        All blob names, in the order in which layers produce them.
    inputs, outputs : list of str
        Tops of the Input layers; blobs that no layer reads, sorted.
    unshaped : set of str
        Inputs without a shape in the prototxt: they have NO_SHAPE until the user reshapes them.
    loss_weights : dict of str to float
        Loss weight by blob name, 0 for blobs that are not a loss.
    index : dict of str to int
        Layer number by layer name.
    phase : int
        ``caffe.TRAIN`` or ``caffe.TEST``.
    need : list of bool
        Per layer, whether it takes part in backward; set by `plan_gradients`.
    down : list of list of bool
        Per layer and bottom, whether a gradient is propagated to it; set by `plan_gradients`.

    Raises
    ------
    CaffeError
        A named exception of `caffe.errors` if the net cannot be built.
    """

    def __init__(self, param: caffe_pb2.NetParameter, state: caffe_pb2.NetState):
        self.force_backward, self.phase = param.force_backward, state.phase
        self.layers: list[LayerType] = []
        self.bottoms: list[list[str]] = []
        self.tops: list[list[str]] = []
        self.blobs: list[str] = []
        self.inputs: list[str] = []
        self.unshaped: set[str] = set()
        self.loss_weights: dict[str, float] = {}
        self.need: list[bool] = []
        self.down: list[list[bool]] = []
        unread: dict[str, bool] = {}  # in order, unlike a set
        consumed: dict[str, str] = {}  # blob -> first layer that reads it without writing it
        names: dict[str, int] = {}
        for spec in param.layer:
            if not included(spec, state):
                continue
            phase = spec.phase if spec.HasField("phase") else state.phase
            layer = layer_types.make(spec, phase)
            layer.name = _distinct(spec.name, names)
            for name in spec.bottom:
                self._check_bottom(spec, name)
                unread.pop(name, None)
            for i, name in enumerate(spec.top):
                if name == UNNAMED and name in self.loss_weights:
                    name = spec.top[i] = f"{UNNAMED} {layer.name}"
                self._check_top(spec, name, layer, consumed)
                if name not in self.loss_weights:
                    self.blobs.append(name)
                if not name.startswith(UNNAMED):
                    unread[name] = True
                self.loss_weights[name] = _loss_weight(layer, i)
            for name in spec.bottom:
                if name not in spec.top:
                    consumed.setdefault(name, spec.name)
            if spec.type == "Input":
                self.inputs += spec.top
                if not spec.input_param.shape:
                    self.unshaped.update(spec.top)
            self.layers.append(layer)
            self.bottoms.append(list(spec.bottom))
            self.tops.append(list(spec.top))
        self.outputs = sorted(unread)
        self.index = {layer.name: i for i, layer in enumerate(self.layers)}

    def _check_bottom(self, spec, name):
        if name not in self.loss_weights:
            near = difflib.get_close_matches(name, self.blobs, 1, 0.5)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise MissingBottom(
                f"layer {spec.name!r} ({spec.type}): no layer before it makes its bottom "
                f"{name!r}{hint}"
            )

    def _check_top(self, spec, name, layer, consumed):
        if name not in self.loss_weights:
            return
        if name not in spec.bottom:
            raise DuplicateTop(
                f"layer {spec.name!r} ({spec.type}): its top {name!r} is already another layer's "
                "top: rename it, or make it the bottom too, to run in place"
            )
        if not layer.in_place:
            raise DuplicateTop(
                f"layer {spec.name!r}: a {spec.type} cannot run in place on {name!r}: give its "
                "top a name of its own"
            )
        if name in consumed:
            raise DuplicateTop(
                f"layer {spec.name!r} would overwrite {name!r} in place, but layer "
                f"{consumed[name]!r} reads it before: give its top a name of its own"
            )

    def plan_gradients(self, learns: list[list[bool]]) -> None:
        """Decide which layers and bottoms take part in backward; sets `need` and `down`.

        A layer takes part if it or a layer below it learns and a loss depends on it, or always
        under `force_backward`. A layer's propagate_down overrides the first condition.

        Parameters
        ----------
        learns : list of list of bool
            Per layer, whether each of its blobs learns.
        """
        carries: set[str] = set()  # blobs that propagate a gradient to something that learns
        self.need, self.down = [], []
        for layer, bottoms, tops, own in zip(self.layers, self.bottoms, self.tops, learns):
            wanted = list(layer.spec.propagate_down) or [b in carries for b in bottoms]
            if len(wanted) != len(bottoms):
                raise layer.error(
                    f"propagate_down has {len(wanted)} values for {len(bottoms)} bottoms"
                )
            down = [
                (w or self.force_backward) and layer.takes_gradient(i) for i, w in enumerate(wanted)
            ]
            need = any(down) or any(own)
            self.need.append(need)
            self.down.append(down)
            carries = carries.union(tops) if need else carries.difference(tops)
        if not self.force_backward:
            self._drop_layers_without_loss()

    def gets_no_gradient(self, name: str, first: int, last: int) -> bool:
        """Tell whether layers first..last read a blob that could have a gradient, and give none."""
        readers = [
            (i, j)
            for i in range(first, last + 1)
            for j, bottom in enumerate(self.bottoms[i])
            if bottom == name
        ]
        could = any(self.layers[i].takes_gradient(j) for i, j in readers)
        return could and not any(self.down[i][j] for i, j in readers)

    def has_no_backward(self, name: str) -> bool:
        """Tell whether the layers that write a blob are without backward, but read something."""
        writers = [i for i, tops in enumerate(self.tops) if name in tops and self.bottoms[i]]
        return bool(writers) and not any(self.need[i] for i in writers)

    def _drop_layers_without_loss(self):
        """Take layers that no loss depends on out of backward."""
        reaches_loss = set()
        for i in reversed(range(len(self.layers))):
            if not any(t in reaches_loss or self.loss_weights[t] for t in self.tops[i]):
                self.need[i], self.down[i] = False, [False] * len(self.down[i])
            if self.need[i]:
                reaches_loss.update(b for b, d in zip(self.bottoms[i], self.down[i]) if d)


def _distinct(name, names):
    """Return `name`, with a number if an earlier layer has it: old nets omit or repeat names.

    `names` counts how often each name was given.
    """
    distinct = name
    while distinct in names:
        names[name] += 1
        distinct = f"{name} ({names[name]})"
    names[distinct] = 1
    return distinct


def _loss_weight(layer, i):
    weights = layer.spec.loss_weight
    if not weights:
        return float(layer.loss and i == 0)
    if len(weights) != len(layer.spec.top):
        raise layer.error(f"loss_weight has {len(weights)} values for {len(layer.spec.top)} tops")
    return float(weights[i])
