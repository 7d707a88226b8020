"""Nets written as Python: each call of a layer makes a node, and the graph becomes a NetParameter.

    from caffe import layers as L, params as P
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 500, 500]))
    n.conv1 = L.Convolution(n.data, kernel_size=3, num_output=64, param=[dict(lr_mult=1)])
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.pool1 = L.Pooling(n.relu1, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    text = str(n.to_proto())

A Function is one layer, a Top one of its outputs. Keywords of a layer call are the fields of the
type's own parameters (kernel_size), fields of the layer (name, include, loss_weight), or whole
groups ending in `param`. This is the interface of pycaffe's net_spec; the checks are ours.
"""
from collections import Counter, OrderedDict

from .errors import CaffeError
from .message_fields import FieldError, assign_field
from .prototxt_hints import suggest
from .proto import caffe_pb2

# LayerParameter's field with the settings of a type: Convolution -> convolution_param.
PARAM_FIELDS = {field.message_type.name.removesuffix("Parameter"): field.name
                for field in caffe_pb2.LayerParameter.DESCRIPTOR.fields
                if field.name.endswith("_param")}
PARAM_FIELDS.update(Deconvolution="convolution_param", Im2col="convolution_param",
                    LSTM="recurrent_param", RNN="recurrent_param")


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
            raise SpecError(f"{type_name}: in place, {self.ntop} top(s) need as many bottoms; "
                            f"there are {len(inputs)}")
        self.to_layer()  # a misspelt parameter fails where it is written

    def to_layer(self):
        """A LayerParameter with the type and params of this layer, without names."""
        layer = caffe_pb2.LayerParameter(type=self.type_name)
        group = PARAM_FIELDS.get(self.type_name)
        for name, value in self.params.items():
            own = group and name in layer.DESCRIPTOR.fields_by_name[group].message_type.fields_by_name
            if not own and name not in layer.DESCRIPTOR.fields_by_name:
                raise SpecError(f"{self.type_name} has no parameter {name!r}; "
                                f"{suggest(name, self._parameter_names(group))}")
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


class NetSpec:
    """A net under construction: attributes and items are its named tops, in order, as `tops`."""

    def __init__(self):
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name, top):
        if not isinstance(top, Top | Function):
            hint = "; unpack it, one name for each" if isinstance(top, tuple | list) else ""
            raise TypeError(f"{name} is not a Top (type is {type(top)}){hint}")
        self.tops[name] = top

    def __getattr__(self, name):
        try:
            return self.__dict__["tops"][name]
        except KeyError:
            raise AttributeError(f"this NetSpec has no top named {name!r}") from None

    def __setitem__(self, name, top):
        setattr(self, name, top)

    def __getitem__(self, name):
        return self.tops[name]

    def __delitem__(self, name):
        del self.tops[name]

    def __delattr__(self, name):
        del self.tops[name]

    def __contains__(self, name):
        return name in self.tops

    def __dir__(self):
        return [*super().__dir__(), *self.tops]

    def keys(self):
        """Names of the tops, in the order they were given."""
        return list(self.tops)

    def vals(self):
        """The tops, in the order they were given."""
        return list(self.tops.values())

    def update(self, other):
        """Take over the named tops of `other`, a NetSpec or mapping."""
        for name in other.keys():
            self[name] = other[name]

    def to_proto(self):
        """The NetParameter of all tops and of the layers they need. Raises SpecError."""
        names = {}
        for name, top in self.tops.items():
            if top in names:
                raise SpecError(f"{names[top]} and {name} are one and the same top of a "
                                f"{getattr(top, 'fn', top).type_name} layer; give it one name")
            names[top] = name
        return _Writer(names).write(self.tops.values())


def to_proto(*tops):
    """The NetParameter of `tops` and of the layers they need; names are made up by type.

    Raises SpecError.
    """
    return _Writer({}).write(tops)


class _Writer:
    """Writes layers after those they read; `names` maps Tops (or Functions without) to names."""

    def __init__(self, names):
        self.names, self.taken, self.counts = dict(names), set(names.values()), Counter()
        self.layers = OrderedDict()  # Function: LayerParameter

    def write(self, tops):
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
            layer.top.extend(layer.bottom[:fn.ntop])
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


class Layers:
    """`layers.Convolution(bottom, ..., **params)`: a Top, a tuple of `ntop` of them, or, for
    ntop=0, the Function. Any type name will do; the net that reads the proto checks it."""

    def __getattr__(self, type_name):
        if type_name.startswith("_"):
            raise AttributeError(type_name)

        def layer(*bottoms, **params):
            fn = Function(type_name, bottoms, params)
            if fn.ntop == 0:
                return fn
            return fn.tops[0] if fn.ntop == 1 else fn.tops
        layer.__name__ = type_name
        return layer


class Parameters:
    """`params.Pooling.MAX`: the values of the enums in a type's parameters."""

    def __getattr__(self, name):
        message = getattr(caffe_pb2, f"{name}Parameter", None)
        if message is None or name.startswith("_"):
            raise AttributeError(f"there are no parameters of the name {name!r}")
        return message


layers = Layers()
params = Parameters()
