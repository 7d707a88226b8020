"""Python layers: a class of the user's, found by module and name, that works on Blobs in numpy.

The module is found as any import is, on sys.path; `param_str` is handed over as text and never
evaluated here.
"""

import importlib
import inspect

from caffe.blobs.blob import BlobVec
from caffe.errors import LayerError
from caffe.layer_types.base import StatefulLayer, register


class Layer:
    """Base of a user's Python layers: override setup, reshape, forward and backward.

    Attributes: param_str (text of the prototxt), phase, blobs (BlobVec; `add_blob` in setup), name.
    bottom and top are lists of Blobs; reshape sets each top's shape, forward fills top[i].data,
    backward fills bottom[i].diff where propagate_down[i].
    """

    type = "Python"
    param_str = ""
    phase = None
    name = ""

    def __init__(self, layer_param=None):
        self.blobs = BlobVec()

    param_str_ = property(lambda self: self.param_str, doc="what older layers call param_str")

    def setup(self, bottom, top):
        """Once, before the first reshape: read param_str, check the number of bottoms."""

    def reshape(self, bottom, top):
        """Before each forward: give each top its shape."""

    def forward(self, bottom, top):
        """Fill the tops' data."""

    def backward(self, top, propagate_down, bottom):
        """Fill the bottoms' diff from the tops' diff."""


def _find(spec):
    """The class that python_param names; LayerError where module or class is not there."""
    p, place = spec.python_param, f"layer {spec.name!r} (Python): "
    if not p.module or not p.layer or p.module.startswith("."):
        raise LayerError(
            place + "python_param needs a module (as one imports it) and a layer, its "
            f"class; it has module {p.module!r}, layer {p.layer!r}"
        )
    try:
        module = importlib.import_module(p.module)
    except ModuleNotFoundError as e:
        if e.name != p.module.split(".")[0] and e.name != p.module:
            raise
        raise LayerError(
            place + f"no module {p.module!r} on sys.path: add its folder to PYTHONPATH, or "
            "correct python_param.module"
        ) from None
    found = getattr(module, p.layer, None)
    if not (isinstance(found, type) and issubclass(found, Layer)):
        raise LayerError(
            place + f"module {p.module!r} has no subclass of caffe.Layer called {p.layer!r}"
        )
    return found


def _made(layer, spec):
    """An object of the user's class, which is given the LayerParameter unless it takes nothing."""
    try:
        inspect.signature(layer).bind(spec)
    except TypeError:
        return layer()
    return layer(spec)


@register("Python")
class Python(StatefulLayer):
    """y = what the user's forward makes of it: stands for the user's object in the registry.
    share_in_parallel has no effect, as nets here do not share layers.

    An exception of the user's code passes as it is, with a note that names layer and class.
    Source: BVLC Caffe, python_layer.
    """

    bottoms = (0, None)
    tops = (0, None)
    in_place = True

    def __init__(self, spec, phase):
        super().__init__(spec, phase)
        self.user = _made(_find(spec), spec)
        if not hasattr(self.user, "blobs"):  # an __init__ that does not call ours
            self.user.blobs = BlobVec()
        self.user.param_str, self.user.phase = spec.python_param.param_str, phase
        self.user.name = spec.name

    @property
    def blobs(self):
        """The learned blobs, which are the user's."""
        return self.user.blobs

    @blobs.setter
    def blobs(self, blobs):
        self.user.blobs = blobs

    def setup(self, bottom, top):
        """The user's setup."""
        self._call(self.user.setup, bottom, top)

    def reshape(self, bottom, top):
        """The user's reshape."""
        self._call(self.user.reshape, bottom, top)

    def run(self, bottom, top):
        """The user's forward."""
        self._call(self.user.forward, bottom, top)

    def run_backward(self, top, propagate_down, bottom):
        """The user's backward."""
        self._call(self.user.backward, top, propagate_down, bottom)

    def _call(self, method, *args):
        try:
            method(*args)
        except Exception as e:
            e.add_note(
                f"in {method.__name__} of layer {self.name!r} (Python): {self.spec.python_param.module}.{self.spec.python_param.layer}"
            )
            raise
