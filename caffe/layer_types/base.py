"""The interface of all layer types, and the registry that maps a `type` string to its class.

A `LayerType` is a pure function of tensors. From the shapes of its bottoms it derives a `Geometry`;
from the bottoms and that geometry it computes its tops. It keeps no state between calls, so the
engine may run it elsewhere, in another precision, fused, on part of an image, or concurrently.

A `StatefulLayer` is the exception: it keeps something between calls (a cursor, an open file, a
user's object) and works on Blobs.
"""

import abc
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from caffe.blobs.blob import Blob
from caffe.errors import FOREIGN, CaffeError, LayerError, ShapeMismatch, UnknownLayerType
from caffe.layer_types.fork_layers import of_fork
from caffe.proto import caffe_pb2
from caffe.spelling import near

Shape = tuple[int, ...]
NO_SHAPE: Shape = (0,)  # of an input that the prototxt gives no shape: it has no element
Shapes = Sequence[Shape]  # of the bottoms, in the order of the prototxt
Tensors = Sequence[torch.Tensor]
Tops = tuple[torch.Tensor | None, ...]  # None: this top keeps its content
ParamShapes = list[tuple[Shape, caffe_pb2.FillerParameter]]
Blobs = Sequence[Blob]
Result = TypeVar("Result")
LayerClass = TypeVar("LayerClass", bound="type[LayerType]")

UNNAMED = "(automatic)"  # Caffe's name for the top of a loss whose prototxt names none


class Precision(enum.Enum):
    """The dtype of the bottoms that the engine passes to a layer.

    After ``caffe.set_precision("bfloat16")`` layers exchange bfloat16, which has 8 significant
    bits. It represents whole numbers exactly only up to 256, and in a long sum the small terms are
    lost. Layers that read labels or row indices, and layers that reduce many values (losses,
    softmax, batch statistics), therefore ask for float32. Without that call everything is float32.

    Attributes
    ----------
    ENGINE
        The dtype chosen by `caffe.set_precision`.
    FLOAT32
        Always float32.
    AS_HELD
        The dtype in which the first bottom is stored. For layers that copy or combine elements
        one by one: scores that a layer below computed in float32 stay float32.
    """

    ENGINE = enum.auto()
    FLOAT32 = enum.auto()
    AS_HELD = enum.auto()


@dataclass(frozen=True)
class Geometry:
    """Everything a layer derives from the shapes of its bottoms.

    Parameters
    ----------
    tops : tuple of Shape
        The shape of each top.
    kernel, stride, pad, dilation : tuple of int
        One value per spatial axis; empty if the layer has no sliding window.
    extra : dict of str to object
        Whatever else follows from the shapes alone, such as offsets.
    """

    tops: tuple[Shape, ...]
    kernel: Shape = ()
    stride: Shape = ()
    pad: Shape = ()
    dilation: Shape = ()
    extra: dict[str, Any] = field(default_factory=dict)


class LayerType(abc.ABC):
    """Base class of the layer types.

    Parameters
    ----------
    spec : LayerParameter
        The layer as the prototxt describes it.
    phase : int
        ``caffe.TRAIN`` or ``caffe.TEST``.

    Attributes
    ----------
    bottoms, tops : tuple of (int, int or None)
        Least and greatest number of bottoms and of tops; None if there is no upper limit.
    precision : Precision
        The dtype of the bottoms that `forward` gets.
    any_order : bool
        True if `forward` computes the very same values from channels-last float32 images. All
        other layers get their bottoms in C order.
    in_place : bool
        True if a top may be the layer's own bottom.
    loss : bool
        True if the first top has loss weight 1 by default; the prototxt may leave that top out.
    content_sized : bool
        True if the length of the tops' first axis depends on the values of the bottoms. The
        geometry then gives the greatest length.
    hands_out_params : bool
        True if the tops are the learned blobs themselves and share their memory.
    """

    bottoms: tuple[int, int | None] = (1, 1)
    tops: tuple[int, int | None] = (1, 1)
    precision = Precision.ENGINE
    any_order = False
    in_place = False
    loss = False
    content_sized = False
    hands_out_params = False

    def __init__(self, spec: caffe_pb2.LayerParameter, phase: int) -> None:
        self.spec, self.phase, self.name = spec, phase, spec.name
        self.check_spec()

    def check_spec(self) -> None:
        """Raise LayerError if the prototxt's settings are invalid whatever the bottoms' shapes.

        The base class checks the number of bottoms and tops; subclasses add their parameters.
        """
        for what, given, (least, most) in (
            ("bottom", len(self.spec.bottom), self.bottoms),
            ("top", len(self.spec.top), self.tops),
        ):
            if given >= least and (most is None or given <= most):
                continue
            if most is None:
                wanted = f"{least} or more"
            else:
                wanted = str(least) if least == most else f"{least} to {most}"
            raise self.error(f"takes {wanted} {what}(s), the prototxt gives {given}")

    @abc.abstractmethod
    def geometry(self, shapes: Shapes) -> Geometry:
        """Return the Geometry for bottoms of these shapes.

        Parameters
        ----------
        shapes : sequence of Shape
            The shapes of the bottoms.

        Raises
        ------
        LayerError
            If the layer's parameters contradict the shapes.
        ShapeMismatch
            If the shapes of the bottoms do not fit the layer or each other.
        """

    def param_shapes(self, shapes: Shapes) -> ParamShapes:
        """Return the shape and filler of each learned blob; none by default.

        Parameters
        ----------
        shapes : sequence of Shape
            The shapes of the bottoms.

        Returns
        -------
        list of (Shape, FillerParameter)
            In the order in which weight files store the blobs.
        """
        return []

    @abc.abstractmethod
    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Compute the tops; differentiable by autograd.

        Parameters
        ----------
        geometry : Geometry
            The geometry of these bottoms.
        bottoms, params : sequence of torch.Tensor
            The bottoms and the learned blobs. They must not be written to.

        Returns
        -------
        tuple of torch.Tensor or None
            The tops; None for a top that keeps its content. A layer that keeps statistics appends
            the new contents of its learned blobs.
        """

    def initial(self, geometry: Geometry) -> Tops:
        """Return what the tops hold before the first forward; empty if they start at zero."""
        return ()

    def takes_gradient(self, i: int) -> bool:
        """Return whether bottom number `i` can have a gradient; labels, for example, cannot."""
        return True

    def error(self, text: str, kind: type[CaffeError] = LayerError) -> CaffeError:
        """Return an exception of type `kind` that begins with the layer's name and type."""
        return kind(f"layer {self.name!r} ({self.spec.type}): {text}")

    def mismatch(self, text: str) -> CaffeError:
        """Return a ShapeMismatch that begins with the layer's name and type."""
        return self.error(text, ShapeMismatch)

    def ask(self, question: Callable[[Shapes], Result], shapes: Shapes) -> Result:
        """Call the layer's `geometry` or `param_shapes`, and name the layer in every failure.

        Parameters
        ----------
        question : callable
            The bound method to call.
        shapes : sequence of Shape
            The shapes of the bottoms.

        Raises
        ------
        CaffeError
            As the method raises it; a ShapeMismatch if it fails in any other way on these shapes.
        """
        try:
            return question(shapes)
        except CaffeError:
            raise
        except FOREIGN as e:
            raise self.mismatch(f"cannot take bottoms of shapes {shapes} ({e})") from e


class StatefulLayer(LayerType):
    """Base class of Python layers and of the layers that read or write data.

    The Net passes them Blobs, not tensors: lists of those below (`bottom`) and above (`top`). It
    calls `setup` once, then `reshape` and `run` in each forward, and `run_backward` in each
    backward.

    Attributes
    ----------
    blobs : sequence of Blob
        The learned blobs that `setup` created.
    """

    blobs: Blobs = ()

    def setup(self, bottom: Blobs, top: Blobs) -> None:
        """Prepare the layer; called once, before the first reshape."""

    def reshape(self, bottom: Blobs, top: Blobs) -> None:
        """Give each top its shape if that is known before `run`; called before each forward."""

    @abc.abstractmethod
    def run(self, bottom: Blobs, top: Blobs) -> None:
        """Fill the data of the tops."""

    def run_backward(self, top: Blobs, propagate_down: Sequence[bool], bottom: Blobs) -> None:
        """Fill the diff of each bottom whose entry in `propagate_down` is True; none by default."""

    def geometry(self, shapes: Shapes) -> Geometry:
        """Return an empty Geometry: `reshape` and `run` shape the tops."""
        return Geometry(())

    def forward(self, geometry: Geometry, bottoms: Tensors, params: Tensors) -> Tops:
        """Raise LayerError: a stateful layer works on Blobs, through `run`."""
        raise self.error("works on Blobs, not on tensors: call run")


registry: dict[str, type[LayerType]] = {}
NOT_OFFERED = {
    "LSTM": "recurrent nets",
    "RNN": "recurrent nets",
    "Recurrent": "recurrent nets",
    "LSTMUnit": "recurrent nets",
    "WindowData": "R-CNN training windows",
}


def register(name: str) -> Callable[[LayerClass], LayerClass]:
    """Return a class decorator that registers a LayerType.

    Parameters
    ----------
    name : str
        The layer's `type` in a prototxt.
    """

    def enter(cls: LayerClass) -> LayerClass:
        registry[name] = cls
        return cls

    return enter


def make(spec: caffe_pb2.LayerParameter, phase: int) -> LayerType:
    """Return the layer that a LayerParameter describes.

    Parameters
    ----------
    spec : LayerParameter
        The layer as the prototxt describes it.
    phase : int
        ``caffe.TRAIN`` or ``caffe.TEST``.

    Raises
    ------
    UnknownLayerType
        If no layer type has this name; the message gives the nearest name.
    LayerError
        If the layer's settings are invalid.
    """
    if spec.type in registry:
        return registry[spec.type](spec, phase)
    if spec.type in NOT_OFFERED:
        fix = f"this package does not offer {NOT_OFFERED[spec.type]}"
    elif fork := of_fork(spec.type):
        fix = fork
    else:
        close = near(spec.type, registry)
        fix = f"did you mean {close[0]!r}?" if close else f"known are {' '.join(sorted(registry))}"
    raise UnknownLayerType(f"layer {spec.name!r}: unknown layer type {spec.type!r}: {fix}")


def canonical_axis(layer: LayerType, axis: int, n: int) -> int:
    """Return `axis` as a number in 0..n-1; negative axes count from the end.

    Parameters
    ----------
    layer : LayerType
        The layer to name in the error message.
    axis : int
        An axis of a blob, -n..n-1.
    n : int
        The number of axes of the blob.

    Raises
    ------
    LayerError
        If `axis` is out of range.
    """
    if not -n <= axis < n:
        raise layer.error(f"axis {axis} is outside the {n} axes of its bottom")
    return axis % n


def with_gradient(value: torch.Tensor, source: torch.Tensor, divisor: torch.Tensor) -> torch.Tensor:
    """Return `value` with the gradient of ``source / divisor``, the divisor taken as constant.

    For functions whose gradient Caffe regularizes, for instance at 0.

    Parameters
    ----------
    value : torch.Tensor
        The result.
    source, divisor : torch.Tensor
        In the shape of `value`.
    """
    return value.detach() + (source - source.detach()) / divisor.detach()
