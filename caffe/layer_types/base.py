"""What every layer type has in common, and the one registry that finds a type by its name.

A layer is a pure function: from the shapes of its bottoms it works out a :class:`Geometry`, and
from tensors and that geometry it computes its tops. It keeps nothing between calls; only the Net
does (the few exceptions: stateful.py). So the engine is free to run layers elsewhere, in another
precision, fused, on a part of an image, or several at once.


What the layers have in common that keep something between calls: a cursor, a file, a user's
object. All others are pure functions (see base.py).
"""

import difflib
import enum
from dataclasses import dataclass, field

from caffe.errors import FOREIGN, CaffeError, LayerError, ShapeMismatch, UnknownLayerType
from caffe.layer_types.fork_layers import of_fork

registry = {}
not_promised = {
    "LSTM": "recurrent nets",
    "RNN": "recurrent nets",
    "Recurrent": "recurrent nets",
    "LSTMUnit": "recurrent nets",
    "WindowData": "R-CNN training windows",
}
UNNAMED = "(automatic)"  # what Caffe calls the top of a loss that the prototxt gives none


class Precision(enum.Enum):
    """In which precision the engine hands a layer its bottoms."""

    ENGINE = enum.auto()  # that of caffe.set_precision
    FLOAT32 = enum.auto()  # always float32: losses, sums, numbers of rows
    AS_HELD = enum.auto()  # whatever the first bottom is held in: layers that only move elements


@dataclass(frozen=True)
class Geometry:
    """What a layer needs to know besides tensors: the shapes of its tops, and how it slides.

    kernel, stride, pad, dilation: a tuple with one int per spatial axis, empty where the layer does
    not slide. extra: what else follows from the shapes alone (offsets, permutations).
    """

    tops: tuple
    kernel: tuple = ()
    stride: tuple = ()
    pad: tuple = ()
    dilation: tuple = ()
    extra: dict = field(default_factory=dict)


class LayerType:
    """Base of the layer types. Subclasses say how many bottoms and tops they take, and compute.

    bottoms, tops: (least, most) counts; most None = any number.
    precision: in which precision the engine hands it its bottoms, see Precision.
    any_order: True where images may come channels-last in float32 too: such a layer computes the
        very same values from them. Others get C order.
    in_place: True where a top may be its own bottom.
    loss: True where the first top has loss weight 1 unless told otherwise; the prototxt may leave
        it out.
    content_sized: True where the first axis of the tops depends on what is in the bottoms; the
        geometry then says how long it is at most.
    hands_out_params: True where the tops are the learned blobs, in one memory with them.
    """

    bottoms = (1, 1)
    tops = (1, 1)
    precision = Precision.ENGINE
    any_order = False
    in_place = False
    loss = False
    content_sized = False
    hands_out_params = False

    def __init__(self, spec, phase):
        """spec: the LayerParameter; phase: caffe.TRAIN or caffe.TEST."""
        self.spec, self.phase, self.name = spec, phase, spec.name
        self.check_counts()

    def check_counts(self):
        """LayerError where the prototxt gives too few or too many bottoms or tops."""
        for what, given, (least, most) in (
            ("bottom", len(self.spec.bottom), self.bottoms),
            ("top", len(self.spec.top), self.tops),
        ):
            if given < least or (most is not None and given > most):
                wanted = (
                    str(least)
                    if least == most
                    else "%d or more" % least
                    if most is None
                    else "%d to %d" % (least, most)
                )
                raise self.error("takes %s %s(s), the prototxt gives %d" % (wanted, what, given))

    def error(self, text, kind=LayerError):
        """An exception of `kind` that begins with this layer's name and type."""
        return kind(f"layer {self.name!r} ({self.spec.type}): {text}")

    def mismatch(self, text):
        """A ShapeMismatch that begins with this layer's name and type."""
        return self.error(text, ShapeMismatch)

    def ask(self, question, shapes):
        """Geometry or param_shapes for bottoms of these shapes; ShapeMismatch too where a layer
        did not foresee them.
        """
        try:
            return question(shapes)
        except CaffeError:
            raise
        except FOREIGN as e:
            raise self.mismatch(f"cannot take bottoms of shapes {shapes} ({e})") from e

    def param_shapes(self, shapes):
        """[(shape, FillerParameter)] of the learned blobs, given the bottoms' shapes."""
        return []

    def geometry(self, shapes):
        """The Geometry for bottoms of these shapes; ShapeMismatch where they do not fit."""
        raise self.error("this layer type has no geometry of its own")

    def forward(self, geometry, bottoms, params):
        """Tuple of top tensors, None for one that stays as it is; a layer that keeps statistics
        adds the new contents of its learned blobs. Must not write to its arguments;
        differentiable by autograd.
        """
        raise self.error("this layer type computes nothing itself")

    def initial(self, geometry):
        """Tensors that the tops hold before the first forward; none unless a subclass says so."""
        return ()

    def takes_gradient(self, i):
        """False where bottom i can have no gradient (labels)."""
        return True


def register(name):
    """Class decorator: enter a LayerType under the `type` string of the prototxt."""

    def enter(cls):
        registry[name] = cls
        return cls

    return enter


def make(spec, phase):
    """The LayerType for a LayerParameter; UnknownLayerType with the nearest name where it fails."""
    if spec.type in registry:
        return registry[spec.type](spec, phase)
    if spec.type in not_promised:
        fix = f"this package does not offer {not_promised[spec.type]}"
    elif not (fix := of_fork(spec.type)):
        near = difflib.get_close_matches(spec.type, registry, 1, 0.5)
        fix = f"did you mean {near[0]!r}?" if near else "known are " + " ".join(sorted(registry))
    raise UnknownLayerType(f"layer {spec.name!r}: unknown layer type {spec.type!r}: {fix}")


def canonical_axis(layer, axis, n):
    """Axis in 0..n-1, negative ones counted from the end; LayerError outside."""
    if not -n <= axis < n:
        raise layer.error("axis %d is outside the %d axes of its bottom" % (axis, n))
    return axis % n


def with_gradient(value, of, divisor):
    """The tensor `value`, but with the gradient of `of` / divisor: for functions whose gradient the
    reference rounds off, at 0 say.
    """
    return value.detach() + (of - of.detach()) / divisor.detach()


class StatefulLayer(LayerType):
    """Base of Python layers and of data sources and sinks. The Net hands them Blobs, not tensors.

    blobs: the learned ones that `setup` made.
    """

    blobs = ()

    def setup(self, bottom, top):
        """Once, before the first reshape; lists of Blobs."""

    def reshape(self, bottom, top):
        """Before each forward: give each top its shape, where that is known by now."""

    def run(self, bottom, top):
        """Forward: fill the tops' data."""
        raise self.error("this layer type runs nothing itself")

    def run_backward(self, top, propagate_down, bottom):
        """Backward: fill the bottoms' diff where propagate_down. Nothing, unless overridden."""

    def geometry(self, shapes):
        """Unknown: reshape and run decide."""
        return Geometry(())
