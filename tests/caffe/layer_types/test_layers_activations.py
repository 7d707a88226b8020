"""Activations against NumPy: values, gradients, limits and kinks."""

import numpy as np
import pytest

from caffe.errors import LayerError

SHAPE = (2, 3, 4)
FUNCTIONS = {
    'type: "Sigmoid"': lambda x: 1 / (1 + np.exp(-x)),
    'type: "TanH"': np.tanh,
    'type: "AbsVal"': np.abs,
    'type: "BNLL"': lambda x: np.log1p(np.exp(x)),
    'type: "ELU"': lambda x: np.where(x > 0, x, np.exp(x) - 1),
    'type: "ELU" elu_param { alpha: 0.3 }': lambda x: np.where(x > 0, x, 0.3 * (np.exp(x) - 1)),
    'type: "Swish"': lambda x: x / (1 + np.exp(-x)),
    'type: "Swish" swish_param { beta: 2 }': lambda x: x / (1 + np.exp(-2 * x)),
    'type: "Exp"': np.exp,
    'type: "Exp" exp_param { base: 2 scale: 3 shift: 1 }': lambda x: 2.0 ** (1 + 3 * x),
    'type: "Log" log_param { shift: 9 }': lambda x: np.log(9 + x),
    'type: "Log" log_param { base: 10 scale: 0.5 shift: 9 }': lambda x: np.log10(9 + x / 2),
    'type: "Clip" clip_param { min: -0.5 max: 1 }': lambda x: np.clip(x, -0.5, 1),
}


@pytest.mark.parametrize("layer", FUNCTIONS)
def test_values_and_gradients(one_layer, check_gradients, layer):
    net = one_layer(layer, SHAPE)
    wanted = FUNCTIONS[layer](net.blobs["in0"].data.astype(np.float64))
    np.testing.assert_allclose(net.forward()["top"], wanted, rtol=1e-5, atol=1e-6)
    check_gradients(net, step=1e-3, tolerance=1e-2)


@pytest.mark.parametrize(
    "layer, at, value, gradient",
    [
        ('type: "Sigmoid"', [-200, 200], [0, 1], [0, 0]),
        ('type: "BNLL"', [-200, 200], [0, 200], [0, 1]),
        ('type: "ELU"', [-200, 200], [-1, 200], [0, 1]),
        ('type: "AbsVal"', [0, -3], [0, 3], [0, -1]),
        ('type: "TanH"', [-200, 200], [-1, 1], [0, 0]),
        ('type: "Clip" clip_param { min: -1 max: 1 }', [-1, 5], [-1, 1], [1, 0]),
    ],
)
def test_limits_and_kinks(one_layer, layer, at, value, gradient):
    net = one_layer(layer, (2,))
    net.blobs["in0"].data[...] = at
    np.testing.assert_allclose(net.forward()["top"], value, atol=1e-30)
    np.testing.assert_allclose(net.backward(top=np.ones(2))["in0"], gradient, atol=1e-30)


def test_threshold(one_layer):
    net = one_layer('type: "Threshold" threshold_param { threshold: 0.5 }', (3,))
    net.blobs["in0"].data[...] = [0.4, 0.5, 0.6]
    np.testing.assert_array_equal(net.forward()["top"], [0, 0, 1])
    assert not net.backward(top=np.ones(3))["in0"].any()


@pytest.mark.parametrize(
    "layer, words",
    [
        ('type: "Log" log_param { base: 1 }', "base is 1, to which"),
        ('type: "Log" log_param { base: -2 }', "base is -2, must be above 0"),
        ('type: "Exp" exp_param { base: 0 }', "base is 0, must be above 0"),
    ],
)
def test_bases_without_logarithms(one_layer, layer, words):
    with pytest.raises(LayerError, match=f"^layer 'layer'.*{words}"):
        one_layer(layer, (2, 3))
