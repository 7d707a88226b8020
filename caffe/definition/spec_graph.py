"""The graph under a NetSpec: layers (Function) and their outputs (Top), and its NetParameter."""

from collections import Counter, OrderedDict

from caffe.definition.hints import suggest
from caffe.definition.message_fields import FieldError, assign_field
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2

# LayerParameter's field with the settings of a type: Convolution -> convolution_param.
PARAM_FIELDS = {
    field.message_type.name.removesuffix("Parameter"): field.name
    for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields
    if field.name.endswith("_param")
}
PARAM_FIELDS.update(
    Deconvolution="convolution_param",
    Im2col="convolution_param",
    LSTM="recurrent_param",
    RNN="recurrent_param",
)


class SpecError(CaffeError):
    """A net specification that no prototxt can express; the message names the layer."""


class Top:
    """Output number `n` of the layer `fn`."""

    def __init__(self, fn, n):
        self.fn, self.n = fn, n

    def to_proto(self):
        """The NetParameter of all layers this top needs."""
        return to_proto(self)


class Function:
    """One layer: its `type_name`, the Tops it reads (`inputs`), its `params` and its `tops`.

    `ntop` outputs (default 1); `in_place`: the tops are the bottoms, under their names.
    Raises TypeError for an input that is no Top, SpecError for a parameter that does not exist.
    """

    def __init__(self, type_name, inputs, params):
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
        self.to_layer()  # a misspelt parameter fails where it is written

    def to_layer(self):
        """A LayerParameter with the type and params of this layer, without names."""
        layer = caffe_pb2.LayerParameter(type=self.type_name)
        group = PARAM_FIELDS.get(self.type_name)
        for name, value in self.params.items():
            own = group and name in getattr(layer, group).DESCRIPTOR.fields_by_name
            if not own and name not in layer.DESCRIPTOR.fields_by_name:
                raise SpecError(
                    f"{self.type_name} has no parameter {name!r}; "
                    f"{suggest(name, self._parameter_names(group))}"
                )
            try:
                assign_field(getattr(layer, group) if own else layer, name, value)
            except FieldError as error:
                raise SpecError(f"{self.type_name}: {error}") from None
        return layer

    @staticmethod
    def _parameter_names(group):
        fields = caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
        own = fields[group].message_type.fields_by_name if group else ()
        return [*own, *fields]


def to_proto(*tops):
    """The NetParameter of `tops` and of the layers they need; names are made up by type.

    Raises SpecError.
    """
    return NetWriter({}).write(tops)


class NetWriter:
    """Writes each layer after those it reads.

    `names`: of Tops, and of Functions without tops. The others are named by type and number, as
    Convolution1; an in-place top has the name of its bottom.
    """

    def __init__(self, names):
        self.names, self.taken, self.counts = dict(names), set(names.values()), Counter()
        self.layers = OrderedDict()  # Function: LayerParameter

    def write(self, tops):
        """The NetParameter of `tops` (or Functions) and all they need."""
        for top in tops:
            self._visit(top.fn if isinstance(top, Top) else top)
        return caffe_pb2.NetParameter(layer=self.layers.values())

    def _visit(self, last):
        """Depth first without recursion: specs of a thousand layers are common."""
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
        while key not in self.names:
            self.counts[fn.type_name] += 1
            name = f"{fn.type_name}{self.counts[fn.type_name]}"
            if name not in self.taken:
                self.names[key] = name
        return self.names[key]
