"""The graph of a NetSpec: layers (Function), their outputs (Top), and the NetParameter of these."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from caffe.definition.fork_fields import MOVED, of_fork_field
from caffe.definition.hints import suggest
from caffe.definition.message_fields import FieldError, assign_field
from caffe.errors import CaffeError
from caffe.layer_types.fork_layers import of_fork
from caffe.proto import caffe_pb2

# The field of LayerParameter that holds the settings of a layer type: Convolution ->
# convolution_param.
PARAM_FIELDS = {
    field.message_type.name.removesuffix("Parameter"): field.name
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields
    if field.message_type and field.name.endswith("_param")
}
# Types whose settings are those of another type.
SHARING = {
    "Deconvolution": "convolution_param",
    "Im2col": "convolution_param",
    "LSTM": "recurrent_param",
    "RNN": "recurrent_param",
}
PARAM_FIELDS.update(SHARING)


def param_name_dict() -> dict[str, str]:
    """Return {layer type: its field of LayerParameter without _param}, such as ReLU: relu."""
    stems = {kind: field.removesuffix("_param") for kind, field in PARAM_FIELDS.items()}
    return {kind: stem for kind, stem in stems.items() if kind not in SHARING}


class SpecError(CaffeError):
    """A net specification that no prototxt can express; the message names the layer."""


class Top:
    """Output `n` (from 0) of the layer `fn`."""

    def __init__(self, fn: "Function", n: int):
        self.fn, self.n = fn, n

    def to_proto(self) -> caffe_pb2.NetParameter:
        """Return the NetParameter of all layers that this top needs."""
        return to_proto(self)


class Function:
    """One layer of a specification.

    Parameters
    ----------
    type_name : str
    inputs : sequence of Top
        The outputs of other layers that it reads.
    params : mapping of str to object
        Fields of the layer or of its type's parameter group; also `ntop`, the number of outputs
        (1 by default), and `in_place`, whether the tops are the bottoms.

    Attributes
    ----------
    tops : tuple of Top

    Raises
    ------
    TypeError
        If an input is not a Top.
    SpecError
        If a parameter does not exist or cannot hold its value.
    """

    def __init__(self, type_name: str, inputs: Sequence[Top], params: Mapping[str, Any]):
        self.type_name, self.inputs, self.params = type_name, inputs, dict(params)
        for i, top in enumerate(inputs):
            if not isinstance(top, Top):
                raise TypeError(f"{type_name} input {i} is not a Top (type is {type(top)})")
        self.ntop = self.params.pop("ntop", 1)
        self.in_place = self.params.pop("in_place", False)
        self.tops = tuple(Top(self, n) for n in range(self.ntop))
        if self.in_place and self.ntop > len(inputs):
            raise SpecError(
                f"{type_name}: in place, {self.ntop} top(s) need as many bottoms; "
                f"there are {len(inputs)}"
            )
        self.to_layer()  # raise for a misspelt parameter at the line that has it

    def to_layer(self) -> caffe_pb2.LayerParameter:
        """Return a LayerParameter with the type and parameters of this layer, without names.

        Raises
        ------
        SpecError
            If a parameter does not exist or cannot hold its value.
        """
        layer = caffe_pb2.LayerParameter(type=self.type_name)
        group = PARAM_FIELDS.get(self.type_name)
        targets = [getattr(layer, group), layer] if group else [layer]
        for name, value in self.params.items():
            target = next((t for t in targets if name in t.DESCRIPTOR.fields_by_name), None)
            if target is None:
                why = self._unknown(name, [t.DESCRIPTOR for t in targets])
                raise SpecError(f"{self.type_name} has no parameter {name!r}; {why}")
            try:
                assign_field(target, name, value)
            except FieldError as error:
                raise SpecError(f"{self.type_name}: {error}") from None
        return layer

    def _unknown(self, name, messages):
        """Return what to say about a parameter that none of the message types has."""
        if fork := of_fork(self.type_name):
            return fork
        kinds = [message.name for message in messages]
        known = [MOVED.get((kind, name)) or of_fork_field(kind, name) for kind in kinds]
        fields = [field for message in messages for field in message.fields_by_name]
        return next(filter(None, known), None) or suggest(name, fields)


def to_proto(*tops: Top | Function) -> caffe_pb2.NetParameter:
    """Return the NetParameter of `tops` and all layers they need, named by type and number.

    Raises
    ------
    SpecError
        If a layer has a parameter that does not exist or cannot hold its value.
    """
    return NetWriter({}).write(tops)


class NetWriter:
    """Writes layers to a NetParameter, each after those that it reads.

    Parameters
    ----------
    names : mapping of Top or Function to str
        The names of tops, and of layers without tops. All others are named by type and number,
        such as Convolution1; an in-place top has the name of its bottom.
    """

    def __init__(self, names: Mapping[Top | Function, str]):
        self.names, self.taken = dict(names), set(names.values())
        self.counts: Counter[str] = Counter()
        self.layers: OrderedDict[Function, caffe_pb2.LayerParameter] = OrderedDict()

    def write(self, tops: Iterable[Top | Function]) -> caffe_pb2.NetParameter:
        """Return the NetParameter of `tops` and all layers they need."""
        for top in tops:
            self._visit(top.fn if isinstance(top, Top) else top)
        return caffe_pb2.NetParameter(layer=self.layers.values())

    def _visit(self, last):
        """Add a layer and all it needs, depth first; not recursive, as nets may be very deep."""
        pending = [last]
        while pending:
            fn = pending[-1]
            missing = [top.fn for top in fn.inputs if top.fn not in self.layers]
            if missing:
                pending.append(missing[0])
                continue
            pending.pop()
            if fn not in self.layers:
                self.layers[fn] = self._layer(fn)

    def _layer(self, fn):
        """Return the LayerParameter of a layer whose inputs are written already."""
        layer = fn.to_layer()
        layer.bottom.extend(self.layers[top.fn].top[top.n] for top in fn.inputs)
        if fn.in_place:
            layer.top.extend(layer.bottom[: fn.ntop])
        else:
            layer.top.extend(self._name(top, fn) for top in fn.tops)
        if "name" not in fn.params:
            layer.name = self._name(fn.tops[0] if fn.tops else fn, fn)
        return layer

    def _name(self, key, fn):
        """Return the name of a Top or Function, making up one that is not taken if needed."""
        while key not in self.names:
            self.counts[fn.type_name] += 1
            name = f"{fn.type_name}{self.counts[fn.type_name]}"
            if name not in self.taken:
                self.names[key] = name
        return self.names[key]
