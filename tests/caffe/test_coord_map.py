"""Coordinate maps against pixels traced through the layers one index at a time."""

from fractions import Fraction
from math import prod

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from caffe import coord_map as cm
from caffe.errors import CaffeError
from caffe.net_spec import NetSpec
from caffe.net_spec import layers as L
from caffe.net_spec import params as P


def data():
    return L.Input(shape=dict(dim=[1, 1, 64, 64]))


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda d: L.Convolution(d, kernel_size=3, pad=1, num_output=1), (1, 1, 0)),
        (lambda d: L.Convolution(d, kernel_size=4, stride=2, num_output=1), (1, 0.5, -0.75)),
        (lambda d: L.Convolution(d, kernel_size=3, dilation=2, num_output=1), (1, 1, -2)),
        (lambda d: L.Convolution(d, convolution_param=dict(kernel_size=3)), (1, 1, -1)),
        (
            lambda d: L.Convolution(d, kernel_size=[3, 5], stride=[1, 2], num_output=1),
            (1, [1, 0.5], [-1, -1]),
        ),
        (
            lambda d: L.Convolution(d, kernel_h=3, kernel_w=5, pad_h=1, num_output=1),
            (1, 1, [0, -2]),
        ),
        (lambda d: L.Pooling(d, pool=P.Pooling.MAX, kernel_size=2, stride=2), (1, 0.5, -0.25)),
        (lambda d: L.Pooling(d, pooling_param=dict(kernel_size=2, stride=2)), (1, 0.5, -0.25)),
        (lambda d: L.Deconvolution(d, kernel_size=4, stride=2, num_output=1), (1, 2, 1.5)),
        (
            lambda d: L.Deconvolution(d, convolution_param=dict(kernel_size=4, stride=2, pad=1)),
            (1, 2, 0.5),
        ),
        (lambda d: L.Crop(d, d, offset=3), (1, 1, -3)),
        (lambda d: L.Crop(d, d, crop_param=dict(axis=1, offset=[0, 3, 4])), (0, 1, [0, -3, -4])),
        (lambda d: L.Crop(d, d), (1, 1, 0)),
        (lambda d: L.ReLU(d), (None, 1, 0)),
        (lambda d: L.Eltwise(d, d), (None, 1, 0)),
        (lambda d: L.Concat(d, d), (None, 1, 0)),
    ],
)
def test_maps_of_layers(make, expected):
    axis, scale, shift = cm.coord_map(make(data()).fn)
    assert axis == expected[0]
    np.testing.assert_array_equal(scale, expected[1])
    np.testing.assert_array_equal(shift, expected[2])


@pytest.mark.parametrize(
    "make",
    [
        lambda d: L.InnerProduct(d, num_output=3),
        lambda d: L.Concat(d, d, axis=2),
        lambda d: L.Pooling(d, global_pooling=True),
        lambda d: L.Convolution(d),
        lambda d: d,
    ],
)
def test_layers_without_a_map(make):
    with pytest.raises(cm.UndefinedMapException):
        cm.coord_map(make(data()).fn)


def test_inverse_and_compose():
    double, minus_three = (1, 2, 0), (1, 1, -3)
    assert cm.compose(double, minus_three) == (1, 2, -6)
    assert cm.compose(minus_three, double) == (1, 2, -3)
    assert cm.compose((None, 1, 0), double) == cm.compose(double, (None, 1, 0)) == double
    assert cm.compose(cm.inverse((1, 4, 3)), (1, 4, 3)) == (1, 1, 0)


# ---- brute force: a pixel of the bottleneck is traced down to the data and up to the output


def read_by(pixel, layer):
    """Return the pixels of the bottom, with repeats, that a pixel of a convolution's top reads."""
    kernel, stride, pad, dilation = layer
    return [pixel * stride - pad + tap * dilation for tap in range(kernel)]


def written_by(pixel, layer):
    """Return the pixels of a deconvolution's top that a pixel of its bottom writes."""
    return read_by(pixel, layer)


def centre(pixel, layers, step):
    """Return the mean position that `pixel` reaches through `layers`."""
    pixels = [pixel]
    for layer in layers:
        pixels = [reached for p in pixels for reached in step(p, layer)]
    return Fraction(sum(pixels), len(pixels))


SIZES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 12), st.integers(1, 2))
CHAINS = st.lists(SIZES, min_size=1, max_size=3)


@given(CHAINS, CHAINS, st.integers(0, 9), st.booleans())
def test_crop_offset_is_the_distance_between_traced_centres(down, up, cropped, equal_strides):
    """Data -> convolutions -> deconvolutions -> crop: align the output with the data."""
    stride = prod(layer[1] for layer in down)
    if equal_strides:  # rarely drawn randomly
        up = [(up[0][0], stride, *up[0][2:])]
    source = top = data()
    for kernel, step, pad, dilation in down:
        top = L.ReLU(
            L.Convolution(
                top, kernel_size=kernel, stride=step, pad=pad, dilation=dilation, num_output=1
            )
        )
    for kernel, step, pad, dilation in up:
        top = L.Deconvolution(
            top, kernel_size=kernel, stride=step, pad=pad, dilation=dilation, num_output=1
        )
    top = L.Crop(top, source, axis=2, offset=cropped)

    # positions of pixels 0 and 1 of the bottleneck, in the data and in the output
    positions = [
        (centre(pixel, down[::-1], read_by), centre(pixel, up, written_by) - cropped)
        for pixel in (0, 1)
    ]
    offset = positions[0][1] - positions[0][0]
    if offset != positions[1][1] - positions[1][0]:
        with pytest.raises(cm.ScaleMismatchException):
            cm.crop(top, source)
    elif offset < 0:
        with pytest.raises(cm.NegativeCropException):
            cm.crop(top, source)
    elif offset.denominator > 1:
        with pytest.raises(cm.FractionalCropException):
            cm.crop(top, source)
    else:
        assert cm.crop_params(cm.crop(top, source).fn)[1] == [offset]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 97)), min_size=2, max_size=6))
def test_rounding_does_not_shift_a_symmetric_net(sizes):
    """A net that downsamples and upsamples by the same factors has offset exactly 0."""
    assume(prod(stride for _, stride in sizes) < 1e6)
    source = top = data()
    for kernel, stride in sizes:
        top = L.Convolution(top, kernel_size=kernel, stride=stride, num_output=1)
    for kernel, stride in reversed(sizes):
        top = L.Deconvolution(top, kernel_size=kernel, stride=stride, num_output=1)
    assert cm.crop_params(cm.crop(top, source).fn)[1] == [0]


# ---- nets


def fcn8s():
    """Return the layers of FCN-8s that matter for coordinates.

    These are pad 100, five poolings, fc6 and three skips.
    """
    n = NetSpec()
    n.data = top = data()
    for block, convolutions in enumerate((2, 2, 3, 3, 3), start=1):
        for i in range(1, convolutions + 1):
            pad = 100 if (block, i) == (1, 1) else 1
            top = L.ReLU(L.Convolution(top, kernel_size=3, pad=pad, num_output=1), in_place=True)
        n[f"pool{block}"] = top = L.Pooling(top, kernel_size=2, stride=2)
    n.score_fr = L.Convolution(L.Convolution(top, kernel_size=7, num_output=1), kernel_size=1)
    n.upscore2 = L.Deconvolution(n.score_fr, kernel_size=4, stride=2)
    n.score_pool4 = L.Convolution(n.pool4, kernel_size=1)
    n.score_pool4c = cm.crop(n.score_pool4, n.upscore2)
    n.fuse_pool4 = L.Eltwise(n.upscore2, n.score_pool4c)
    n.upscore_pool4 = L.Deconvolution(n.fuse_pool4, kernel_size=4, stride=2)
    n.score_pool3 = L.Convolution(n.pool3, kernel_size=1)
    n.score_pool3c = cm.crop(n.score_pool3, n.upscore_pool4)
    n.fuse_pool3 = L.Eltwise(n.upscore_pool4, n.score_pool3c)
    n.upscore8 = L.Deconvolution(n.fuse_pool3, kernel_size=16, stride=8)
    n.score = cm.crop(n.upscore8, n.data)
    return n


def test_offsets_of_fcn8s():
    """The published net crops by 5, 9 and 31."""
    n = fcn8s()
    offsets = {
        name: n[name].fn.params["crop_param"] for name in ("score_pool4c", "score_pool3c", "score")
    }
    assert offsets == {
        "score_pool4c": dict(axis=2, offset=[5]),
        "score_pool3c": dict(axis=2, offset=[9]),
        "score": dict(axis=2, offset=[31]),
    }
    assert n.score.fn.inputs == (n.upscore8, n.data)


def test_the_reference_of_a_crop_is_not_a_path():
    source, other = data(), data()
    cropped = L.Crop(source, other, offset=1)
    with pytest.raises(cm.UnconnectedTopsException):
        cm.coord_map_from_to(cropped, other)


def test_errors_for_unconnected_tops_name_the_obstacle():
    n = NetSpec()
    n.data = data()
    n.fc = L.InnerProduct(n.data, num_output=3)
    with pytest.raises(RuntimeError, match="InnerProduct has no coordinate map") as caught:
        cm.coord_map_from_to(L.ReLU(n.fc), n.data)
    assert isinstance(caught.value, CaffeError)


def test_axes_must_agree():
    source = data()
    along_width = L.Crop(L.Convolution(source, kernel_size=3), source, axis=3, offset=1)
    with pytest.raises(cm.AxisMismatchException, match="axis 2 and 1"):
        cm.crop(along_width, source)


@pytest.mark.parametrize(
    "error", [cm.ScaleMismatchException, cm.NegativeCropException, cm.FractionalCropException]
)
def test_impossible_crops_are_assertion_errors_too(error):
    """Scripts for pycaffe catch AssertionError."""
    assert issubclass(error, AssertionError) and issubclass(error, CaffeError)


def test_many_skips_take_linear_time():
    """Two paths around each of 60 layers are 2^60 paths."""
    source = top = data()
    for _ in range(60):
        top = L.Eltwise(top, L.Convolution(top, kernel_size=3, pad=1))
    assert cm.coord_map_from_to(top, source) == (None, 1, 0)
