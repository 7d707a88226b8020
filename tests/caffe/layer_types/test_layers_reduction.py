"""Reduction and Parameter against NumPy."""

import numpy as np
import pytest

import caffe
from caffe.errors import LayerError

OPERATIONS = {
    "SUM": lambda x: x.sum(-1),
    "ASUM": lambda x: abs(x).sum(-1),
    "SUMSQ": lambda x: (x**2).sum(-1),
    "MEAN": lambda x: x.mean(-1),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("coeff", [None, -2.5])
def test_reduction(one_layer, check_gradients, operation, axis, coeff):
    given = "" if coeff is None else f"coeff: {coeff}"
    net = one_layer(
        f'type: "Reduction" reduction_param {{ operation: {operation} axis: {axis} {given} }}',
        (2, 3, 4),
    )
    x = net.blobs["in0"].data.astype(np.float64)
    rows = x.reshape(*x.shape[: axis % 3], -1)
    wanted = (1 if coeff is None else coeff) * OPERATIONS[operation](rows)
    out = net.forward()["top"]
    assert out.shape == wanted.shape
    np.testing.assert_allclose(out, wanted, rtol=1e-4)
    check_gradients(net, step=1e-2)


def test_the_defaults_sum_everything(one_layer):
    net = one_layer('type: "Reduction"', (2, 3))
    assert net.forward()["top"] == pytest.approx(net.blobs["in0"].data.sum(), rel=1e-5)


def test_the_absolute_value_has_gradient_zero_at_zero(one_layer):
    net = one_layer('type: "Reduction" reduction_param { operation: ASUM }', (3,))
    net.blobs["in0"].data[...] = [0, 2, -2]
    net.forward()
    np.testing.assert_array_equal(net.backward(top=np.array(1))["in0"], [0, 1, -1])


def test_reduction_refuses(one_layer):
    with pytest.raises(LayerError, match="'layer'.*axis 2"):
        one_layer('type: "Reduction" reduction_param { axis: 2 }', (2, 3))


PARAMETER = (
    'layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 2 dim: 3 '
    '} } %s } layer { name: "half" type: "Reduction" bottom: "w" top: "half" '
    "reduction_param { operation: SUMSQ coeff: 0.5 } loss_weight: 1 }"
)


def test_a_parameter_is_both_a_weight_and_a_blob(make_net):
    net = make_net(PARAMETER % "", caffe.TRAIN)
    assert net.params["w"][0].shape == net.blobs["w"].shape == (2, 3)
    assert net.forward(start="half")["half"] == 0  # computed from the start
    net.params["w"][0].data[...] = 2
    assert net.forward()["half"] == 12
    net.blobs["w"].data[...] = 1
    assert net.forward()["half"] == 3 and (net.params["w"][0].data == 1).all()
    for times in (1, 2):  # diffs of weights add up
        net.backward()
        np.testing.assert_array_equal(net.params["w"][0].diff, np.full((2, 3), times))


def test_a_parameter_learns(write):
    net = write(PARAMETER % "")
    solver = caffe.SGDSolver(write(f'net: "{net}" base_lr: 0.5 lr_policy: "fixed"'))
    solver.net.params["w"][0].data[...] = 4
    solver.step(2)
    np.testing.assert_allclose(solver.net.params["w"][0].data, 1)
    np.testing.assert_allclose(solver.net.blobs["w"].data, 1)


def test_two_parameters_of_one_name(make_net):
    """A weight shared with another layer, used as a bottom."""
    net = make_net(
        'layer { name: "in" type: "Input" top: "in" input_param { shape { dim: 1 dim: 3 '
        '} } } layer { name: "fc" type: "InnerProduct" bottom: "in" top: "fc" '
        'param { name: "shared" } inner_product_param { num_output: 2 bias_term: false '
        'weight_filler { type: "gaussian" std: 1 } } }' + PARAMETER % 'param { name: "shared" }'
    )
    net.blobs["in"].data[...] = 1
    out = net.forward()
    weight = net.params["fc"][0].data
    assert weight.any()
    assert out["half"] == pytest.approx((weight**2).sum() / 2, rel=1e-5)
