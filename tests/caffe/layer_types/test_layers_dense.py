"""InnerProduct, Embed, Scale, Bias and PReLU against NumPy."""

import numpy as np
import pytest

from caffe.errors import CaffeError, LabelRange, LayerError, ShapeMismatch

SHAPE = (2, 3, 4, 5)


def given(net):
    return net.blobs["in0"].data.copy(), [b.data.copy() for b in net.params.get("layer", ())]


@pytest.mark.parametrize("axis, weight", [(1, (6, 60)), (2, (6, 20)), (-1, (6, 5)), (0, (6, 120))])
def test_inner_product(one_layer, check_gradients, axis, weight):
    net = one_layer(
        f'type: "InnerProduct" inner_product_param {{ num_output: 6 axis: {axis} }}', SHAPE
    )
    x, (w, b) = given(net)
    assert w.shape == weight and b.shape == (6,)
    outer = x.shape[: axis % 4]
    wanted = (x.reshape(-1, w.shape[1]) @ w.T + b).reshape(*outer, 6)
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-4)
    check_gradients(net, step=0.5, tolerance=5e-3)


def test_inner_product_transposed_and_without_bias(one_layer, check_gradients):
    net = one_layer(
        'type: "InnerProduct" inner_product_param { num_output: 6 transpose: true '
        "bias_term: false }",
        (2, 7),
    )
    x, (w,) = given(net)
    assert w.shape == (7, 6)
    np.testing.assert_allclose(net.forward()["top"], x @ w, atol=1e-5)
    check_gradients(net, step=0.5)


def test_inner_product_refuses(one_layer):
    with pytest.raises(LayerError, match="num_output"):
        one_layer('type: "InnerProduct"', SHAPE)
    net = one_layer('type: "InnerProduct" inner_product_param { num_output: 6 }', SHAPE)
    net.blobs["in0"].reshape(2, 3, 4, 6)
    with pytest.raises(ShapeMismatch, match=r"'layer'.*\(6, 60\).*\(6, 72\)"):
        net.forward()


@pytest.mark.parametrize("bias", ["true", "false"])
def test_embed(one_layer, check_gradients, bias):
    net = one_layer(
        f'type: "Embed" embed_param {{ num_output: 4 input_dim: 7 bias_term: {bias} }}', (2, 3)
    )
    net.blobs["in0"].data[...] = [[0, 6, 3], [3, 1, 3]]
    _, (w, *b) = given(net)
    wanted = w[net.blobs["in0"].data.astype(int)] + (b[0] if b else 0)
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-6)
    net.backward(top=np.ones((2, 3, 4)))
    np.testing.assert_array_equal(net.params["layer"][0].diff[:, 0], [1, 1, 0, 3, 0, 0, 1])
    net.blobs["in0"].data[0, 0] = 7
    with pytest.raises(LabelRange, match="'layer'.*7 is not a row"):
        net.forward()


@pytest.mark.parametrize(
    "params, shape, spread",
    [
        ("", (3,), (1, 3, 1, 1)),
        ("axis: 0", (2,), (2, 1, 1, 1)),
        ("num_axes: 2", (3, 4), (1, 3, 4, 1)),
        ("num_axes: -1", (3, 4, 5), (1, 3, 4, 5)),
        ("num_axes: 0", (), ()),
        ("axis: -1", (5,), (1, 1, 1, 5)),
        ("axis: 0 num_axes: 4", SHAPE, SHAPE),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_scale_and_bias(one_layer, check_gradients, params, shape, spread, bias):
    net = one_layer(
        f'type: "Scale" scale_param {{ {params} bias_term: {str(bias).lower()} }}', SHAPE
    )
    x, blobs = given(net)
    assert [b.shape for b in blobs] == [shape] * (1 + bias)
    wanted = x * blobs[0].reshape(spread) + (blobs[1].reshape(spread) if bias else 0)
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-5)
    check_gradients(net, step=0.5, tolerance=5e-3)
    net = one_layer(f'type: "Bias" bias_param {{ {params} }}', SHAPE)
    x, (b,) = given(net)
    assert b.shape == shape
    np.testing.assert_allclose(net.forward()["top"], x + b.reshape(spread), atol=1e-6)
    check_gradients(net, step=0.5)


@pytest.mark.parametrize("kind", ["Scale", "Bias"])
@pytest.mark.parametrize(
    "shape, axis, spread",
    [((3,), 1, (1, 3, 1, 1)), ((4, 5), -2, (1, 1, 4, 5)), ((), 1, ()), ((2, 3), 0, (2, 3, 1, 1))],
)
def test_by_a_second_bottom(one_layer, check_gradients, kind, shape, axis, spread):
    net = one_layer(f'type: "{kind}" {kind.lower()}_param {{ axis: {axis} }}', SHAPE, shape)
    a, b = net.blobs["in0"].data.copy(), net.blobs["in1"].data.reshape(spread)
    assert not net.params
    np.testing.assert_allclose(net.forward()["top"], a * b if kind == "Scale" else a + b, atol=1e-6)
    check_gradients(net, step=0.5)


@pytest.mark.parametrize(
    "params, shapes, words",
    [
        ("axis: 3 num_axes: 2", [SHAPE], "2 axes from axis 3"),
        ("axis: 4", [SHAPE], "axis 4"),
        ("", [SHAPE, (4,)], r"'in1' of shape \(4,\) does not fit"),
        ("axis: 2", [SHAPE, (4, 5, 6)], "3 axes from axis 2"),
        ("num_axes: -2", [SHAPE], "-2 axes"),
    ],
)
def test_operands_that_do_not_fit(one_layer, params, shapes, words):
    for kind in ("Scale", "Bias"):
        with pytest.raises(CaffeError, match=f"'layer'.*{words}"):
            one_layer(f'type: "{kind}" {kind.lower()}_param {{ {params} }}', *shapes)


def test_learned_blobs_start_as_the_identity(make_net):
    net = make_net(
        'layer { name: "in" type: "Input" top: "in" input_param { shape { dim: 1 dim: 3 '
        '} } } layer { name: "s" type: "Scale" bottom: "in" top: "in" scale_param { '
        'bias_term: true } } layer { name: "b" type: "Bias" bottom: "in" top: "in" } '
        'layer { name: "p" type: "PReLU" bottom: "in" top: "in" }'
    )
    assert [b.data[0] for layer in "sbp" for b in net.params[layer]] == [1, 0, 0, 0.25]
    net.blobs["in"].data[...] = [1, -4, 0]
    np.testing.assert_array_equal(net.forward()["in"], [[1, -1, 0]])


@pytest.mark.parametrize("shared", ["false", "true"])
def test_prelu(one_layer, check_gradients, shared):
    net = one_layer(f'type: "PReLU" prelu_param {{ channel_shared: {shared} }}', SHAPE)
    x, (a,) = given(net)
    assert a.shape == (() if shared == "true" else (3,))
    wanted = np.where(x > 0, x, x * a.reshape(1, -1, 1, 1))
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-6)
    check_gradients(net, step=1e-3, tolerance=5e-3)
    with pytest.raises(ShapeMismatch, match="channel axis"):
        one_layer('type: "PReLU" prelu_param { channel_shared: true }', (3,))


@pytest.mark.parametrize("ending", [".caffemodel", ".h5"])
def test_weights_of_a_single_number(one_layer, tmp_path, ending):
    net, other = (
        one_layer('type: "Scale" scale_param { num_axes: 0 bias_term: true }', SHAPE, seed=s)
        for s in (1, 2)
    )
    path = tmp_path / ("w" + ending)
    (net.save_hdf5 if ending == ".h5" else net.save)(path)
    other.copy_from(path)
    for mine, theirs in zip(net.params["layer"], other.params["layer"], strict=True):
        assert mine.data == theirs.data and mine.shape == ()
