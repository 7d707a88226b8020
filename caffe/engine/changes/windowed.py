"""Run one layer on a window of its tops, by PyTorch: cut the bottoms, pad, compute.

What a window of a top reads of the bottoms, and how much of that is padding, comes from
`caffe.engine.reach`. The layer's own `forward` does the work, on a `Geometry` for the part.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from caffe.engine.kernels import product
from caffe.engine.packed import Packed
from caffe.engine.reach import CHANNELS, LayerReach, Need, Spread, Window, place
from caffe.layer_types.activations import AbsVal, Clip, Dropout, Power, PReLU, ReLU, Threshold
from caffe.layer_types.arithmetic import Broadcast, Eltwise
from caffe.layer_types.base import Geometry, LayerType, Tensors
from caffe.layer_types.conv import Convolution, Deconvolution, Im2col
from caffe.layer_types.normalization import BatchNorm
from caffe.layer_types.pooling import Pooling, clipped_share
from caffe.layer_types.scores import ArgMax
from caffe.layer_types.shaping import Concat, Crop, Slice, Tile
from caffe.layer_types.wiring import Split
from caffe.proto import caffe_pb2

Bottom = torch.Tensor | Packed

# Whose values follow from single additions, products, divisions and comparisons in a fixed order.
EXACT = (
    (ReLU, PReLU, AbsVal, Clip, Threshold, Dropout, Eltwise, Broadcast, BatchNorm, Pooling)
    + (Concat, Slice, Crop, Tile, Split, Im2col, ArgMax)
)  # fmt: skip


def is_exact(layer: LayerType) -> bool:
    """Return whether a window's values are those of a whole run to the last bit.

    PyTorch's convolutions choose the order of a sum by the size of the image and, near its ends,
    by the place in it. Its exponentials and logarithms are rounded otherwise at the end of an
    array, where a vector is not full.
    """
    if isinstance(layer, Power):
        return layer.spec.power_param.power == 1
    return isinstance(layer, EXACT)


def run(
    layer: LayerType,
    geometry: Geometry,
    reach: LayerReach,
    bottoms: Sequence[Bottom],
    params: Tensors,
    window: Window,
) -> list[torch.Tensor]:
    """Return the part of each top that lies in a window.

    Parameters
    ----------
    layer : LayerType
    geometry : Geometry
        For the whole bottoms.
    reach : LayerReach
        As `reach_of` returns it.
    bottoms : sequence of torch.Tensor or Packed
        The whole bottoms.
    params : sequence of torch.Tensor
    window : Window
        Within the tops, not empty, and within what the bottoms reach.
    """
    needs = reach.needed(window)
    size = tuple(end - begin for begin, end in window)
    if isinstance(layer, Crop):
        return [_crop(geometry, bottoms[0], needs)]
    if isinstance(layer, Pooling):
        return [_pool(layer, geometry, bottoms[0], needs, window)]
    if isinstance(layer, Deconvolution):
        return [_spread(layer, geometry, reach, x, params, window) for x in bottoms]
    tops = tuple((*top[: CHANNELS + 1], *size) for top in geometry.tops)
    part = replace(geometry, tops=tops, pad=(0,) * len(geometry.pad))
    if isinstance(layer, Broadcast) and len(bottoms) > 1:
        part = replace(part, extra={**geometry.extra, "broadcast": tops[0]})
    pad = isinstance(layer, (Convolution, Im2col))
    cuts = [_cut(x, needs, 0.0 if pad else None, layer.any_order) for x in bottoms]
    if isinstance(layer, Convolution) and _is_product(layer, geometry, cuts, params):
        return [product.convolve(x, params, part, relu=False) for x in cuts]
    return [y for y in layer.forward(part, cuts, params) if y is not None]


def _part(x: Bottom, window: Window) -> torch.Tensor:
    return x[place(window)] if isinstance(x, torch.Tensor) else x.part(window)


def _cut(
    x: Bottom, needs: Sequence[Need], value: float | None, any_order: bool = True
) -> torch.Tensor:
    """Return what is needed of a bottom, surrounded by `value` where it lies outside.

    It is in the bottom's memory order, or in C order unless `any_order`.
    """
    part = _part(x, tuple((n.begin, n.end) for n in needs))
    if value is not None and any(n.before or n.after for n in needs):
        part = F.pad(part, _edges(needs), value=value)
    channels_last = (
        isinstance(x, torch.Tensor)
        and x.dim() == 4
        and (any_order or x.dtype == torch.bfloat16)
        and x.is_contiguous(memory_format=torch.channels_last)
    )
    # dense, so that element-wise functions take the same path as on the whole blob
    return part.contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )


def _edges(needs: Sequence[Need]) -> list[int]:
    """Return the padding as F.pad takes it: last axis first."""
    return [p for need in reversed(needs) for p in (need.before, need.after)]


def _crop(geometry: Geometry, x: Bottom, needs: Sequence[Need]) -> torch.Tensor:
    """Return a window of a crop; along batch and channels it is cut as a whole."""
    offsets, top = geometry.extra["offsets"], geometry.tops[0]
    outer = tuple(slice(o, o + d) for o, d in zip(offsets[: CHANNELS + 1], top))
    return _part(x, tuple((n.begin, n.end) for n in needs))[outer]


def _pool(
    layer: Pooling, geometry: Geometry, x: Bottom, needs: Sequence[Need], window: Window
) -> torch.Tensor:
    """Return a window of a maximum or mean; `Pooling` says what its borders are."""
    stride = tuple(s if end - begin > 1 else 1 for s, (begin, end) in zip(geometry.stride, window))
    if layer.spec.pooling_param.pool == caffe_pb2.PoolingParameter.MAX:
        return F.max_pool2d(_cut(x, needs, float("-inf")), geometry.kernel, stride)
    mean = F.avg_pool2d(_cut(x, needs, 0.0), geometry.kernel, stride)
    return mean * clipped_share(x.shape[CHANNELS + 1 :], geometry)[place(window)].to(mean)


def _spread(
    layer: Deconvolution,
    geometry: Geometry,
    reach: LayerReach,
    x: Bottom,
    params: Tensors,
    window: Window,
) -> torch.Tensor:
    """Return a window of a deconvolution: that of the bottoms that add to it, cut.

    What they give may end before the window, where only the bias is. So the bottom's nearest
    position on either side is taken as well: with these the result covers the window.
    """
    spans = []
    for axis, (begin, end) in zip(reach.axes, window):
        assert isinstance(axis, Spread)
        first = min(
            -(-(begin + axis.pad - axis.extent) // axis.stride), (begin + axis.pad) // axis.stride
        )
        last = max(
            (end - 1 + axis.pad) // axis.stride,
            -(-(end - 1 + axis.pad - axis.extent) // axis.stride),
        )
        spans.append((min(max(first, 0), axis.bottom - 1), min(last + 1, axis.bottom)))
    part = _part(x, tuple(spans)).contiguous()
    starts = [s * a.stride - a.pad for (s, _), a in zip(spans, reach.axes)]
    size = [(e - s - 1) * a.stride + a.extent + 1 for (s, e), a in zip(spans, reach.axes)]
    top = (*geometry.tops[0][: CHANNELS + 1], *size)
    whole = replace(geometry, tops=(top,), pad=(0,) * len(size))
    y = layer.forward(whole, [part], params)[0]
    assert y is not None
    return y[place(tuple((b - o, e - o) for (b, e), o in zip(window, starts)))]


def _is_product(layer: Convolution, geometry: Geometry, cuts: Tensors, params: Tensors) -> bool:
    """Return whether a convolution has so many weights that reading them is most of the work."""
    return (
        layer.spec.convolution_param.group == 1
        and len(geometry.kernel) == 2
        and all(d == 1 for d in geometry.dilation)
        and cuts[0].dtype == torch.float32
        and cuts[0].device.type == "cpu"
        and params[0].numel() > 4 * cuts[0].numel()
    )
