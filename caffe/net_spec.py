"""NetSpec: nets written in Python. Each call of a layer makes a node; the graph becomes a net.

    from caffe import layers as L, params as P
    n = caffe.NetSpec()
    n.data = L.Input(shape=dict(dim=[1, 3, 500, 500]))
    n.conv1 = L.Convolution(n.data, kernel_size=3, num_output=64, param=[dict(lr_mult=1)])
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.pool1 = L.Pooling(n.relu1, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    text = str(n.to_proto())

A Function is one layer, a Top one of its outputs. The keywords of a layer call are fields of the
type's own parameters (kernel_size), fields of the layer (name, include, loss_weight), or whole
groups whose names end in `param`. The interface is that of pycaffe's net_spec; the checks are ours.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from caffe.definition.spec_graph import Function, NetWriter, SpecError, Top, to_proto
from caffe.proto import caffe_pb2

__all__ = ["Function", "NetSpec", "SpecError", "Top", "layers", "params", "to_proto"]


class NetSpec:
    """A net under construction, whose attributes and items are its named tops.

    Attributes
    ----------
    tops : OrderedDict of str to Top or Function
        The named tops, in the order of assignment. A Function stands for a layer without tops.
    """

    tops: OrderedDict[str, Top | Function]

    def __init__(self) -> None:
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name: str, top: Top | Function) -> None:
        if not isinstance(top, Top | Function):
            hint = "; unpack it, one name for each" if isinstance(top, tuple | list) else ""
            raise TypeError(f"{name} is not a Top (type is {type(top)}){hint}")
        self.tops[name] = top

    # typed as Top, though a layer without tops is a Function: no other layer can read that one
    def __getattr__(self, name: str) -> Top:
        try:
            return self.__dict__["tops"][name]
        except KeyError:
            raise AttributeError(f"this NetSpec has no top named {name!r}") from None

    def __setitem__(self, name: str, top: Top | Function) -> None:
        setattr(self, name, top)

    def __getitem__(self, name: str) -> Top | Function:
        return self.tops[name]

    def __delitem__(self, name: str) -> None:
        del self.tops[name]

    def __delattr__(self, name: str) -> None:
        del self.tops[name]

    def __contains__(self, name: object) -> bool:
        return name in self.tops

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tops]

    def keys(self) -> list[str]:
        """Return the names of the tops, in the order of assignment."""
        return list(self.tops)

    def vals(self) -> list[Top | Function]:
        """Return the tops, in the order of assignment."""
        return list(self.tops.values())

    def update(self, other: "NetSpec | Mapping[str, Top | Function]") -> None:
        """Assign all named tops of `other`."""
        for name in other.keys():
            self[name] = other[name]

    def to_proto(self) -> caffe_pb2.NetParameter:
        """Return the NetParameter of all tops and of the layers that they depend on.

        Raises
        ------
        SpecError
            If a top has two names.
        """
        names: dict[Top | Function, str] = {}
        for name, top in self.tops.items():
            if top in names:
                fn = top.fn if isinstance(top, Top) else top
                raise SpecError(
                    f"{names[top]} and {name} are one and the same top of a {fn.type_name} layer; "
                    "give it one name"
                )
            names[top] = name
        return NetWriter(names).write(self.tops.values())


class Layers:
    """Makes layers: ``layers.Convolution(bottom, ..., **params)``.

    A call returns a Top, or a tuple of `ntop` Tops, or the Function itself for ``ntop=0``. Any type
    name is accepted; it is checked by the net that reads the proto.
    """

    def __getattr__(self, type_name: str) -> Callable[..., Any]:  # the result depends on ntop
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
    """The enum values of a type's parameters: ``params.Pooling.MAX``."""

    def __getattr__(self, name: str) -> Any:  # a message class, whose enum values are attributes
        message = getattr(caffe_pb2, f"{name}Parameter", None)
        if message is None or name.startswith("_"):
            raise AttributeError(f"there are no parameters of the name {name!r}")
        return message


layers = Layers()
params = Parameters()
