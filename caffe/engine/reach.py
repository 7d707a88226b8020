"""Reach: which part of a layer's top can change when part of a bottom changes, and the reverse.

Geometry only, no tensors. Along each spatial axis (the axes of a blob after N x C) a layer is one
of two maps between positions. Both are written with the extent e = dilation (kernel - 1).

Slide (convolution, pooling, crop, and with kernel 1 all that works position by position): top[i]
reads bottom[stride i - pad + dilation k] for k = 0..kernel - 1. So a change of the bottom in
[b, c) reaches the tops with

    stride i - pad + e >= b   and   stride i - pad <= c - 1,
    that is  ceil((b + pad - e) / stride) <= i <= floor((c - 1 + pad) / stride),

and tops in [b, c) need the bottom in [stride b - pad, stride (c - 1) - pad + e + 1).

Spread (deconvolution): bottom[j] adds to top[stride j - pad + dilation k]. The two formulas swap
their places.

All results are the smallest spans that hold every position, cut to the blob. With dilation or a
stride above the kernel, positions inside a span may be untouched.

What lies beyond a blob's border is not the same as what lies beyond an image's border. An image
continues as zeros, which is just what zero padding adds. A blob further up is, far from the image,
one constant per channel, and zero padding cuts it off. The span of positions that no such cut
reaches is the interior; `LayerReach.interior` follows it. Within the interior, outside of what the
image reaches, a blob is one constant per channel.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from caffe.layer_types.activations import Activation, Dropout, PReLU
from caffe.layer_types.arithmetic import Broadcast, Eltwise
from caffe.layer_types.base import Geometry, LayerType, Shape, Shapes, StatefulLayer
from caffe.layer_types.conv import Convolution, Deconvolution, Im2col
from caffe.layer_types.normalization import LRN, BatchNorm
from caffe.layer_types.pooling import Pooling
from caffe.layer_types.scores import ArgMax, Softmax
from caffe.layer_types.shaping import Concat, Crop, Slice, Tile
from caffe.layer_types.wiring import Split
from caffe.proto import caffe_pb2

Span = tuple[int, int]  # [begin, end) along one axis
Window = tuple[Span, ...]  # one span per spatial axis; () if a blob has no spatial axes

CHANNELS = 1  # the axis before the spatial axes


def is_empty(window: Window) -> bool:
    """Return whether a window holds no position."""
    return any(begin >= end for begin, end in window)


def area(window: Window | None) -> int:
    """Return the number of positions in a window; 1 for a blob without spatial axes, 0 for None."""
    if window is None:
        return 0
    positions = 1
    for begin, end in window:
        positions *= max(0, end - begin)
    return positions


def whole(shape: Shape) -> Window:
    """Return the window that is all of a blob of this shape."""
    return tuple((0, size) for size in shape[CHANNELS + 1 :])


def hull(a: Window | None, b: Window | None) -> Window | None:
    """Return the smallest window that holds both; None stands for nothing."""
    if a is None or b is None:
        return b if a is None else a
    return tuple((min(p, r), max(q, s)) for (p, q), (r, s) in zip(a, b))


def overlap(a: Window | None, b: Window | None) -> Window | None:
    """Return the window that both have in common, None if there is none."""
    if a is None or b is None:
        return None
    common = tuple((max(p, r), min(q, s)) for (p, q), (r, s) in zip(a, b))
    return None if is_empty(common) else common


def contains(a: Window, b: Window) -> bool:
    """Return whether window `a` holds all of window `b`."""
    return all(p <= r and s <= q for (p, q), (r, s) in zip(a, b))


def within(window: Window, other: Window) -> Window:
    """Return a window as it lies in another one that holds it: counted from that one's corner."""
    return tuple((p - r, q - r) for (p, q), (r, _) in zip(window, other))


def place(window: Window) -> Any:
    """Return the index of a window in a blob's tensor: a tuple of Ellipsis and slices."""
    return (..., *(slice(*span) for span in window))


class Need(NamedTuple):
    """The span of a bottom that a span of the top reads.

    Attributes
    ----------
    begin, end : int
        The part of it that lies in the bottom.
    before, after : int
        Positions of it that lie outside, at either end: padding.
    """

    begin: int
    end: int
    before: int = 0
    after: int = 0


class Edge(enum.Enum):
    """What a sliding window meets beyond the border of its bottom.

    Attributes
    ----------
    ZERO
        Zeros, which are part of its sum.
    CLIP
        Nothing: the window is cut to what lies inside.
    """

    ZERO = enum.auto()
    CLIP = enum.auto()


@dataclass(frozen=True)
class Axis:
    """One spatial axis of a layer; the module's docstring has the formulas.

    Parameters
    ----------
    bottom, top : int
        The sizes of the blobs along the axis.
    kernel, stride, pad, dilation : int
        `pad` is negative if the top begins inside the bottom, as in a Crop.
    """

    bottom: int
    top: int
    kernel: int = 1
    stride: int = 1
    pad: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Return the distance from the first to the last position of the kernel."""
        return self.dilation * (self.kernel - 1)

    def _apart(self, begin: int, end: int) -> Span:
        """Return the span at stride 1 of what belongs to [begin, end) at the stride; not cut."""
        return self.stride * begin - self.pad, self.stride * (end - 1) - self.pad + self.extent + 1

    def _together(self, begin: int, end: int) -> Span:
        """Return the span at the stride of what meets [begin, end) at stride 1; not cut."""
        first = -(-(begin + self.pad - self.extent) // self.stride)
        return first, (end - 1 + self.pad) // self.stride + 1


class Slide(Axis):
    """An axis along which top[i] reads bottom[stride i - pad + dilation k]."""

    def reached(self, span: Span) -> Span:
        """Return the span of the top that `span` of the bottom reaches; it may be empty."""
        begin, end = self._together(*span)
        return max(begin, 0), min(end, self.top)

    def needed(self, span: Span) -> Need:
        """Return what `span` of the top, which is not empty, reads of the bottom.

        If all of it lies outside, `begin` and `end` are equal.
        """
        begin, end = self._apart(*span)
        first, last = (min(max(place, 0), self.bottom) for place in (begin, end))
        return Need(first, last, min(max(0, -begin), end - begin), max(0, end - max(last, begin)))

    def interior(self, span: Span | None, edge: Edge) -> Span:
        """Return the span of the top that meets no border that matters.

        Parameters
        ----------
        span : (int, int) or None
            The interior of the bottom; None for an image, which continues as zeros.
        edge : Edge
        """
        if span is None and edge is Edge.ZERO:
            return 0, self.top
        low, high = (0, self.bottom) if span is None else span
        # i whose window [stride i - pad, stride i - pad + extent] lies in [low, high)
        begin = -(-(low + self.pad) // self.stride)
        end = (high - 1 + self.pad - self.extent) // self.stride + 1
        if edge is Edge.CLIP and low <= 0:
            begin = 0
        if edge is Edge.CLIP and high >= self.bottom:  # the last window need only begin inside
            end = (self.bottom - 1 + self.pad) // self.stride + 1
        return max(begin, 0), min(end, self.top)


class Spread(Axis):
    """An axis along which bottom[j] adds to top[stride j - pad + dilation k]."""

    def reached(self, span: Span) -> Span:
        """Return the span of the top that `span` of the bottom reaches; it may be empty."""
        begin, end = self._apart(*span)
        return max(begin, 0), min(end, self.top)

    def needed(self, span: Span) -> Need:
        """Return the span of the bottom that adds to `span` of the top; equal ends for none."""
        begin, end = self._together(*span)
        begin, end = max(begin, 0), min(end, self.bottom)
        return Need(begin, max(begin, end))

    def interior(self, span: Span | None, edge: Edge) -> Span:
        """Return the span of the top that is one constant if the bottom is one.

        That is all that `stride` 1 leaves; with a larger stride the top has a pattern, and the
        span is empty. For the arguments see `Slide.interior`.
        """
        if self.stride > 1:
            return 0, 0
        low, high = (0, self.bottom) if span is None else span
        if span is None and edge is Edge.ZERO:
            return 0, self.top
        # i whose terms i + pad - dilation k, k = 0..kernel - 1, all lie in [low, high)
        return max(low + self.extent - self.pad, 0), min(high - self.pad, self.top)


@dataclass(frozen=True)
class LayerReach:
    """How windows pass through a layer.

    Parameters
    ----------
    axes : tuple of Slide or Spread
        One per spatial axis.
    reads : tuple of tuple of int
        Per top the numbers of the bottoms whose values it depends on.
    edge : Edge
        What the layer meets beyond the border of its bottoms.
    """

    axes: tuple[Slide | Spread, ...]
    reads: tuple[tuple[int, ...], ...]
    edge: Edge = Edge.ZERO

    def reached(self, window: Window) -> Window | None:
        """Return the window of a top that `window` of a bottom that it reads reaches, or None."""
        top = tuple(axis.reached(span) for axis, span in zip(self.axes, window))
        return None if is_empty(window) or is_empty(top) else top

    def needed(self, window: Window) -> tuple[Need, ...]:
        """Return what a window of a top, which is not empty, reads of its bottoms."""
        return tuple(axis.needed(span) for axis, span in zip(self.axes, window))

    def interior(self, window: Window | None) -> Window:
        """Return the interior of the tops from that of the bottoms; None for an image."""
        spans = window or (None,) * len(self.axes)
        return tuple(axis.interior(span, self.edge) for axis, span in zip(self.axes, spans))


def reach_of(layer: LayerType, geometry: Geometry | None, shapes: Shapes) -> LayerReach | None:
    """Return how windows pass through a layer, None if any change reaches everything.

    Everything: InnerProduct, losses, global pooling, pooling with a second top, softmax or
    normalization over spatial axes, what takes another shape, and Python and data layers.

    Parameters
    ----------
    layer : LayerType
    geometry : Geometry or None
        The geometry for these bottoms; None for a stateful layer.
    shapes : sequence of Shape
        The shapes of the bottoms.
    """
    if geometry is None or isinstance(layer, StatefulLayer) or not shapes or not geometry.tops:
        return None
    if not layer.spec.type or len(shapes[0]) < CHANNELS + 2:
        return None
    for kinds, make in _MAKERS:
        if isinstance(layer, kinds):
            return make(layer, geometry, shapes)
    return None


def is_restless(layer: LayerType, geometry: Geometry | None) -> bool:
    """Return whether a layer's tops may change though its bottoms did not.

    True of Python and data layers, of Dropout and STOCHASTIC pooling in training, and of
    BatchNorm while it gathers statistics.
    """
    if isinstance(layer, StatefulLayer) or geometry is None:
        return True
    if isinstance(layer, BatchNorm):
        return not layer.uses_running_statistics
    draws = isinstance(layer, Dropout) or (
        isinstance(layer, Pooling)
        and layer.spec.pooling_param.pool == caffe_pb2.PoolingParameter.STOCHASTIC
    )
    return draws and layer.phase == caffe_pb2.TRAIN


def _sliding(layer, geometry, shapes):
    """Convolve, or lay out the patches that convolution multiplies: top i reads bottom i."""
    if geometry.extra["axis"] != CHANNELS or not geometry.kernel:
        return None
    kind = Spread if isinstance(layer, Deconvolution) else Slide
    axes = _axes(kind, geometry, shapes[0], geometry.dilation)
    return LayerReach(axes, tuple((i,) for i in range(len(geometry.tops))))


def _pooling(layer, geometry, shapes):
    """Pooling over windows; an index of a maximum counts from the image's corner."""
    p = layer.spec.pooling_param
    if p.global_pooling or len(geometry.tops) > 1 or is_restless(layer, geometry):
        return None
    if p.pool == caffe_pb2.PoolingParameter.STOCHASTIC:
        return None
    clips = p.pool == caffe_pb2.PoolingParameter.MAX or not any(geometry.pad)
    axes = _axes(Slide, geometry, shapes[0], (1,) * len(geometry.kernel))
    return LayerReach(axes, ((0,),), Edge.CLIP if clips else Edge.ZERO)


def _axes(kind, geometry, shape, dilation):
    """Return one axis of class `kind` per spatial axis of a layer with a kernel."""
    sizes = zip(shape[CHANNELS + 1 :], geometry.tops[0][CHANNELS + 1 :])
    rest = zip(geometry.kernel, geometry.stride, geometry.pad, dilation)
    return tuple(kind(*size, *values) for size, values in zip(sizes, rest))


def _pointwise(layer, geometry, shapes):
    """Each position of each top depends on that position of each bottom."""
    if is_restless(layer, geometry):
        return None
    if any(s[CHANNELS + 1 :] != shapes[0][CHANNELS + 1 :] for s in (*shapes, *geometry.tops)):
        return None
    bottoms = tuple(range(len(shapes)))
    axes = tuple(Slide(size, size) for size in shapes[0][CHANNELS + 1 :])
    return LayerReach(axes, (bottoms,) * len(geometry.tops))


def _within_axis(layer, geometry, shapes):
    """Position by position if the layer's axis is not spatial."""
    if isinstance(layer, Softmax):
        axis = layer.spec.softmax_param.axis % len(shapes[0])
    else:
        axis = geometry.extra["axis"]
    return _pointwise(layer, geometry, shapes) if axis in range(CHANNELS + 1) else None


def _lrn(layer, geometry, shapes):
    """Position by position across channels, everything within a channel."""
    region = layer.spec.lrn_param.norm_region
    across = region == caffe_pb2.LRNParameter.ACROSS_CHANNELS
    return _pointwise(layer, geometry, shapes) if across else None


def _broadcast(layer, geometry, shapes):
    """Position by position if the operand is one per channel, or a bottom of the same shape."""
    if len(shapes) > 1:
        return _pointwise(layer, geometry, shapes) if shapes[1] == shapes[0] else None
    spatial = geometry.extra["broadcast"][CHANNELS + 1 :]
    return _pointwise(layer, geometry, shapes) if set(spatial) <= {1} else None


def _crop(layer, geometry, shapes):
    """Read only bottom 0, from the offset on; of bottom 1 a crop takes the shape."""
    offsets = geometry.extra["offsets"][CHANNELS + 1 :]
    sizes = zip(shapes[0][CHANNELS + 1 :], geometry.tops[0][CHANNELS + 1 :], offsets)
    axes = tuple(Slide(bottom, top, pad=-offset) for bottom, top, offset in sizes)
    return LayerReach(axes, ((0,),))


_Maker = Callable[[LayerType, Geometry, Sequence[Shape]], LayerReach | None]
_MAKERS: tuple[tuple[tuple[type, ...], _Maker], ...] = (
    ((Convolution, Deconvolution, Im2col), _sliding),
    ((Pooling,), _pooling),
    ((Activation, PReLU, Eltwise, BatchNorm, Split), _pointwise),
    ((Softmax, ArgMax, Concat, Slice, Tile), _within_axis),
    ((LRN,), _lrn),
    ((Broadcast,), _broadcast),
    ((Crop,), _crop),
)
