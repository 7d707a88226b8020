"""Where a pixel of one top lies in another: the offset of a Crop follows from the layers between.

A spatial layer sends the centre of what an output pixel sees, coordinate x of its bottom, to the
coordinate of that pixel in its top, along each axis after `axis` (the channels), by

    y = scale x + shift                                   written (axis, scale, shift).

    convolution, pooling    k' = dilation (k - 1) + 1: pixel y sees stride y - pad + [0, k' - 1],
    of kernel k             centre x = stride y - pad + (k' - 1)/2, so
                            scale = 1/stride, shift = (pad - (k' - 1)/2) / stride
    deconvolution           its transpose: pixel x writes stride x - pad + [0, k' - 1], so
                            scale = stride, shift = (k' - 1)/2 - pad
    crop                    scale = 1, shift = -offset
    activations and the like  the identity on any axes: (None, 1, 0)

Shifts may be halves: centres fall between pixels where kernels are even.
"""

import numpy as np

from caffe.errors import CaffeError
from caffe.net_spec import layers as L

PASS_THROUGH = frozenset(
    "AbsVal BatchNorm Bias BNLL Clip Dropout ELU Eltwise Exp Log LRN MVN Power PReLU ReLU Scale "
    "Sigmoid Softmax Split Swish TanH Threshold".split()
)
IDENTITY = (None, 1, 0)
TOLERANCE = 1e-6  # scales multiply up rounding errors of about 1e-16


class UndefinedMapException(CaffeError):
    """The layer has no coordinate map, as InnerProduct, which mixes all places."""


class AxisMismatchException(CaffeError):
    """Two maps on the way act along different axes and cannot be composed."""


class UnconnectedTopsException(CaffeError):
    """No chain of spatial layers joins the two tops."""


class ScaleMismatchException(CaffeError, AssertionError):
    """The two tops have different strides; no crop aligns them."""


class NegativeCropException(CaffeError, AssertionError):
    """The top to crop begins inside the reference; there is nothing to cut off."""


class FractionalCropException(CaffeError, AssertionError):
    """The two tops are shifted by a part of a pixel; no crop aligns them."""


def conv_params(fn):
    """(axis, stride, effective kernel size, pad) of a convolution, deconvolution or pooling.

    The last three are arrays with one entry for all spatial axes or one for each. The effective
    size counts the gaps of a dilated kernel: dilation (k - 1) + 1.
    """
    group = "pooling_param" if fn.type_name == "Pooling" else "convolution_param"
    params = fn.params.get(group, fn.params)
    if params.get("global_pooling"):
        raise UndefinedMapException("global pooling has no coordinate map: it keeps no places")
    kernel = _sizes(params, "kernel_size", "kernel")
    if kernel is None:
        raise UndefinedMapException(f"a {fn.type_name} without kernel_size has no coordinate map")
    stride, pad = _sizes(params, "stride", "stride", 1), _sizes(params, "pad", "pad", 0)
    dilation = _sizes(params, "dilation", "dilation", 1)
    return params.get("axis", 1), stride, (kernel - 1) * dilation + 1, pad


def _sizes(params, name, stem, default=None):
    """A size as an array: from `name`, or from its _h and _w forms."""
    if f"{stem}_h" in params or f"{stem}_w" in params:
        return np.array([params.get(f"{stem}_h", default), params.get(f"{stem}_w", default)])
    size = params.get(name, default)
    size = default if isinstance(size, list | tuple) and not size else size
    return None if size is None else np.array(size, ndmin=1)


def crop_params(fn):
    """(axis, offset) of a crop: its first cropped axis, and an array of one or of all offsets."""
    params = fn.params.get("crop_param", fn.params)
    return params.get("axis", 2), np.array(params.get("offset", 0), ndmin=1)


def coord_map(fn):
    """The map (axis, scale, shift) from the coordinates of the bottom of `fn` to its top's.

    Raises UndefinedMapException where the type has none.
    """
    if fn.type_name in ("Convolution", "Pooling", "Im2col"):
        axis, stride, kernel, pad = conv_params(fn)
        return axis, 1 / stride, (pad - (kernel - 1) / 2) / stride
    if fn.type_name == "Deconvolution":
        axis, stride, kernel, pad = conv_params(fn)
        return axis, stride, (kernel - 1) / 2 - pad
    if fn.type_name == "Crop":
        axis, offset = crop_params(fn)
        return axis - 1, 1, -offset  # the axis before the first cropped, as in a convolution
    if fn.type_name in PASS_THROUGH or _along_channels(fn):
        return IDENTITY
    raise UndefinedMapException(f"a layer of type {fn.type_name} has no coordinate map")


def _along_channels(fn):
    """Whether this Concat or Slice joins or parts channels, which moves no pixel."""
    if fn.type_name not in ("Concat", "Slice"):
        return False
    params = fn.params.get(f"{fn.type_name.lower()}_param", fn.params)
    return params.get("axis", params.get("concat_dim", params.get("slice_dim", 1))) == 1


def compose(base_map, next_map):
    """Base after next: x -> base(next(x)). Raises AxisMismatchException."""
    axis, scale, shift = base_map
    next_axis, next_scale, next_shift = next_map
    if axis is not None and next_axis is not None and axis != next_axis:
        raise AxisMismatchException(
            f"maps along axis {axis} and {next_axis} cannot be composed; "
            "crop the same axes that the layers slide over"
        )
    axis = next_axis if axis is None else axis
    return axis, scale * next_scale, scale * next_shift + shift


def inverse(coord_map):
    """The map back: x = (y - shift) / scale."""
    axis, scale, shift = coord_map
    return axis, 1 / scale, -shift / scale


def coord_map_from_to(top_from, top_to):
    """The map (axis, scale, shift) from coordinates of `top_from` to those of `top_to`.

    Both are followed down to a top they share, which all paths are taken to reach alike.
    Raises UnconnectedTopsException, AxisMismatchException.
    """
    blocked = []
    from_ancestors = dict(_ancestors(top_from, blocked))
    for top, to_map in _ancestors(top_to, blocked):
        if top in from_ancestors:
            return compose(to_map, inverse(from_ancestors[top]))
    why = f" ({'; '.join(sorted(set(blocked)))})" if blocked else ""
    raise UnconnectedTopsException(f"no spatial layers connect the two tops{why}")


def _ancestors(top, blocked):
    """Yield (ancestor, map from its coordinates to those of `top`), nearest first, `top` included.

    Says in `blocked` which layers ended a path.
    """
    maps, frontier = {top: IDENTITY}, [top]
    for top in frontier:
        yield top, maps[top]
        inputs = top.fn.inputs[:1] if top.fn.type_name == "Crop" else top.fn.inputs
        if not inputs:
            continue
        try:
            layer_map = coord_map(top.fn)
        except UndefinedMapException as error:
            blocked.append(str(error))
            continue
        for bottom in inputs:
            if bottom not in maps:
                maps[bottom] = compose(maps[top], layer_map)
                frontier.append(bottom)


def crop(top_from, top_to):
    """A Crop layer (a Top) that aligns `top_from` with `top_to` and gives it its size.

    Raises ScaleMismatchException, NegativeCropException, FractionalCropException and what
    coord_map_from_to raises.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    offset = -np.array(shift, dtype=float, ndmin=1)
    if not np.allclose(scale, 1, rtol=0, atol=TOLERANCE):
        raise ScaleMismatchException(
            f"cannot crop: a pixel of the first top spans {scale} pixels "
            "of the second; their strides must be equal"
        )
    if (offset < -TOLERANCE).any():
        raise NegativeCropException(
            f"cannot crop by {offset}: the first top begins inside the "
            "second; pad the input more (the FCNs take pad: 100)"
        )
    if (np.abs(offset - np.round(offset)) > TOLERANCE).any():
        raise FractionalCropException(
            f"cannot crop by {offset}: the tops are shifted by a part of "
            "a pixel; change a kernel size or pad by one"
        )
    axis = 2 if axis is None else axis + 1
    return L.Crop(
        top_from, top_to, crop_param=dict(axis=axis, offset=np.round(offset).astype(int).tolist())
    )
