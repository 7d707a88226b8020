"""forward_all and forward_backward_all against one row at a time."""

import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, ShapeMismatch

NET = """
force_backward: true
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 3 dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "out" type: "TanH" bottom: "ip" top: "out" }
"""
LOSS = """
layer { name: "want" type: "Input" top: "want" input_param { shape { dim: 3 dim: 2 } } }
layer { name: "loss" type: "EuclideanLoss" bottom: "out" bottom: "want" top: "loss" }
"""


@pytest.mark.parametrize("n", [1, 2, 3, 7, 9])
def test_forward_all(make_net, n):
    net, x = make_net(NET), np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    weight, bias = (b.data for b in net.params["ip"])
    values = net.forward_all(blobs=["ip"], data=x)
    assert list(values) == ["out", "ip"] and len(values["out"]) == n
    np.testing.assert_allclose(values["ip"], x @ weight.T + bias, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values["out"], np.tanh(values["ip"]), rtol=1e-5)
    np.testing.assert_array_equal(net.forward_all(data=list(x))["out"], values["out"])


@pytest.mark.parametrize("n", [2, 3, 8])
def test_forward_backward_all(make_net, n):
    rng = np.random.default_rng(0)
    net, x, d = make_net(NET), rng.normal(size=(n, 4)), rng.normal(size=(n, 2))
    values, diffs = net.forward_backward_all(blobs=["ip"], diffs=["ip"], data=x, out=d)
    assert list(values) == ["out", "ip"] and list(diffs) == ["data", "ip"]
    to_ip = d * (1 - values["out"] ** 2)
    np.testing.assert_allclose(diffs["ip"], to_ip, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        diffs["data"], to_ip @ net.params["ip"][0].data, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(net.params["ip"][1].diff, to_ip.sum(0), rtol=1e-4, atol=1e-5)


def test_a_loss_has_a_value_for_each_batch(make_net):
    net, rng = make_net(NET + LOSS), np.random.default_rng(0)
    x, want = rng.normal(size=(6, 4)), rng.normal(size=(6, 2))
    values, diffs = net.forward_backward_all(blobs=["out"], data=x, want=want)
    error = values["out"] - want
    np.testing.assert_allclose(
        values["loss"], [(e**2).sum() / 6 for e in (error[:3], error[3:])], rtol=1e-5
    )
    np.testing.assert_allclose(diffs["want"], -error / 3, rtol=1e-4, atol=1e-6)
    with pytest.raises(CaffeError, match="'loss'.*multiple of 3 rows"):
        net.forward_all(data=x[:4], want=want[:4])


@pytest.mark.parametrize(
    "inputs, words",
    [
        (dict(), "nothing|\\[\\]"),
        (dict(dota=np.zeros((3, 4))), "dota"),
        (dict(data=np.zeros((0, 4))), "one or more"),
        (dict(data=np.zeros((3, 5))), r"\(3, 5\)"),
        (dict(data=np.zeros((3, 4)), more=np.zeros(3)), "more"),
    ],
)
def test_rows_that_do_not_fit(make_net, inputs, words):
    net = make_net(NET)
    for call in (net.forward_all, net.forward_backward_all):
        with pytest.raises(CaffeError, match=words):
            call(**inputs)


def test_all_inputs_must_have_the_same_number_of_rows(make_net):
    with pytest.raises(ShapeMismatch, match="data has 6, want has 3"):
        make_net(NET + LOSS, caffe.TRAIN).forward_all(data=np.zeros((6, 4)), want=np.zeros((3, 2)))
