"""Python layers: a user's class, found by module and name, that works on Blobs with NumPy.

The module is imported in the ordinary way, from sys.path. `param_str` is passed on as text and
never evaluated here.
"""

import importlib
import inspect
from collections.abc import Callable, Sequence

from caffe.blobs.blob import BlobVec
from caffe.errors import LayerError
from caffe.layer_types.base import Blobs, StatefulLayer, register
from caffe.proto import caffe_pb2


class Layer:
    """Base class of a user's Python layers: override setup, reshape, forward and backward.

    In these methods `bottom` and `top` are lists of Blobs. reshape sets the shape of each top,
    forward fills top[i].data, backward fills bottom[i].diff if propagate_down[i].

    Parameters
    ----------
    layer_param : LayerParameter, optional
        The layer as the prototxt describes it.

    Attributes
    ----------
    param_str : str
        The text of python_param.param_str.
    phase : int
        ``caffe.TRAIN`` or ``caffe.TEST``.
    name : str
        The layer's name in the prototxt.
    blobs : BlobVec
        The learned blobs; setup creates them with `add_blob`.
    """

    type = "Python"
    param_str = ""
    phase: int | None = None
    name = ""

    def __init__(self, layer_param: caffe_pb2.LayerParameter | None = None) -> None:
        self.blobs = BlobVec()

    param_str_ = property(lambda self: self.param_str, doc="The name of param_str in older layers.")

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Read param_str and check the bottoms; called once, before the first reshape."""

    def reshape(self, bottom: Blobs, top: Blobs) -> None:
        """Give each top its shape; called before each forward."""

    def forward(self, bottom: Blobs, top: Blobs) -> None:
        """Fill the data of the tops."""

    def backward(self, top: Blobs, propagate_down: Sequence[bool], bottom: Blobs) -> None:
        """Fill the diff of the bottoms from the diff of the tops."""


@register("Python")
class Python(StatefulLayer):
    """y = whatever the user's forward computes: wraps an object of the user's class.

    An exception raised by the user's code propagates unchanged, with a note that names layer and
    class. share_in_parallel has no effect, because nets do not share layers here.
    Source: BVLC Caffe, python_layer.

    Attributes
    ----------
    user : Layer
        The user's object.
    """

    bottoms = (0, None)
    tops = (0, None)
    in_place = True

    def __init__(self, spec: caffe_pb2.LayerParameter, phase: int) -> None:
        super().__init__(spec, phase)
        self.user = _instantiate(_user_class(spec), spec)
        if not hasattr(self.user, "blobs"):  # the user's __init__ does not call ours
            self.user.blobs = BlobVec()
        self.user.param_str, self.user.phase = spec.python_param.param_str, phase
        self.user.name = spec.name

    @property  # type: ignore[override]  # narrower: the Net assigns nothing but a BlobVec
    def blobs(self) -> BlobVec:
        """The learned blobs of the user's object."""
        return self.user.blobs

    @blobs.setter
    def blobs(self, blobs: BlobVec) -> None:
        self.user.blobs = blobs

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Call the user's setup."""
        self._call(self.user.setup, bottom, top)

    def reshape(self, bottom: Blobs, top: Blobs) -> None:
        """Call the user's reshape."""
        self._call(self.user.reshape, bottom, top)

    def run(self, bottom: Blobs, top: Blobs) -> None:
        """Call the user's forward."""
        self._call(self.user.forward, bottom, top)

    def run_backward(self, top: Blobs, propagate_down: Sequence[bool], bottom: Blobs) -> None:
        """Call the user's backward."""
        self._call(self.user.backward, top, propagate_down, bottom)

    def _call(self, method: Callable[..., None], *args: object) -> None:
        """Call a method of the user's object; add this layer's name to its exceptions."""
        try:
            method(*args)
        except Exception as e:
            p = self.spec.python_param
            e.add_note(
                f"in {method.__name__} of layer {self.name!r} (Python): {p.module}.{p.layer}"
            )
            raise


def _user_class(spec):
    """Return the class that python_param names; raise LayerError if there is none."""
    p, layer = spec.python_param, f"layer {spec.name!r} (Python):"
    if not p.module or not p.layer or p.module.startswith("."):
        raise LayerError(
            f"{layer} python_param needs a module (as in an import) and a layer, the name of its "
            f"class; it has module {p.module!r}, layer {p.layer!r}"
        )
    try:
        module = importlib.import_module(p.module)
    except ModuleNotFoundError as e:
        if e.name != p.module.split(".")[0] and e.name != p.module:
            raise
        raise LayerError(
            f"{layer} no module {p.module!r} on sys.path: add its folder to PYTHONPATH, or correct "
            "python_param.module"
        ) from None
    cls = getattr(module, p.layer, None)
    if not (isinstance(cls, type) and issubclass(cls, Layer)):
        raise LayerError(
            f"{layer} module {p.module!r} has no subclass of caffe.Layer called {p.layer!r}"
        )
    return cls


def _instantiate(cls, spec):
    """Return an object of the user's class; pass it the LayerParameter if it takes an argument."""
    try:
        inspect.signature(cls).bind(spec)
    except TypeError:
        return cls()
    return cls(spec)
