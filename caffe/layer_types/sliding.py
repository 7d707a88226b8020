"""The sliding window of convolution and pooling: kernel, stride, pad and dilation per axis."""

from typing import NamedTuple

from caffe.layer_types.base import LayerType, Shape, canonical_axis
from caffe.proto import caffe_pb2


class Window(NamedTuple):
    """A sliding window over the axes after `axis`, the channel axis; one value per spatial axis."""

    axis: int
    kernel: Shape
    stride: Shape
    pad: Shape
    dilation: Shape


def window_of(layer: LayerType, shape: Shape) -> Window:
    """Return the window of a layer with a convolution_param over a bottom of `shape`.

    Raises
    ------
    ShapeMismatch
        If the kernel needs spatial axes and the bottom has none.
    LayerError
        If a parameter is missing, invalid or given twice.
    """
    p = layer.spec.convolution_param
    axis = canonical_axis(layer, p.axis, len(shape))
    n = len(shape) - axis - 1
    if not n and any(k != 1 for k in p.kernel_size):
        raise layer.mismatch(
            f"its kernel_size needs spatial axes after channel axis {axis}, its bottom has shape "
            f"{tuple(shape)}"
        )
    kernel, stride, pad, dilation = (
        per_axis(layer, p, name, n, default)
        for name, default in (("kernel_size", None), ("stride", 1), ("pad", 0), ("dilation", 1))
    )
    check_positive(layer, kernel_size=kernel, stride=stride, dilation=dilation)
    return Window(axis, kernel, stride, pad, dilation)


def per_axis(
    layer: LayerType,
    param: caffe_pb2.ConvolutionParameter | caffe_pb2.PoolingParameter,
    name: str,
    n: int,
    default: int | None,
) -> Shape:
    """Return the values of the field `name`, or of `name`_h and `name`_w, one per spatial axis.

    Parameters
    ----------
    layer : LayerType
        The layer to name in the error message.
    param : ConvolutionParameter or PoolingParameter
        The parameter group with the fields.
    name : str
        kernel_size, stride, pad or dilation. A single value is for all axes. The spelling with _h
        and _w is for two axes only, and drops the suffix _size.
    n : int
        The number of spatial axes.
    default : int or None
        The value if the field is missing; None if it is required.

    Raises
    ------
    LayerError
        If the field is missing without a default, given twice, or has a wrong number of values.
    """
    stem = name.replace("_size", "")
    have_h, have_w = (hasattr(param, stem + s) and param.HasField(stem + s) for s in ("_h", "_w"))
    given = getattr(param, name)
    given = list(given) if hasattr(given, "__len__") else [given] if param.HasField(name) else []
    if have_h or have_w:
        if given:
            raise layer.error(f"give {name} or {stem}_h and {stem}_w, not both")
        if n != 2:
            raise layer.error(f"{stem}_h and {stem}_w are for 2 spatial axes, here are {n}")
        if name != "pad" and not (have_h and have_w):
            raise layer.error(f"{stem}_h and {stem}_w belong together: give both")
        return getattr(param, stem + "_h"), getattr(param, stem + "_w")  # a missing pad is 0
    if not given:
        if default is None and n:
            raise layer.error(f"{name} is missing: give {name}, or {stem}_h and {stem}_w")
        given = [default]
    if len(given) not in (1, n):
        raise layer.error(f"{name} has {len(given)} values for {n} spatial axes")
    return tuple(given * n if len(given) == 1 else given)


def check_positive(layer: LayerType, **values: Shape) -> None:
    """Raise LayerError if a value is 0, naming its field (the fields are unsigned)."""
    for name, per in values.items():
        if any(v < 1 for v in per):
            raise layer.error(f"{name} must be 1 or more on each axis, is {per}")
