"""Thinning: what a light net takes over from a wide one."""

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from nets.fcn8s import vgg_trunk
from nets.thin import choose, cut, thin

IMAGES = np.random.default_rng(3).normal(0, 1, (2, 3, 32, 24)).astype(np.float32)


@pytest.fixture
def trunk(tmp_path):
    """trunk(width) -> a net of VGG-16's layers at this width, random weights."""

    def make(width):
        path = tmp_path / "net.prototxt"
        path.write_text(text_format.MessageToString(vgg_trunk(width, (32, 24))))
        net, rng = caffe.Net(str(path), caffe.TEST), np.random.default_rng(5)
        for weight, bias in net.params.values():
            fan_in = np.prod(weight.data.shape[1:])
            weight.data[...] = rng.normal(0, np.sqrt(2 / fan_in), weight.data.shape)
            bias.data[...] = rng.normal(0, 0.1, bias.data.shape)
        return net

    return make


def output(net):
    net.forward()
    return net.blobs["conv5_3"].data.copy()


def test_a_net_of_the_same_width_is_reproduced(trunk):
    wide, light = trunk(1 / 16), trunk(1 / 16)
    for weight, bias in light.params.values():
        weight.data[...], bias.data[...] = 0, 0
    explained = thin(light, wide, IMAGES, samples=1500, ridge=1e-9)
    assert list(explained) == list(wide.params)
    assert min(explained.values()) > 0.999
    np.testing.assert_allclose(output(light), output(wide), atol=0.01 * np.abs(output(wide)).max())


def test_a_lighter_net_starts_with_kernels_of_the_wide_one(trunk):
    wide, light = trunk(1 / 16), trunk(1 / 32)
    explained = thin(light, wide, IMAGES, samples=1500, ridge=1e-9)
    kernels, kept = (net.params["conv1_1"][0].data for net in (wide, light))
    for kernel in kept:  # this layer sees what the wide one sees
        assert min(np.abs(kernels - kernel).max((1, 2, 3))) < 1e-3
    assert explained["conv1_1"] > 0.999
    assert 0.1 < explained["conv1_2"] < 0.999  # half of its inputs are gone


def test_choose_leaves_out_copies_and_silent_channels():
    signal = np.random.default_rng(0).random((500, 2))
    outputs = np.column_stack([signal[:, 0], -signal[:, 0], signal[:, 0], signal[:, 1]])
    assert choose(outputs, None, 2).tolist() in ([0, 3], [2, 3])
    weights = np.ones((5, 4, 1, 1))
    weights[:, 3] = 0  # nothing reads channel 3
    assert 3 not in choose(outputs, weights, 1)


def test_patches_are_those_a_convolution_sees():
    blob = np.arange(2 * 1 * 3 * 3, dtype=np.float32).reshape(2, 1, 3, 3)
    corner, centre = cut(blob, (np.array([0, 1]), np.array([0, 1]), np.array([0, 1])), 3)
    assert corner.tolist() == [0, 0, 0, 0, 0, 1, 0, 3, 4]
    assert centre.tolist() == list(range(9, 18))
