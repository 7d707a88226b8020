"""Coordinate maps between tops; the offset of a Crop follows from the layers between two tops.

Along each spatial axis (those after `axis`, the channels), a layer maps coordinates of its bottom
to coordinates of its top. A pixel of the top has coordinate y; the centre of its receptive field
has coordinate x in the bottom. The map is

    y = scale x + shift                                   written (axis, scale, shift).

    convolution, pooling    k' = dilation (k - 1) + 1. Pixel y reads stride y - pad + [0, k' - 1],
    with kernel size k      whose centre is x = stride y - pad + (k' - 1)/2. Hence
                            scale = 1/stride, shift = (pad - (k' - 1)/2) / stride
    deconvolution           the transpose: pixel x writes stride x - pad + [0, k' - 1]. Hence
                            scale = stride, shift = (k' - 1)/2 - pad
    crop                    scale = 1, shift = -offset
    elementwise layers      the identity along any axis: (None, 1, 0)

Shifts may be halves, because the centre of an even kernel is between two pixels.
"""

import numpy as np

from caffe.errors import CaffeError
from caffe.net_spec import Function, Top
from caffe.net_spec import layers as L

PASS_THROUGH = frozenset(
    "AbsVal BatchNorm Bias BNLL Clip Dropout ELU Eltwise Exp Log LRN MVN Power PReLU ReLU Scale "
    "Sigmoid Softmax Split Swish TanH Threshold".split()
)
Values = float | np.ndarray  # one for all spatial axes, or an array with one for each
Map = tuple[int | None, Values, Values]  # axis (None: any), scale, shift
IDENTITY: Map = (None, 1, 0)
TOLERANCE = 1e-6  # products of scales amplify rounding errors of about 1e-16


class UndefinedMapException(CaffeError):
    """The layer has no coordinate map, like InnerProduct, which mixes all positions."""


class AxisMismatchException(CaffeError):
    """Two maps on the path act along different axes and cannot be composed."""


class UnconnectedTopsException(CaffeError):
    """No chain of spatial layers connects the two tops."""


class ScaleMismatchException(CaffeError, AssertionError):
    """The two tops have different strides; no crop aligns them."""


class NegativeCropException(CaffeError, AssertionError):
    """The top to crop begins inside the reference, so the offset would be negative."""


class FractionalCropException(CaffeError, AssertionError):
    """The two tops are shifted by a fraction of a pixel; no crop aligns them."""


def conv_params(fn: Function) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Return the sizes of a convolution, deconvolution or pooling.

    Parameters
    ----------
    fn : Function

    Returns
    -------
    axis : int
        The channel axis.
    stride, kernel, pad : numpy.ndarray
        One entry for all spatial axes, or one for each. `kernel` is the effective size, which
        includes the gaps of a dilated kernel: dilation (k - 1) + 1.

    Raises
    ------
    UndefinedMapException
        If the layer pools globally or has no kernel size.
    """
    group = "pooling_param" if fn.type_name == "Pooling" else "convolution_param"
    params = fn.params.get(group, fn.params)
    if params.get("global_pooling"):
        raise UndefinedMapException("global pooling has no coordinate map: it keeps no positions")
    kernel = _sizes(params, "kernel_size", "kernel")
    if kernel is None:
        raise UndefinedMapException(f"a {fn.type_name} without kernel_size has no coordinate map")
    stride, pad = _sizes(params, "stride", "stride", 1), _sizes(params, "pad", "pad", 0)
    dilation = _sizes(params, "dilation", "dilation", 1)
    return params.get("axis", 1), stride, (kernel - 1) * dilation + 1, pad


def _sizes(params, name, stem, default=None):
    """Return a size as an array, from `name` or from {stem}_h and {stem}_w."""
    if f"{stem}_h" in params or f"{stem}_w" in params:
        return np.array([params.get(f"{stem}_h", default), params.get(f"{stem}_w", default)])
    size = params.get(name, default)
    size = default if isinstance(size, list | tuple) and not size else size
    return None if size is None else np.array(size, ndmin=1)


def crop_params(fn: Function) -> tuple[int, np.ndarray]:
    """Return the first cropped axis of a Crop and its offsets.

    The offsets have one entry for all cropped axes, or one for each.
    """
    params = fn.params.get("crop_param", fn.params)
    return params.get("axis", 2), np.array(params.get("offset", 0), ndmin=1)


def coord_map(fn: Function) -> Map:
    """Return the map from coordinates of a layer's bottom to coordinates of its top.

    Parameters
    ----------
    fn : Function

    Returns
    -------
    axis : int or None
        The axis before the first spatial one; None if the layer is the identity on any axes.
    scale, shift : float or numpy.ndarray

    Raises
    ------
    UndefinedMapException
        If the type has no map.
    """
    if fn.type_name in ("Convolution", "Pooling", "Im2col"):
        axis, stride, kernel, pad = conv_params(fn)
        return axis, 1 / stride, (pad - (kernel - 1) / 2) / stride
    if fn.type_name == "Deconvolution":
        axis, stride, kernel, pad = conv_params(fn)
        return axis, stride, (kernel - 1) / 2 - pad
    if fn.type_name == "Crop":
        axis, offset = crop_params(fn)
        return axis - 1, 1, -offset  # the axis before the first cropped one, as for convolution
    if fn.type_name in PASS_THROUGH or _along_channels(fn):
        return IDENTITY
    raise UndefinedMapException(f"a layer of type {fn.type_name} has no coordinate map")


def _along_channels(fn):
    """Return whether `fn` is a Concat or Slice along the channels, which moves no pixel."""
    if fn.type_name not in ("Concat", "Slice"):
        return False
    params = fn.params.get(f"{fn.type_name.lower()}_param", fn.params)
    return params.get("axis", params.get("concat_dim", params.get("slice_dim", 1))) == 1


def compose(base_map: Map, next_map: Map) -> Map:
    """Return the composition x -> base(next(x)) of two maps.

    Raises
    ------
    AxisMismatchException
        If they act along different axes.
    """
    axis, scale, shift = base_map
    next_axis, next_scale, next_shift = next_map
    if axis is not None and next_axis is not None and axis != next_axis:
        raise AxisMismatchException(
            f"maps along axis {axis} and {next_axis} cannot be composed; "
            "crop the same axes that the layers slide over"
        )
    axis = next_axis if axis is None else axis
    return axis, scale * next_scale, scale * next_shift + shift


def inverse(coord_map: Map) -> Map:
    """Return the inverse map x = (y - shift) / scale."""
    axis, scale, shift = coord_map
    return axis, 1 / scale, -shift / scale


def coord_map_from_to(top_from: Top, top_to: Top) -> Map:
    """Return the map from coordinates of `top_from` to coordinates of `top_to`.

    Both are followed down to their nearest common ancestor. All paths to it are assumed to have
    the same map.

    Parameters
    ----------
    top_from, top_to : Top

    Returns
    -------
    axis : int or None
    scale, shift : float or numpy.ndarray

    Raises
    ------
    UnconnectedTopsException
        If there is no common ancestor below spatial layers only.
    AxisMismatchException
        If layers on the path act along different axes.
    """
    blocked: list[str] = []
    from_ancestors = dict(_ancestors(top_from, blocked))
    for top, to_map in _ancestors(top_to, blocked):
        if top in from_ancestors:
            return compose(to_map, inverse(from_ancestors[top]))
    why = f" ({'; '.join(sorted(set(blocked)))})" if blocked else ""
    raise UnconnectedTopsException(f"no spatial layers connect the two tops{why}")


def _ancestors(top, blocked):
    """Yield (ancestor, map from its coordinates to those of `top`), nearest first, `top` included.

    The reasons why layers ended a path are appended to `blocked`.
    """
    maps, frontier = {top: IDENTITY}, [top]
    for ancestor in frontier:
        yield ancestor, maps[ancestor]
        fn = ancestor.fn
        inputs = fn.inputs[:1] if fn.type_name == "Crop" else fn.inputs
        if not inputs:
            continue
        try:
            layer_map = coord_map(fn)
        except UndefinedMapException as error:
            blocked.append(str(error))
            continue
        for bottom in inputs:
            if bottom not in maps:
                maps[bottom] = compose(maps[ancestor], layer_map)
                frontier.append(bottom)


def crop(top_from: Top, top_to: Top) -> Top:
    """Return a Crop layer that aligns `top_from` with `top_to` and gives it its size.

    Parameters
    ----------
    top_from : Top
        What is cropped.
    top_to : Top
        The reference.

    Raises
    ------
    ScaleMismatchException
        If the strides of the two differ.
    NegativeCropException
        If `top_from` begins inside `top_to`.
    FractionalCropException
        If they are shifted by a fraction of a pixel.
    UnconnectedTopsException, AxisMismatchException
        See `coord_map_from_to`.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    offset = -np.array(shift, dtype=float, ndmin=1)
    if not np.allclose(scale, 1, rtol=0, atol=TOLERANCE):
        raise ScaleMismatchException(
            f"cannot crop: a pixel of the first top spans {scale} pixels of the second; their "
            "strides must be equal"
        )
    if (offset < -TOLERANCE).any():
        raise NegativeCropException(
            f"cannot crop by {offset}: the first top begins inside the second; pad the input more "
            "(the FCNs use pad: 100)"
        )
    if (np.abs(offset - np.round(offset)) > TOLERANCE).any():
        raise FractionalCropException(
            f"cannot crop by {offset}: the tops are shifted by a fraction of a pixel; change a "
            "kernel size or pad by one"
        )
    axis = 2 if axis is None else axis + 1
    return L.Crop(
        top_from, top_to, crop_param=dict(axis=axis, offset=np.round(offset).astype(int).tolist())
    )
