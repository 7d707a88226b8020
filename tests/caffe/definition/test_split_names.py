"""Blobs under the names of the copies that Caffe makes of them."""

import numpy as np
import pytest

import caffe

NET = """
name: "n" input: "data" input_shape { dim: 1 dim: 2 dim: 4 dim: 4 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" top: "where"
        pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "abs" type: "AbsVal" bottom: "conv1" top: "abs" loss_weight: 1 }
layer { name: "sum" type: "Eltwise" bottom: "pool1" bottom: "pool1" top: "sum" }
layer { name: "a" type: "Silence" bottom: "where" }
layer { name: "b" type: "Silence" bottom: "abs" }
"""


def test_copies_are_the_blob_itself(make_net):
    net = make_net(NET)
    for copy, name in (
        ("conv1_relu1_0_split_0", "conv1"),
        ("conv1_relu1_0_split_1", "conv1"),
        ("pool1_pool1_0_split_1", "pool1"),
        ("abs_abs_0_split_1", "abs"),
    ):
        assert net.blobs[copy] is net.blobs[name]
        assert copy not in net.blobs and copy not in list(net.blobs)
        assert copy in net.forward(blobs=[copy])


@pytest.mark.parametrize(
    "name",
    [
        "conv1_relu1_0_split_2",
        "conv1_conv1_0_split_0",
        "conv9",
        "where_pool1_1_split_0",
        "data_input_0_split_0",
        7,
    ],
)
def test_other_names_are_unknown(make_net, name):
    with pytest.raises(KeyError, match="no blob.*there are data conv1 pool1"):
        make_net(NET).blobs[name]


def test_a_silenced_blob_gets_the_gradient_zero_and_no_leftovers(make_net):
    """Each backward pass starts its diff at zero, whichever other layers read it."""
    net = make_net(
        'force_backward: true input: "x" input_shape { dim: 2 } '
        'layer { name: "y" type: "Power" bottom: "x" top: "y" power_param { scale: 3 } }'
        'layer { name: "z" type: "Power" bottom: "y" top: "z" } '
        'layer { name: "quiet" type: "Silence" bottom: "y" }'
    )
    net.forward()
    for _ in range(3):
        np.testing.assert_array_equal(net.backward(z=np.ones(2))["x"], [3, 3])
    net = make_net(
        'force_backward: true input: "x" input_shape { dim: 2 } '
        'layer { name: "quiet" type: "Silence" bottom: "x" }',
        caffe.TRAIN,
    )
    net.forward()
    net.blobs["x"].diff[...] = 5
    net.backward()
    assert not net.blobs["x"].diff.any()
