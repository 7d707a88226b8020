"""How convolution and pooling slide: kernel, stride, pad and dilation per spatial axis."""

from caffe.layer_types.base import canonical_axis


def per_axis(layer, param, name, n, default):
    """One int per spatial axis from the repeated field `name`, or from `name`_h and `name`_w.

    One value serves all axes. The _h/_w spelling is for two axes only (caffe.proto).
    """
    stem = name.replace("_size", "")
    have_h, have_w = (hasattr(param, stem + s) and param.HasField(stem + s) for s in ("_h", "_w"))
    given = getattr(param, name)
    given = list(given) if hasattr(given, "__len__") else [given] if param.HasField(name) else []
    if have_h or have_w:
        if given:
            raise layer.error(f"give {name} or {stem}_h and {stem}_w, not both")
        if n != 2:
            raise layer.error("%s_h and %s_w are for 2 spatial axes, here are %d" % (stem, stem, n))
        if name != "pad" and not (have_h and have_w):
            raise layer.error(f"{stem}_h and {stem}_w belong together: give both")
        return getattr(param, stem + "_h"), getattr(param, stem + "_w")  # an absent pad is 0
    if not given:
        if default is None and n:
            raise layer.error(f"{name} is missing: give {name}, or {stem}_h and {stem}_w")
        given = [default]
    if len(given) not in (1, n):
        raise layer.error("%s has %d values for %d spatial axes" % (name, len(given), n))
    return tuple(given * n if len(given) == 1 else given)


def slide(layer, shape):
    """(channel axis, kernel, stride, pad, dilation) of a layer with a convolution_param over a
    bottom of `shape`; the last four have one int for each axis after the channels'.
    """
    p = layer.spec.convolution_param
    axis = canonical_axis(layer, p.axis, len(shape))
    n = len(shape) - axis - 1
    if not n and any(k != 1 for k in p.kernel_size):
        raise layer.mismatch(
            "its kernel_size needs spatial axes after channel axis %d, its bottom "
            "has shape %s" % (axis, tuple(shape))
        )
    kernel, stride, pad, dilation = (
        per_axis(layer, p, name, n, default)
        for name, default in (("kernel_size", None), ("stride", 1), ("pad", 0), ("dilation", 1))
    )
    check_positive(layer, kernel_size=kernel, stride=stride, dilation=dilation)
    return axis, kernel, stride, pad, dilation


def check_positive(layer, **values):
    """LayerError where a kernel, stride or dilation is 0 (the fields are unsigned)."""
    for name, per in values.items():
        if any(v < 1 for v in per):
            raise layer.error(f"{name} must be 1 or more on each axis, is {per}")
