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

from collections import OrderedDict

from caffe.definition.spec_graph import Function, NetWriter, SpecError, Top, to_proto
from caffe.proto import caffe_pb2

__all__ = ["Function", "NetSpec", "SpecError", "Top", "layers", "params", "to_proto"]


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
                raise SpecError(
                    f"{names[top]} and {name} are one and the same top of a "
                    f"{getattr(top, 'fn', top).type_name} layer; give it one name"
                )
            names[top] = name
        return NetWriter(names).write(self.tops.values())


class Layers:
    """`layers.Convolution(bottom, ..., **params)`: a Top, a tuple of `ntop` of them, or, for
    ntop=0, the Function. Any type name will do; the net that reads the proto checks it.
    """

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
