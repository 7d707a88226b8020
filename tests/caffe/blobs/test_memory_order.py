"""Images that are channels-last between layers: faster, with the same values in C order."""

import numpy as np
import pytest
import torch

import caffe
from caffe.layer_types.base import registry
from caffe.layer_types.conv import quick_order

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 20 dim: 24
  } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" FREEZE
  convolution_param { num_output: 8 kernel_size: 3 pad: 2 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "conv2" type: "Convolution" bottom: "conv" top: "conv2" FREEZE
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv2" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "pool" bottom: "pool" top: "sum" }
layer { name: "norm" type: "Power" bottom: "sum" top: "norm" power_param { shift: 1 } }
layer { name: "score" type: "Convolution" bottom: "norm" top: "score"
  convolution_param { num_output: 4 kernel_size: 1 weight_filler { type: "xavier" } } }
"""


def channels_last(tensor):
    """By strides alone: is_contiguous accepts strides for which oneDNN reorders an image."""
    n, c, h, w = tensor.shape
    return tensor.stride() == (c * h * w, 1, w * c, c)


def filled(net):
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=net.blobs["data"].shape)
    return net


@pytest.fixture(autouse=True)
def layer_by_layer(usual_kernels):
    """PyTorch's kernels, whose memory order this is about."""
    caffe.set_kernels("torch")


@pytest.fixture
def net(make_net):
    caffe.set_random_seed(0)
    return filled(make_net(NET.replace("FREEZE", "")))


def test_layers_pass_on_images_channels_last(net):
    net.forward()
    for name in ("conv", "conv2", "pool"):
        assert channels_last(net.blobs[name].synced_data.tensor(torch.device("cpu"))), name


def test_blobs_are_in_c_order_and_equal_whether_viewed_before_or_not(net, make_net):
    viewed = filled(make_net(NET.replace("FREEZE", "")))
    for name, blobs in net.params.items():
        for mine, theirs in zip(viewed.params[name], blobs):
            mine.data[...] = theirs.data
    views = {name: blob.data for name, blob in viewed.blobs.items()}
    for each in (net, viewed):
        each.forward()
    for name, blob in net.blobs.items():
        assert views[name].flags["C_CONTIGUOUS"] and blob.data.flags["C_CONTIGUOUS"]
        np.testing.assert_array_equal(blob.data, views[name], err_msg=name)
        assert blob.data.any()


def test_an_edit_between_two_ranges_of_layers_is_seen(net):
    out = net.forward()["score"].copy()
    net.forward(end="conv2")
    net.blobs["conv2"].data[...] *= 2
    net.blobs["conv2"].data[0, 5, 2, 3] = 7
    net.forward(start="pool")
    assert net.blobs["pool"].data[0, 5, 1, 1] == 7 and not np.allclose(net.blobs["score"].data, out)


@pytest.mark.parametrize("bottom", ["pool", "sum", "norm"])
def test_backward_sees_an_edit_above_layers_that_do_not_learn(make_net, bottom):
    """Frozen layers pass an image on channels-last; a layer that learns reads the blob's memory."""
    text = NET.replace("FREEZE", "param { lr_mult: 0 } param { lr_mult: 0 }").replace(
        'bottom: "norm" top: "score"', f'bottom: "{bottom}" top: "score" loss_weight: 1'
    )
    net = filled(make_net(text, caffe.TRAIN))
    net.forward()
    image = net.blobs[bottom].data
    image[...] = 3
    net.backward()
    assert (net.params["score"][0].diff == 3 * image[0, 0].size).all()


ANY_ORDER = {
    "Convolution": "convolution_param { num_output: 4 kernel_size: 3 }",
    "ReLU": "",
    "Pooling": "pooling_param { kernel_size: 3 stride: 2 pad: 1 pool: CHOICE }",
    "Eltwise": "eltwise_param { operation: CHOICE }",
    "Crop": "crop_param { offset: 1 }",
}


def test_the_layers_that_take_any_order():
    assert {name for name, layer in registry.items() if layer.any_order} == set(ANY_ORDER)


@pytest.mark.parametrize(
    "layer, choice",
    [
        ("Convolution", ""),
        ("ReLU", ""),
        ("Crop", ""),
        ("Pooling", "MAX"),
        ("Pooling", "AVE"),
        ("Eltwise", "SUM"),
        ("Eltwise", "PROD"),
        ("Eltwise", "MAX"),
    ],
)
def test_they_compute_the_same_values_in_any_order(one_layer, layer, choice):
    param = ANY_ORDER[layer].replace("CHOICE", choice)
    shapes = [(2, 5, 19, 17)] * (1 + (layer in ("Eltwise", "Crop")))
    if layer == "Crop":
        shapes[1] = (2, 5, 11, 12)
    net = one_layer(f'type: "{layer}" {param}', *shapes, force_backward=False)
    plain = net.forward()["top"].copy()
    data = net.blobs["in0"].data.copy()
    blob = caffe.Blob(*data.shape)
    blob.synced_data.put(torch.from_numpy(data).contiguous(memory_format=torch.channels_last))
    net.blobs["in0"].share_data(blob)
    assert channels_last(blob.synced_data.tensor(torch.device("cpu")))
    np.testing.assert_array_equal(net.forward()["top"], plain)


def test_only_large_images_are_made_channels_last():
    image, weight = torch.randn(1, 16, 30, 30), torch.randn(8, 16, 3, 3)
    turned = image.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert channels_last(quick_order(image, weight))
        assert quick_order(turned, torch.randn(64, 16, 3, 3)).is_contiguous()
        assert quick_order(image.double(), weight).is_contiguous()
    assert quick_order(image, weight) is image and quick_order(turned, weight) is turned


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_convolution_of_a_single_image_stays_channels_last(one_layer, dtype):
    """A reshape of one image to its own shape would lose the channels-last strides."""
    net = one_layer(f'type: "Convolution" {ANY_ORDER["Convolution"]}', (1, 5, 19, 17))
    image = torch.randn(1, 5, 19, 17).to(dtype, memory_format=torch.channels_last)
    weights = [torch.from_numpy(blob.data) for blob in net.params["layer"]]
    (top,) = net._graph.layers[1].forward(net._executor.geometry[1][1], [image], weights)
    assert channels_last(top)
