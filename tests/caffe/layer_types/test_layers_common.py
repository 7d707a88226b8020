"""Input, Split, Silence, Eltwise, Crop, Softmax and some activations against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

import caffe
from caffe.errors import LayerError, ShapeMismatch, StaleInput
from caffe.layer_types import make
from caffe.proto import caffe_pb2

SHAPE = (2, 3, 4, 5)


def values(net, n):
    return [net.blobs[f"in{i}"].data.copy() for i in range(n)]


def test_input_shapes(make_net):
    text = 'layer { name: "in" type: "Input" top: "a" top: "b" input_param { %s } }'
    both = make_net(text % "shape { dim: 2 dim: 3 }")
    assert [b.shape for b in both.blobs.values()] == [(2, 3), (2, 3)]
    each = make_net(text % "shape { dim: 2 } shape { }")
    assert [b.shape for b in each.blobs.values()] == [(2,), ()]
    with pytest.raises(LayerError, match="'in'.*3 shapes for 2 tops"):
        make_net(text % ("shape { dim: 2 }" * 3))


RELU = 'layer { name: "relu" type: "ReLU" bottom: "a" top: "y" }'


@pytest.mark.parametrize("param", ["", "input_param { }"])
def test_an_input_without_a_shape_gets_it_later(make_net, param):
    """As in BVLC: the top has no element until it is reshaped."""
    net = make_net(f'layer {{ name: "in" type: "Input" top: "a" top: "b" {param} }} {RELU}')
    assert net.blobs["a"].count == net.blobs["b"].count == net.blobs["y"].count == 0
    for start in (None, "relu"):
        with pytest.raises(StaleInput, match=r"'relu'.*'a' has no shape.*\['a'\].reshape"):
            net.forward(start=start)
    with pytest.raises(ShapeMismatch, match=r"'a' has shape \(2, 3\).*reshape\(2, 3\)"):
        net.forward(a=-np.ones((2, 3)), b=np.ones(0))
    net.blobs["a"].reshape(1, 2)
    net.blobs["a"].data[...] = [[-3, 4]]
    assert net.forward()["y"].tolist() == [[0, 4]]


def test_a_layer_that_cannot_be_made_above_an_input_without_a_shape(make_net):
    above = 'layer { name: "fc" type: "InnerProduct" bottom: "y" top: "z" %s }'
    for layer in (
        above % "inner_product_param { num_output: 2 }",
        above.replace("InnerProduct", "Convolution")
        % "convolution_param { num_output: 2 kernel_size: 1 }",
    ):
        with pytest.raises(LayerError, match="'fc'.*give the input 'a' a shape, input_param"):
            make_net('layer { name: "in" type: "Input" top: "a" }' + RELU + layer)


def test_split(one_layer, check_gradients):
    net = one_layer('type: "Split" top: "top" top: "two" top: "three"', SHAPE)
    out = net.forward()
    for name in ("top", "two", "three"):
        np.testing.assert_array_equal(out[name], net.blobs["in0"].data)
        net.blobs[name].diff[...] = 2
    assert (net.backward()["in0"] == 6).all()


def test_silence(one_layer):
    net = one_layer('type: "Silence"', SHAPE, SHAPE, tops=False)
    assert net.forward() == {} and net.outputs == []


@pytest.mark.parametrize(
    "params, by_hand",
    [
        ("", lambda a, b, c: a + b + c),
        ("operation: SUM", lambda a, b, c: a + b + c),
        ("coeff: [2, -1, 0.5]", lambda a, b, c: 2 * a - b + 0.5 * c),
        ("operation: PROD", lambda a, b, c: a * b * c),
        ("operation: MAX", lambda a, b, c: np.maximum(np.maximum(a, b), c)),
    ],
)
def test_eltwise(one_layer, check_gradients, params, by_hand):
    net = one_layer(f'type: "Eltwise" eltwise_param {{ {params} }}', SHAPE, SHAPE, SHAPE)
    np.testing.assert_allclose(net.forward()["top"], by_hand(*values(net, 3)), rtol=1e-5, atol=1e-6)
    check_gradients(net, step=1e-3, tolerance=5e-3)


def test_equal_maxima_give_one_bottom_the_gradient(one_layer):
    net = one_layer('type: "Eltwise" eltwise_param { operation: MAX }', (1,), (1,), (1,))
    for i in range(3):
        net.blobs[f"in{i}"].data[...] = 4
    net.forward()
    net.backward(top=np.ones(1))
    assert [float(net.blobs[f"in{i}"].diff[0]) for i in range(3)] == [0, 1, 0]


def test_eltwise_refuses(one_layer):
    with pytest.raises(ShapeMismatch, match=r"in0 \(2, 3\), in1 \(2, 4\)"):
        one_layer('type: "Eltwise"', (2, 3), (2, 4))
    with pytest.raises(LayerError, match="coeff is for SUM.*3 given for 2"):
        one_layer('type: "Eltwise" eltwise_param { coeff: [1, 2, 3] }', (2, 3), (2, 3))
    with pytest.raises(LayerError, match="2 or more bottom"):
        one_layer('type: "Eltwise"', (2, 3))


@pytest.mark.parametrize(
    "params, cut",
    [
        ("", np.s_[:, :, :2, :3]),
        ("offset: 1", np.s_[:, :, 1:3, 1:4]),
        ("offset: [2, 1]", np.s_[:, :, 2:4, 1:4]),
        ("axis: 3 offset: 2", np.s_[:, :, :, 2:5]),
        ("axis: 1 offset: [1, 0, 2]", np.s_[:, 1:2, :2, 2:5]),
        ("axis: -1", np.s_[:, :, :, :3]),
        ("axis: 0", np.s_[:1, :1, :2, :3]),
    ],
)
def test_crop(one_layer, check_gradients, params, cut):
    net = one_layer(f'type: "Crop" crop_param {{ {params} }}', SHAPE, (1, 1, 2, 3))
    wanted = net.blobs["in0"].data[cut]
    np.testing.assert_array_equal(net.forward()["top"], wanted)
    check_gradients(net, skip=["in1"], step=0.5)
    assert not net.blobs["in1"].diff.any()


@pytest.mark.parametrize(
    "params, like, words",
    [
        ("offset: 3", (1, 1, 2, 3), "axis 2: offset 3 . size 2 is more than the 4"),
        ("", (1, 1, 2, 6), "axis 3.*size 6"),
        ("offset: [1, 2, 3]", (1, 1, 2, 3), "3 values for the 2"),
        ("axis: 4", (1, 1, 2, 3), "axis 4"),
        ("", (2, 3), "4 and 2 axes"),
        ("offset: 4294967295", (1, 1, 2, 3), "more than"),
    ],
)
def test_crop_refuses(one_layer, params, like, words):
    with pytest.raises(LayerError, match=f"^layer 'layer' .*{words}"):
        one_layer(f'type: "Crop" crop_param {{ {params} }}', SHAPE, like)


@pytest.mark.parametrize("axis", [0, 1, 3, -1])
def test_softmax(one_layer, check_gradients, axis):
    net = one_layer(f'type: "Softmax" softmax_param {{ axis: {axis} }}', SHAPE)
    net.blobs["in0"].data[0] += 500  # exp alone would overflow
    np.testing.assert_allclose(
        net.forward()["top"], softmax(net.blobs["in0"].data, axis), atol=1e-6
    )
    net.blobs["in0"].data[0] -= 500
    check_gradients(net)


ACTIVATIONS = {
    'type: "ReLU"': lambda x: np.maximum(x, 0),
    'type: "ReLU" relu_param { negative_slope: 0.1 }': lambda x: np.where(x > 0, x, 0.1 * x),
    'type: "Power"': lambda x: x,
    'type: "Power" power_param { scale: 2 shift: 5 power: 3 }': lambda x: (5 + 2 * x) ** 3,
    'type: "Power" power_param { scale: 0.5 shift: 4 power: -0.5 }': lambda x: (4 + x / 2) ** -0.5,
    'type: "Power" power_param { scale: 0 shift: 3 power: 2 }': lambda x: 9 + 0 * x,
    'type: "Power" power_param { power: 0 }': lambda x: 1 + 0 * x,
    'type: "Dropout"': lambda x: x,
}


@pytest.mark.parametrize("layer", ACTIVATIONS)
def test_activations(one_layer, check_gradients, layer):
    net = one_layer(layer, SHAPE)
    np.testing.assert_allclose(
        net.forward()["top"], ACTIVATIONS[layer](net.blobs["in0"].data), rtol=1e-5, atol=1e-5
    )
    check_gradients(net, step=1e-3, tolerance=2e-2)


@pytest.mark.parametrize("layer", ACTIVATIONS)
@pytest.mark.parametrize("viewed", [False, True])
def test_activations_in_place(make_net, layer, viewed):
    """Same values and gradients as not in place; the top shares the bottom's memory."""
    text = (
        'force_backward: true layer { name: "in" type: "Input" top: "in" input_param { '
        'shape { dim: 2 dim: 9 } } } layer { name: "a" type: "Power" bottom: "in" top: "a" '
        'power_param { scale: 1.5 } } layer { name: "f" bottom: "a" top: "%s" ' + layer + " }"
        'layer { name: "z" type: "Power" bottom: "%s" top: "z" power_param { scale: 3 } }'
    )
    found = []
    for top in ("b", "a"):
        net = make_net(text % (top, top))
        view = net.blobs["a"].data if viewed else None
        for _ in range(2):
            net.blobs["in"].data[...] = np.random.default_rng(0).normal(size=(2, 9))
            net.forward()
            net.backward(z=np.random.default_rng(1).normal(size=(2, 9)))
        found.append((net.blobs["z"].data.copy(), net.blobs["in"].diff.copy()))
    if viewed:
        np.testing.assert_allclose(view, net.blobs["z"].data / 3, rtol=1e-6)
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_dropout_at_train_time(one_layer):
    caffe.set_random_seed(3)
    net = one_layer(
        'type: "Dropout" dropout_param { dropout_ratio: 0.25 }', (1, 100000), phase=caffe.TRAIN
    )
    net.blobs["in0"].data[...] = 3
    first = net.forward()["top"].copy()
    assert set(np.unique(first)) == {0, 4}  # scaled by 1 / (1 - ratio)
    assert (first == 0).mean() == pytest.approx(0.25, abs=0.01)
    diff = net.backward(top=np.ones((1, 100000)))["in0"]
    np.testing.assert_allclose(diff, first / 3, rtol=1e-6)  # the same mask
    assert (net.forward()["top"] != first).any()  # a new mask each time
    caffe.set_random_seed(3)
    np.testing.assert_array_equal(net.forward()["top"], first)


@pytest.mark.parametrize("ratio", [-0.1, 1, 2])
def test_dropout_ratio_out_of_range(one_layer, ratio):
    with pytest.raises(LayerError, match="'layer'.*dropout_ratio"):
        one_layer(f'type: "Dropout" dropout_param {{ dropout_ratio: {ratio} }}', SHAPE)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=4
    ),
    st.integers(-4, 3),
)
def test_any_crop(axes, axis):
    """Any number of axes: a crop inside the image is a slice, any other an error."""
    import torch

    whole, like, offsets = zip(*axes, strict=True)
    spec = caffe_pb2.LayerParameter(name="crop", type="Crop", bottom=["a", "b"], top=["t"])
    spec.crop_param.axis = axis
    if not -len(whole) <= axis < len(whole):
        with pytest.raises(LayerError, match="axis"):
            make(spec, caffe.TEST).geometry([whole, like])
        return
    first = axis % len(whole)
    spec.crop_param.offset.extend(offsets[first:])
    layer = make(spec, caffe.TEST)
    if any(o + n > w for w, n, o in axes[first:]):
        with pytest.raises(ShapeMismatch, match="more than"):
            layer.geometry([whole, like])
        return
    x = torch.arange(int(np.prod(whole))).reshape(whole)
    cut = tuple(slice(None) if i < first else slice(o, o + n) for i, (_, n, o) in enumerate(axes))
    (got,) = layer.forward(layer.geometry([whole, like]), [x, None], [])
    np.testing.assert_array_equal(got, x[cut])


@pytest.mark.parametrize("stable", ["true", "false"])
def test_the_gradient_of_a_product_with_a_zero_factor(one_layer, stable):
    """No division by 0, with stable_prod_grad or without."""
    net = one_layer(
        f'type: "Eltwise" eltwise_param {{ operation: PROD stable_prod_grad: {stable} }}',
        (2,),
        (2,),
        (2,),
    )
    for i, values in enumerate(([0, 2], [3, 4], [5, 6])):
        net.blobs[f"in{i}"].data[...] = values
    net.forward()
    net.backward(top=np.ones(2))
    for i, wanted in enumerate(([15, 24], [0, 12], [0, 8])):
        np.testing.assert_array_equal(net.blobs[f"in{i}"].diff, wanted)
