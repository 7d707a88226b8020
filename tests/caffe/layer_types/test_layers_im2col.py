"""Im2col against torch's unfold, SPP against Pooling at each level."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from caffe.errors import LayerError, ShapeMismatch

CASES = {
    "plain": ("kernel_size: 3", dict(kernel_size=3)),
    "padded": ("kernel_size: 3 pad: 1 stride: 2", dict(kernel_size=3, padding=1, stride=2)),
    "dilated": ("kernel_size: 2 dilation: 3", dict(kernel_size=2, dilation=3)),
    "by axis": (
        "kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 1",
        dict(kernel_size=(3, 2), stride=(2, 1), padding=(0, 1)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_im2col_equals_unfold(one_layer, check_gradients, case):
    text, how = CASES[case]
    net = one_layer(f'type: "Im2col" convolution_param {{ {text} }}', (2, 3, 7, 6))
    top = net.forward()["top"]
    wanted = F.unfold(torch.from_numpy(net.blobs["in0"].data), **how)
    np.testing.assert_array_equal(top.reshape(wanted.shape), wanted)
    check_gradients(net)


@pytest.mark.parametrize("shape, axis", [((2, 3, 7), 1), ((2, 2, 4, 5, 6), 1), ((2, 4, 3, 5), 2)])
def test_im2col_times_weights_is_a_convolution(one_layer, shape, axis):
    """Also over one and three spatial axes, and with another channel axis."""
    how = f"kernel_size: 3 stride: 2 pad: 1 axis: {axis}"
    columns = one_layer(f'type: "Im2col" convolution_param {{ {how} }}', shape)
    conv = one_layer(
        f'type: "Convolution" convolution_param {{ {how} num_output: 4 bias_term: false }}', shape
    )
    weight = conv.params["layer"][0].data.reshape(4, -1)
    patches = np.moveaxis(columns.forward()["top"], axis, -1)
    np.testing.assert_allclose(
        np.moveaxis(patches @ weight.T, -1, axis), conv.forward()["top"], atol=1e-5
    )


@pytest.mark.parametrize(
    "params, words",
    [
        ("kernel_size: 9", "too small"),
        ("", "kernel_size is missing"),
        ("kernel_size: 2 stride: 0", "1 or more"),
        ("kernel_size: 2 axis: 4", "axis 4"),
        ("kernel_size: 2 axis: 3", "spatial axes"),
    ],
)
def test_im2col_refuses(one_layer, params, words):
    with pytest.raises(LayerError, match=f"^layer 'layer'.*{words}"):
        one_layer(f'type: "Im2col" convolution_param {{ {params} }}', (2, 3, 7, 6))


@pytest.mark.parametrize("kind", ["MAX", "AVE"])
@pytest.mark.parametrize("size", [(8, 8), (7, 8), (12, 15)])
def test_spp_is_a_pyramid_of_poolings(one_layer, check_gradients, kind, size):
    net = one_layer(f'type: "SPP" spp_param {{ pyramid_height: 3 pool: {kind} }}', (2, 3, *size))
    x, parts = net.blobs["in0"].data, []
    for n in (1, 2, 4):
        kernel = [int(np.ceil(d / n)) for d in size]
        pad = [int(np.ceil((k * n - d) / 2)) for k, d in zip(kernel, size, strict=True)]
        level = one_layer(
            f'type: "Pooling" pooling_param {{ pool: {kind} '
            f"kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {kernel[0]} "
            f"stride_w: {kernel[1]} pad_h: {pad[0]} pad_w: {pad[1]} }}",
            x.shape,
        )
        level.blobs["in0"].data[...] = x
        parts.append(level.forward()["top"].reshape(2, -1))
    out = net.forward()["top"]
    np.testing.assert_array_equal(out, np.concatenate(parts, 1))
    assert out.shape == (2, 3 * 21)  # windows: 1 + 4 + 16
    check_gradients(net, step=1e-3, tolerance=5e-3)


def test_spp_by_hand_and_at_another_size(one_layer):
    net = one_layer('type: "SPP" spp_param { pyramid_height: 2 }', (1, 1, 4, 4))
    for size in ((4, 4), (6, 2)):
        net.blobs["in0"].reshape(1, 1, *size)
        x = net.blobs["in0"].data
        x[...] = np.arange(x.size).reshape(x.shape)
        h, w = size[0] // 2, size[1] // 2
        quarters = [
            x[..., i * h : (i + 1) * h, j * w : (j + 1) * w].max() for i in (0, 1) for j in (0, 1)
        ]
        np.testing.assert_array_equal(net.forward()["top"], [[x.max(), *quarters]])


def test_a_pyramid_of_one_level_keeps_its_axes(one_layer):
    net = one_layer('type: "SPP" spp_param { pyramid_height: 1 pool: AVE }', (2, 3, 5, 6))
    top = net.forward()["top"]
    assert top.shape == (2, 3, 1, 1)
    np.testing.assert_allclose(top[..., 0, 0], net.blobs["in0"].data.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize(
    "params, shape, words",
    [
        ("", (1, 1, 4, 4), "pyramid_height is 0"),
        ("pyramid_height: 99", (1, 1, 4, 4), "is 99"),
        ("pyramid_height: 3", (1, 1, 4, 3), "lower pyramid_height"),
        ("pyramid_height: 1", (1, 4, 3), "N x C x H x W"),
        ("pyramid_height: 3 pool: STOCHASTIC", (1, 1, 7, 7), "no pad"),
    ],
)
def test_spp_refuses(one_layer, params, shape, words):
    with pytest.raises(LayerError, match=f"^layer 'layer' .SPP.*{words}"):
        one_layer(f'type: "SPP" spp_param {{ {params} }}', shape)


def test_spp_needs_images(one_layer):
    with pytest.raises(ShapeMismatch):
        one_layer('type: "SPP" spp_param { pyramid_height: 2 }', (2, 3))
