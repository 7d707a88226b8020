"""Convolution and Deconvolution against explicit sums and each other; their sizes and errors."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

import caffe
from caffe.errors import CaffeError, LayerError, ShapeMismatch
from caffe.layer_types import make
from caffe.proto import caffe_pb2


def convolve(x, w, b, stride, pad, dilation, group):
    """Return a convolution by its definition, one multiply-add at a time (N C H W)."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    size = [
        (x.shape[2 + i] - dilation[i] * (w.shape[2 + i] - 1) - 1) // stride[i] + 1 for i in (0, 1)
    ]
    out = np.zeros((len(x), len(w), *size)) + b[:, None, None]
    per_group = len(w) // group
    for n, o, i, j in np.ndindex(out.shape):
        first = o // per_group * w.shape[1]
        for c, k, m in np.ndindex(w.shape[1:]):
            out[n, o, i, j] += (
                w[o, c, k, m]
                * x[n, first + c, i * stride[0] + k * dilation[0], j * stride[1] + m * dilation[1]]
            )
    return out


def deconvolve(x, w, b, stride, pad, dilation, group):
    """Return a deconvolution by its definition: each input pixel adds a kernel."""
    size = [
        stride[i] * (x.shape[2 + i] - 1) + dilation[i] * (w.shape[2 + i] - 1) + 1 for i in (0, 1)
    ]
    per_in, per_out = x.shape[1] // group, w.shape[1]
    out = np.zeros((len(x), per_out * group, *size))
    for n, c, i, j in np.ndindex(x.shape):
        for o, k, m in np.ndindex(w.shape[1:]):
            out[
                n,
                c // per_in * per_out + o,
                i * stride[0] + k * dilation[0],
                j * stride[1] + m * dilation[1],
            ] += w[c, o, k, m] * x[n, c, i, j]
    cut = [slice(p, s - p) for p, s in zip(pad, size)]
    return out[:, :, cut[0], cut[1]] + b[:, None, None]


CASES = {
    "plain": ("kernel_size: 3", (1, 1), (0, 0), (1, 1), 1),
    "fcn": ("kernel_size: 3 pad: 4", (1, 1), (4, 4), (1, 1), 1),
    "strided": ("kernel_size: 3 stride: 2 pad: 1", (2, 2), (1, 1), (1, 1), 1),
    "by axis": (
        "kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 2",
        (2, 1),
        (0, 2),
        (1, 1),
        1,
    ),
    "lists": (
        "kernel_size: 2 kernel_size: 3 stride: [1, 2] pad: [1, 0] dilation: [2, 1]",
        (1, 2),
        (1, 0),
        (2, 1),
        1,
    ),
    "one pad given": ("kernel_h: 1 kernel_w: 3 pad_w: 1", (1, 1), (0, 1), (1, 1), 1),
    "dilated": ("kernel_size: 3 dilation: 2 pad: 1", (1, 1), (1, 1), (2, 2), 1),
    "grouped": ("kernel_size: 3 group: 2", (1, 1), (0, 0), (1, 1), 2),
    "depthwise": ("kernel_size: 2 group: 4 stride: 2", (2, 2), (0, 0), (1, 1), 4),
}


SHAPE = (2, 4, 8, 7)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "kind, by_hand", [("Convolution", convolve), ("Deconvolution", deconvolve)]
)
def test_by_definition(one_layer, kind, by_hand, case):
    text, *how = CASES[case]
    net = one_layer(f'type: "{kind}" convolution_param {{ num_output: 4 {text} }}', SHAPE)
    w, b = (p.data for p in net.params["layer"])
    wanted = by_hand(net.blobs["in0"].data, w, b, *how)
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=2e-5)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
def test_gradients(one_layer, check_gradients, kind, case):
    net = one_layer(f'type: "{kind}" convolution_param {{ num_output: 4 {CASES[case][0]} }}', SHAPE)
    check_gradients(net, step=0.5)  # linear in each entry: any step is exact


def test_without_bias(one_layer):
    net = one_layer(
        'type: "Convolution" convolution_param { num_output: 3 kernel_size: 1 bias_term: false }',
        (1, 2, 4, 4),
    )
    assert [b.shape for b in net.params["layer"]] == [(3, 2, 1, 1)]
    wanted = np.einsum(
        "oc,nchw->nohw", net.params["layer"][0].data[:, :, 0, 0], net.blobs["in0"].data
    )
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 5, 4, 6)])
def test_one_and_three_axes(one_layer, check_gradients, shape):
    net = one_layer('type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 }', shape)
    w, b = (p.data.astype(np.float64) for p in net.params["layer"])
    x, out = net.blobs["in0"].data, net.forward()["top"]
    for n, o in itertools.product(range(2), range(2)):
        wanted = correlate(x[n], w[o], mode="valid")[0] + b[o]
        np.testing.assert_allclose(out[n, o], wanted, atol=1e-4)
    check_gradients(net, step=0.5)


def test_axes_before_the_channels_are_folded(one_layer):
    plain = one_layer(
        'type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 }', (6, 3, 5, 5)
    )
    folded = one_layer(
        'type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 axis: 2 }',
        (2, 3, 3, 5, 5),
    )
    np.testing.assert_array_equal(
        folded.forward()["top"].reshape(6, 2, 3, 3), plain.forward()["top"]
    )
    negative = one_layer(
        'type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 axis: -3 }',
        (2, 3, 3, 5, 5),
    )
    np.testing.assert_array_equal(negative.forward()["top"], folded.forward()["top"])


def test_all_bottoms_share_the_weights(one_layer, check_gradients):
    net = one_layer(
        'type: "Convolution" top: "top" top: "second" convolution_param { '
        "num_output: 2 kernel_size: 3 }",
        (1, 3, 5, 5),
        (1, 3, 5, 5),
    )
    net.blobs["in1"].data[...] = net.blobs["in0"].data
    out = net.forward()
    np.testing.assert_array_equal(out["top"], out["second"])
    net.backward(top=np.ones((1, 2, 3, 3)), second=np.ones((1, 2, 3, 3)))
    np.testing.assert_array_equal(net.params["layer"][1].diff, [18, 18])


@pytest.mark.parametrize(
    "how, size",
    [("kernel_size: 3 stride: 4000000000", 1), ("kernel_size: 1 dilation: 4000000000", 4)],
)
def test_huge_strides_and_dilations_without_effect(one_layer, how, size):
    net = one_layer(
        f'type: "Convolution" convolution_param {{ num_output: 2 {how} }}', (1, 2, 4, 4)
    )
    assert net.forward()["top"].shape == (1, 2, size, size)


def test_an_empty_batch(one_layer):
    net = one_layer(
        'type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 }',
        (0, 3, 5, 5),
        force_backward=False,
    )
    assert net.forward()["top"].shape == (0, 2, 3, 3)


def test_bilinear_upsampling_of_a_plane_is_a_plane(one_layer):
    """Away from the borders, the upsampling of the FCN preserves linear functions."""
    net = one_layer(
        'type: "Deconvolution" convolution_param { num_output: 2 kernel_size: 4 '
        'stride: 2 group: 2 bias_term: false weight_filler { type: "bilinear" } }',
        (1, 2, 6, 7),
    )
    net.params["layer"][0].data[...] = np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])
    y, x = np.mgrid[:6, :7]
    net.blobs["in0"].data[0] = y + 10 * x, x - 3 * y
    out = net.forward()["top"][0, :, 3:-3, 3:-3]
    y, x = (np.mgrid[3:11, 3:13] - 1.5) / 2  # pixel centres: in = (out - (k - 1)/2) / stride
    np.testing.assert_allclose(out, [y + 10 * x, x - 3 * y], atol=1e-5)


def layer_of(kind, **params):
    spec = caffe_pb2.LayerParameter(name="layer", type=kind, bottom=["b"], top=["t"])
    for name, value in params.items():
        field = getattr(spec.convolution_param, name)
        if hasattr(field, "append"):
            field.append(value)
        else:
            setattr(spec.convolution_param, name, value)
    return make(spec, caffe.TEST)


sizes = st.integers(1, 40)


@given(sizes, st.integers(1, 7), st.integers(1, 5), st.integers(0, 6), st.integers(1, 3))
def test_sizes(size, kernel, stride, pad, dilation):
    """Sizes by counting the windows read, or the pixels written."""
    how = dict(num_output=1, kernel_size=kernel, stride=stride, pad=pad, dilation=dilation)
    extent = dilation * (kernel - 1) + 1
    starts = range(0, size + 2 * pad - extent + 1, stride)
    conv = layer_of("Convolution", **how)
    if len(starts):
        assert conv.geometry([(1, 1, size, size)]).tops == ((1, 1, len(starts), len(starts)),)
    else:
        with pytest.raises(ShapeMismatch, match="'layer'.*too small"):
            conv.geometry([(1, 1, size, size)])
    written = (size - 1) * stride + extent - 2 * pad
    deconv = layer_of("Deconvolution", **how)
    if written > 0:
        assert deconv.geometry([(1, 1, size, size)]).tops == ((1, 1, written, written),)
    else:
        with pytest.raises(ShapeMismatch, match="too small"):
            deconv.geometry([(1, 1, size, size)])


@settings(max_examples=25)
@given(st.integers(3, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2))
def test_deconvolution_is_the_transpose_of_convolution(size, kernel, stride, pad):
    """<conv(x), y> = <x, deconv(y)> with the same weights, if the sizes fit."""
    import torch

    assume((size + 2 * pad - kernel) % stride == 0 and size + 2 * pad >= kernel and pad < kernel)
    rng = np.random.default_rng(0)
    how = dict(kernel_size=kernel, stride=stride, pad=pad, bias_term=False)
    conv, deconv = (
        layer_of(kind, num_output=n, **how)
        for kind, n in (("Convolution", 3), ("Deconvolution", 2))
    )
    x = torch.tensor(rng.normal(size=(1, 2, size, size)))
    w = torch.tensor(rng.normal(size=(3, 2, kernel, kernel)))
    forth = conv.geometry([tuple(x.shape)])
    y = torch.tensor(rng.normal(size=forth.tops[0]))
    back = deconv.geometry([tuple(y.shape)])
    assert back.tops[0] == tuple(x.shape)
    left = (conv.forward(forth, [x], [w])[0] * y).sum()
    right = (deconv.forward(back, [y], [w])[0] * x).sum()
    assert float(left) == pytest.approx(float(right), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "params, words",
    [
        ("num_output: 2", "kernel_size is missing"),
        ("kernel_size: 3", "num_output is missing"),
        ("num_output: 2 kernel_size: 0", "kernel_size must be 1 or more"),
        ("num_output: 2 kernel_size: 3 stride: 0", "stride must be 1 or more"),
        ("num_output: 2 kernel_size: 3 kernel_h: 3 kernel_w: 3", "not both"),
        ("num_output: 2 kernel_h: 3", "give both"),
        ("num_output: 2 kernel_size: 3 stride_w: 2", "give both"),
        ("num_output: 2 kernel_size: [3, 3, 3]", "3 values for 2"),
        ("num_output: 3 kernel_size: 3 group: 2", "group 2 does not divide"),
        ("num_output: 2 kernel_size: 3 group: 0", "group 0"),
        ("num_output: 2 kernel_size: 3 axis: 4", "axis 4"),
        ("num_output: 2 kernel_size: 3 axis: 3", "spatial axes"),
        ("num_output: 2 kernel_size: 9", "too small"),
        ("num_output: 4294967295 kernel_size: 3", "make it smaller"),
        ("num_output: 2 kernel_size: 100000 pad: 4000000000", "make it smaller"),
        ("num_output: 1 kernel_size: 1 pad: 1000000", "make it smaller"),
        ('num_output: 2 kernel_size: 3 weight_filler { type: "xaver" }', "unknown filler"),
        ('num_output: 2 kernel_h: 3 kernel_w: 2 weight_filler { type: "bilinear" }', "square"),
    ],
)
def test_refused_with_the_layers_name(one_layer, params, words):
    with pytest.raises(LayerError, match=f"^layer 'layer'.*{words}"):
        one_layer(f'type: "Convolution" convolution_param {{ {params} }}', (1, 2, 6, 6))


def test_a_deconvolution_larger_than_memory_is_refused(one_layer):
    with pytest.raises(LayerError, match="'layer'.*'top' would have shape"):
        one_layer(
            'type: "Deconvolution" convolution_param { num_output: 2 kernel_size: 3 '
            "stride: 1000000 }",
            (1, 2, 6, 6),
        )


def test_an_input_too_large_is_refused(make_net):
    with pytest.raises(CaffeError, match="'data'.*1e[+]12 elements"):
        make_net(
            'layer { name: "data" type: "Input" top: "data" '
            "input_param { shape { dim: 1000000 dim: 1000000 } } }"
        )
    with pytest.raises(CaffeError, match="'data'.*whole numbers"):
        make_net(
            'layer { name: "data" type: "Input" top: "data" '
            "input_param { shape { dim: 1 dim: -1 } } }"
        )


def test_bottoms_with_other_channels_do_not_fit_the_weights(one_layer):
    net = one_layer(
        'type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 }', (1, 3, 5, 5)
    )
    net.blobs["in0"].reshape(1, 4, 5, 5)
    with pytest.raises(ShapeMismatch, match=r"'layer'.*weights are \(2, 3, 3, 3\).*\(2, 4, 3, 3\)"):
        net.forward()


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
def test_without_spatial_axes_it_is_a_matrix_product(one_layer, check_gradients, kind, group):
    net = one_layer(
        f'type: "{kind}" convolution_param {{ num_output: 6 axis: -1 group: {group} }}', (2, 3, 4)
    )
    weight, bias = (b.data for b in net.params["layer"])
    assert weight.shape == ((6, 4 // group) if kind == "Convolution" else (4, 6 // group))
    wanted = np.zeros((2, 3, 6))
    for k in range(group):
        i, o = (slice(n // group * k, n // group * (k + 1)) for n in (4, 6))
        part = weight[o].T if kind == "Convolution" else weight[i]
        wanted[..., o] = net.blobs["in0"].data[..., i] @ part + bias[o]
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-5)
    check_gradients(net)


def test_engine_and_force_nd_im2col_have_no_effect(one_layer):
    """Compare top and gradients with NumPy's sliding windows under each option."""
    how = 'type: "Convolution" convolution_param { num_output: 2 kernel_size: 3 %s }'
    for option in (
        "",
        "engine: DEFAULT",
        "engine: CAFFE",
        "engine: CUDNN",
        "force_nd_im2col: true",
    ):
        net = one_layer(how % option, (1, 2, 6, 6))
        x, (weight, bias) = net.blobs["in0"].data, (b.data for b in net.params["layer"])
        windows = np.lib.stride_tricks.sliding_window_view(x[0], (3, 3), (1, 2))
        wanted = np.einsum("ihwyx,oiyx->ohw", windows, weight) + bias[:, None, None]
        np.testing.assert_allclose(net.forward()["top"], wanted[None], rtol=1e-5, atol=1e-5)
        top = np.random.default_rng(1).normal(size=(1, 2, 4, 4)).astype(np.float32)
        net.clear_param_diffs()
        back = net.backward(top=top)["in0"]
        wide = np.pad(top[0], ((0, 0), (2, 2), (2, 2)))
        windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), (1, 2))
        wanted = np.einsum("ohwyx,oiyx->ihw", windows, weight[:, :, ::-1, ::-1])
        np.testing.assert_allclose(back[0], wanted, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(net.params["layer"][1].diff, top.sum((0, 2, 3)), rtol=1e-5)
