"""Callbacks around each layer, layers and blobs by number, and backward without forward."""

import numpy as np
import pytest

import caffe

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "want" type: "Input" top: "want" input_param { shape { dim: 2 dim: 4 } } }
layer { name: "fixed" type: "Power" bottom: "data" top: "fixed" power_param { scale: 2 } }
layer { name: "ip" type: "InnerProduct" bottom: "fixed" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "want" top: "loss" }
"""


def recorded_calls(net):
    """Return a list to which (when, way, number) of each callback will be appended."""
    calls = []
    for when in ("before", "after"):
        for way in ("forward", "backward"):

            def call(i, what=(when, way)):
                calls.append((*what, i))

            getattr(net, f"{when}_{way}")(call)
    return calls


def both(way, numbers):
    return [(when, way, i) for i in numbers for when in ("before", "after")]


def test_callbacks_get_the_number_of_each_layer(make_net):
    net = make_net(NET, caffe.TRAIN)
    calls = recorded_calls(net)
    net.forward()
    assert calls == both("forward", range(6))
    calls.clear()
    net.backward()
    assert calls == both("backward", range(5, -1, -1))  # including those without gradient
    calls.clear()
    net.forward(start="ip", end="relu")
    net.backward(start="relu", end="ip")
    assert calls == both("forward", (3, 4)) + both("backward", (4, 3))


def test_callbacks_run_before_and_after_the_layer(make_net):
    net, seen = make_net(NET, caffe.TRAIN), {}
    net.blobs["data"].data[...] = 1

    def look(way):
        return lambda i: seen.update({(way, net._layer_names[i]): net.blobs["fixed"].data[0, 0]})

    net.before_forward(look("before"))
    net.after_forward(look("after"))
    net.forward()
    assert (seen["before", "fixed"], seen["after", "fixed"]) == (0, 2)


def test_callbacks_run_in_order_and_their_exceptions_propagate(make_net):
    net, order = make_net(NET), []
    net.before_forward(lambda i: order.append("a"))
    net.before_forward(lambda i: order.append("b"))
    net.forward(end="data")
    assert order == ["a", "b"]
    net.after_forward(lambda i: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        net.forward()


def test_solvers_run_callbacks(write):
    net = write(NET)
    solver = caffe.get_solver(write(f'net: "{net}" base_lr: 0.1 lr_policy: "fixed" iter_size: 2'))
    calls = recorded_calls(solver.net)
    solver.step(1)
    assert len(calls) == 2 * 2 * 2 * 6


def test_blobs_and_layers_by_number(make_net):
    net = make_net(NET)
    assert net._blob_names == ["data", "want", "fixed", "ip", "loss"]
    assert net._blobs[2] is net.blobs["fixed"]
    assert (net._inputs, net._outputs) == ([0, 1], [4])
    assert (net._bottom_ids(5), net._top_ids(5)) == ([3, 1], [4])
    assert (net._bottom_ids(0), net._top_ids(4)) == ([], [3])
    assert net._blob_loss_weights == [0, 0, 0, 0, 1]
    net.blobs["want"].data[...] = 3
    loss = net._forward(0, 5)
    assert loss == net.blobs["loss"].data == 2 * 4 * 9 / 4
    net.blobs["ip"].diff[...] = 0
    net._backward(5, 5)
    np.testing.assert_array_equal(net.blobs["ip"].diff, np.full((2, 4), -1.5))


def test_backward_of_a_stage_that_never_ran_forward(make_net):
    """As in Caffe, the gradient is taken at the values of the bottoms, here the user's."""
    net, rng = make_net("force_backward: true " + NET), np.random.default_rng(0)
    below, above = rng.normal(size=(2, 3)), rng.normal(size=(2, 4))
    net.blobs["fixed"].data[...], net.blobs["ip"].diff[...] = below, above
    diffs = net.backward(start="ip", end="ip")
    assert list(diffs) == ["fixed"]
    np.testing.assert_allclose(diffs["fixed"], above @ net.params["ip"][0].data, rtol=1e-5)
    np.testing.assert_allclose(net.params["ip"][0].diff, above.T @ below, rtol=1e-4, atol=1e-6)
    assert not net.blobs["ip"].data.any()  # nothing was computed forward
    with pytest.raises(caffe.CaffeError, match="forward first"):
        net.backward()


def test_inputs_broadcast_as_in_numpy(make_net):
    net = make_net(NET)
    net.forward(data=np.ones((2, 1)), want=np.zeros((2, 4)))
    assert (net.blobs["data"].data == 1).all()
    for wrong in (np.ones(3), np.ones((1, 3)), [[1, 2, 3], [1, 2]], np.ones((2, 1, 3)), 1):
        with pytest.raises(caffe.errors.ShapeMismatch, match="'data'"):
            net.forward(data=wrong, want=np.zeros((2, 4)))
