"""Pooling by brute force over each window; sizes by counting windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import caffe
from caffe.errors import LayerError
from caffe.layer_types import make
from caffe.proto import caffe_pb2

LOWEST = np.finfo(np.float32).min


def windows(size, kernel, stride, pad, floor=False):
    """Return (first, last + 1) of the windows along one axis, in image coordinates, unclipped.

    A window follows as long as the one before has not reached the end. With padding the last must
    begin inside the image.
    """
    starts = [-pad]
    while starts[-1] + kernel < size + pad:
        starts.append(starts[-1] + stride)
    if floor and starts[-1] + kernel > size + pad:
        starts.pop()
    if pad and starts[-1] >= size:
        starts.pop()
    return [(s, s + kernel) for s in starts]


def pool(x, kernel, stride, pad, average, floor=False):
    """Return values and argmax, window by window."""
    rows, columns = (windows(x.shape[2 + i], kernel[i], stride[i], pad[i], floor) for i in (0, 1))
    out = np.zeros((*x.shape[:2], len(rows), len(columns)))
    argmax = np.zeros(out.shape)
    for n, c, i, j in np.ndindex(out.shape):
        (top, bottom), (left, right) = rows[i], columns[j]
        inside = x[n, c, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        if average:
            out[n, c, i, j] = inside.sum(dtype=np.float64) / (
                (min(bottom, x.shape[2] + pad[0]) - top) * (min(right, x.shape[3] + pad[1]) - left)
            )
        elif inside.size:
            out[n, c, i, j] = inside.max()
            y, z = np.unravel_index(inside.argmax(), inside.shape)
            argmax[n, c, i, j] = (y + max(top, 0)) * x.shape[3] + z + max(left, 0)
        else:
            out[n, c, i, j], argmax[n, c, i, j] = LOWEST, -1
    return out, argmax


CASES = {
    "vgg": ("kernel_size: 2 stride: 2", (2, 2), (2, 2), (0, 0)),
    "overlapping": ("kernel_size: 3 stride: 2", (3, 3), (2, 2), (0, 0)),
    "padded": ("kernel_size: 3 stride: 2 pad: 1", (3, 3), (2, 2), (1, 1)),
    "last window in the padding": ("kernel_size: 3 stride: 4 pad: 2", (3, 3), (4, 4), (2, 2)),
    "by axis": (
        "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_h: 1 pad_w: 0",
        (2, 3),
        (1, 2),
        (1, 0),
    ),
    "gaps": ("kernel_size: 1 stride_h: 3 stride_w: 5", (1, 1), (3, 5), (0, 0)),
    "wider than the image": ("kernel_size: 14 stride: 5 pad: 3", (14, 14), (5, 5), (3, 3)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["MAX", "AVE"])
@pytest.mark.parametrize("rounding", ["CEIL", "FLOOR"])
def test_by_brute_force(one_layer, check_gradients, case, kind, rounding):
    text, *how = CASES[case]
    if case == "wider than the image" and rounding == "FLOOR":
        with pytest.raises(LayerError, match="too small"):
            one_layer(f'type: "Pooling" pooling_param {{ {text} round_mode: FLOOR }}', (1, 1, 7, 6))
        return
    net = one_layer(
        f'type: "Pooling" pooling_param {{ pool: {kind} {text} round_mode: {rounding} }}',
        (2, 3, 7, 6),
    )
    wanted, _ = pool(net.blobs["in0"].data, *how, kind == "AVE", rounding == "FLOOR")
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-6)
    check_gradients(net, step=1e-3, tolerance=5e-3)


def pooling_layer(**params):
    spec = caffe_pb2.LayerParameter(name="layer", type="Pooling", bottom=["b"], top=["t"])
    for name, value in params.items():
        setattr(spec.pooling_param, name, value)
    return make(spec, caffe.TEST)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 9), st.integers(0, 8), st.booleans())
def test_size_formula(size, kernel, stride, pad, floor):
    layer = pooling_layer(kernel_size=kernel, stride=stride, pad=pad, round_mode=int(floor))
    span = size + 2 * pad - kernel
    if pad >= kernel:
        with pytest.raises(LayerError, match="smaller than kernel"):
            layer.geometry([(1, 1, size, size)])
        return
    wanted = (span // stride if floor else -(-span // stride)) + 1
    if pad and (wanted - 1) * stride >= size + pad:
        wanted -= 1
    if wanted < 1:
        with pytest.raises(LayerError, match="too small"):
            layer.geometry([(1, 1, size, size)])
        return
    assert layer.geometry([(1, 1, size, size)]).tops[0][2:] == (wanted, wanted)
    if span >= 0:
        assert wanted == len(windows(size, kernel, stride, pad, floor))


@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 12), st.integers(0, 5), st.booleans())
def test_any_window_by_brute_force(size, kernel, stride, pad, average):
    """Also if the stride exceeds the image's end and leaves a window empty."""
    import torch

    pad = min(pad, kernel - 1)
    if size + 2 * pad < kernel:
        return
    layer = pooling_layer(kernel_size=kernel, stride=stride, pad=pad, pool=int(average))
    x = np.random.default_rng(0).normal(size=(1, 2, size, size + 1)).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted, _ = pool(x, (kernel,) * 2, (stride,) * 2, (pad,) * 2, average)
    (got,) = layer.forward(layer.geometry([x.shape]), [torch.from_numpy(x)], [])
    np.testing.assert_allclose(got, wanted.astype(np.float32), rtol=1e-5, atol=1e-6)


def test_the_second_top_is_the_argmax(one_layer):
    net = one_layer(
        'type: "Pooling" top: "top" top: "where" pooling_param { kernel_size: 3 stride: 2 pad: 1 }',
        (2, 2, 8, 5),
    )
    out = net.forward()
    values, argmax = pool(net.blobs["in0"].data, (3, 3), (2, 2), (1, 1), False)
    np.testing.assert_array_equal(out["top"], values.astype(np.float32))
    np.testing.assert_array_equal(out["where"], argmax)


def test_an_empty_window(one_layer):
    net = one_layer(
        'type: "Pooling" top: "top" top: "where" pooling_param { kernel_size: 2 stride: 10 }',
        (1, 1, 5, 2),
    )
    out = net.forward()
    assert out["top"][0, 0, 1, 0] == LOWEST and out["where"][0, 0, 1, 0] == -1


def test_huge_strides_and_kernels_take_no_memory(one_layer):
    net = one_layer(
        'type: "Pooling" pooling_param { kernel_size: 4000000000 stride: 4000000000 }', (1, 1, 5, 2)
    )
    assert net.forward()["top"].shape == (1, 1, 1, 1)
    net = one_layer(
        'type: "Pooling" pooling_param { pool: AVE kernel_size: 2 stride: 4000000000 }',
        (1, 1, 5, 2),
    )
    assert net.forward()["top"].shape == (1, 1, 2, 1)


def test_global_pooling_follows_the_input_size(one_layer):
    net = one_layer(
        'type: "Pooling" pooling_param { pool: AVE global_pooling: true }', (2, 3, 5, 6)
    )
    for size in ((5, 6), (2, 9)):
        net.blobs["in0"].reshape(2, 3, *size)
        np.testing.assert_allclose(
            net.forward()["top"][:, :, 0, 0], net.blobs["in0"].data.mean((2, 3)), atol=1e-6
        )


@pytest.mark.parametrize(
    "params, words",
    [
        ("", "kernel_size is missing"),
        ("kernel_h: 2", "give both"),
        ("kernel_size: 2 kernel_h: 2 kernel_w: 2", "not both"),
        ("kernel_size: 0", "1 or more"),
        ("kernel_size: 2 stride: 0", "1 or more"),
        ("kernel_size: 2 pad: 2", "smaller than kernel"),
        ("kernel_size: 2 global_pooling: true", "global_pooling"),
        ("global_pooling: true pad: 1", "global_pooling"),
        ("kernel_size: 2 pad: 1 pool: STOCHASTIC", "STOCHASTIC pooling takes no pad"),
    ],
)
def test_refused_with_the_layers_name(one_layer, params, words):
    with pytest.raises(LayerError, match=f"^layer 'layer'.*{words}"):
        one_layer(f'type: "Pooling" pooling_param {{ {params} }}', (1, 2, 6, 6))


def test_other_refusals(one_layer):
    with pytest.raises(LayerError, match="second top"):
        one_layer(
            'type: "Pooling" top: "a" top: "b" pooling_param { pool: AVE kernel_size: 2 }',
            (1, 2, 6, 6),
        )
    with pytest.raises(LayerError, match="N x C x H x W"):
        one_layer('type: "Pooling" pooling_param { kernel_size: 2 }', (2, 6, 6))


STOCHASTIC = 'type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 3 stride: 2 }'


def test_stochastic_pooling_at_test_time_is_the_expectation(one_layer, check_gradients):
    net = one_layer(STOCHASTIC, (2, 3, 7, 6))
    x = net.blobs["in0"].data
    x[...] = abs(x)
    x[0, 0, :3, :3] = 0  # a window of zeros gives 0
    wanted = np.zeros((2, 3, 3, 3))
    for n, c, i, j in np.ndindex(wanted.shape):
        seen = x[n, c, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].astype(np.float64)
        wanted[n, c, i, j] = (seen**2).sum() / seen.sum() if seen.any() else 0
    np.testing.assert_allclose(net.forward()["top"], wanted, rtol=1e-5)
    x[...] += 1  # keeps the sum away from 0
    check_gradients(net, step=1e-3, tolerance=5e-3)


def test_stochastic_pooling_in_training_draws_values_by_their_size(one_layer):
    caffe.set_random_seed(0)
    net = one_layer(
        'type: "Pooling" pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }',
        (4000, 1, 2, 2),
        phase=caffe.TRAIN,
    )
    net.blobs["in0"].data[...] = [[1, 0], [3, 6]]
    top = net.forward()["top"].copy()
    assert set(np.unique(top)) == {1, 3, 6}  # never 0
    for value in (1, 3, 6):
        assert (top == value).mean() == pytest.approx(value / 10, abs=0.03)
    diff = net.backward(top=np.ones_like(top))["in0"]  # the drawn value gets it
    np.testing.assert_array_equal(net.blobs["in0"].data[diff == 1], top.ravel())
    assert diff.sum() == len(top)
    assert (net.forward()["top"] != top).any()


def test_padding_on_one_axis_drops_the_last_window_of_both(one_layer):
    """Caffe drops windows outside the image if either axis has padding."""
    for pad, width in (("pad_h: 0", 2), ("pad_h: 1", 1)):
        net = one_layer(
            f'type: "Pooling" pooling_param {{ kernel_size: 2 stride_h: 1 stride_w: 5 {pad} }}',
            (1, 1, 4, 5),
        )
        assert net.forward()["top"].shape[3] == width
