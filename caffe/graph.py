"""From a NetParameter to the layers that run: phase rules, connections, and who needs gradients.

Here are facts about the net that do not change while it runs; blobs and weights live in `net`.
"""

import difflib

from caffe import layer_types
from caffe.errors import CaffeError, DuplicateTop, MissingBottom
from caffe.layer_types.base import UNNAMED
from caffe.proto import caffe_pb2


def included(spec, state):
    """True where the include and exclude rules of a LayerParameter admit it in NetState `state`.

    A layer with include rules runs where one of them holds, any other where no exclude rule does.
    """
    if spec.include and spec.exclude:
        raise CaffeError(f"layer {spec.name!r}: give include rules or exclude rules, not both")
    if spec.include:
        return any(_holds(rule, state) for rule in spec.include)
    return not any(_holds(rule, state) for rule in spec.exclude)


def _holds(rule, state):
    return (
        (not rule.HasField("phase") or rule.phase == state.phase)
        and (not rule.HasField("min_level") or state.level >= rule.min_level)
        and (not rule.HasField("max_level") or state.level <= rule.max_level)
        and all(s in state.stage for s in rule.stage)
        and not any(s in state.stage for s in rule.not_stage)
    )


class Graph:
    """The layers of a net in order, with their connections checked.

    layers: LayerType objects; bottoms, tops: lists of blob names per layer; blobs: all blob names
    in the order they appear; inputs, outputs: blob names; loss_weights: {blob: weight}; phase.
    """

    def __init__(self, param, state):
        """param: NetParameter; state: NetState. Named exceptions where the net cannot be built."""
        self.force_backward, self.phase = param.force_backward, state.phase
        self.layers, self.bottoms, self.tops = [], [], []
        self.blobs, self.inputs, self.loss_weights = [], [], {}
        unread, consumed, names = {}, {}, {}
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
            self.layers.append(layer)
            self.bottoms.append(list(spec.bottom))
            self.tops.append(list(spec.top))
        self.outputs = sorted(unread)
        self.index = {layer.name: i for i, layer in enumerate(self.layers)}

    def _check_bottom(self, spec, name):
        if name not in self.loss_weights:
            near = difflib.get_close_matches(name, self.blobs, 1, 0.5)
            raise MissingBottom(
                "layer {!r} ({}): no layer before it makes its bottom {!r}{}".format(
                    spec.name, spec.type, name, f": did you mean {near[0]!r}?" if near else ""
                )
            )

    def _check_top(self, spec, name, layer, consumed):
        if name not in self.loss_weights:
            return
        if name not in spec.bottom:
            raise DuplicateTop(
                f"layer {spec.name!r} ({spec.type}): its top {name!r} is another layer's already: rename it, "
                "or make it the bottom too, to run in place"
            )
        if not layer.in_place:
            raise DuplicateTop(
                f"layer {spec.name!r}: a {spec.type} cannot run in place on {name!r}: give its top a name of "
                "its own"
            )
        if name in consumed:
            raise DuplicateTop(
                f"layer {spec.name!r} would overwrite {name!r} in place, but layer {consumed[name]!r} reads it before:"
                " give its top a name of its own"
            )

    def plan_gradients(self, learn):
        """Work out which layers and bottoms take part in backward.

        learn: per layer, whether each of its blobs learns. Sets `need` (per layer) and `down` (per
        layer and bottom). A layer takes part where it or one below it learns and a loss lies above,
        or always under `force_backward`; its propagate_down overrides the former.
        """
        carries = set()
        self.need, self.down = [], []
        for layer, bottoms, tops, own in zip(self.layers, self.bottoms, self.tops, learn):
            asked = layer.spec.propagate_down or [b in carries for b in bottoms]
            if len(asked) != len(bottoms):
                raise layer.error(
                    "propagate_down has %d values for %d bottoms" % (len(asked), len(bottoms))
                )
            down = [
                (a or self.force_backward) and layer.takes_gradient(i) for i, a in enumerate(asked)
            ]
            need = any(down) or any(own)
            self.need.append(need)
            self.down.append(down)
            carries = carries.union(tops) if need else carries.difference(tops)
        if not self.force_backward:
            self._drop_what_no_loss_sees()

    def _drop_what_no_loss_sees(self):
        seen = set()
        for i in reversed(range(len(self.layers))):
            if not any(t in seen or self.loss_weights[t] for t in self.tops[i]):
                self.need[i], self.down[i] = False, [False] * len(self.down[i])
            if self.need[i]:
                seen.update(b for b, d in zip(self.bottoms[i], self.down[i]) if d)


def _distinct(name, names):
    """`name`, numbered where a layer before it has it: old nets leave names out or repeat them.

    names: {name: how often it was given}.
    """
    distinct = name
    while distinct in names:
        names[name] += 1
        distinct = "%s (%d)" % (name, names[name])
    names[distinct] = 1
    return distinct


def _loss_weight(layer, i):
    given = layer.spec.loss_weight
    if given:
        if len(given) != len(layer.spec.top):
            raise layer.error(
                "loss_weight has %d values for %d tops" % (len(given), len(layer.spec.top))
            )
        return float(given[i])
    return float(layer.loss and i == 0)


def net_state(param, phase, level, stages):
    """The NetState that include and exclude rules are held against."""
    state = caffe_pb2.NetState()
    state.CopyFrom(param.state)
    state.phase, state.level = phase, level
    state.stage.extend(stages or [])
    return state
