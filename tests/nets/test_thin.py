"""Thinning: what a light net takes over from a wide net."""

import numpy as np
import pytest
from google.protobuf import text_format

import caffe
from nets.fcn8s import vgg_trunk
from nets.thin import choose_channels, fit_ridge, patches_at, thin

IMAGES = np.random.default_rng(3).normal(0, 1, (2, 3, 32, 24)).astype(np.float32)


@pytest.fixture
def trunk(tmp_path):
    """Return trunk(width): a net of VGG-16's layers at this width with random weights."""

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


def test_net_of_the_same_width_is_reproduced(trunk):
    wide, light = trunk(1 / 16), trunk(1 / 16)
    for weight, bias in light.params.values():
        weight.data[...], bias.data[...] = 0, 0
    explained = thin(light, wide, IMAGES, samples=1500, ridge=1e-9)
    assert list(explained) == list(wide.params)
    assert min(explained.values()) > 0.999
    np.testing.assert_allclose(output(light), output(wide), atol=0.01 * np.abs(output(wide)).max())


def test_lighter_net_starts_with_kernels_of_the_wide_net(trunk):
    wide, light = trunk(1 / 16), trunk(1 / 32)
    explained = thin(light, wide, IMAGES, samples=1500, ridge=1e-9)
    kernels, kept = (net.params["conv1_1"][0].data for net in (wide, light))
    for kernel in kept:  # both first layers have the same input
        assert min(np.abs(kernels - kernel).max((1, 2, 3))) < 1e-3
    assert explained["conv1_1"] > 0.999
    assert 0.1 < explained["conv1_2"] < 0.999  # half of its inputs are missing


def test_choose_channels_skips_copies_and_unread_channels():
    signal = np.random.default_rng(0).random((500, 2))
    outputs = np.column_stack([signal[:, 0], -signal[:, 0], signal[:, 0], signal[:, 1]])
    assert choose_channels(outputs, None, 2).tolist() in ([0, 3], [2, 3])
    weights = np.ones((5, 4, 1, 1))
    weights[:, 3] = 0  # nothing reads channel 3
    assert 3 not in choose_channels(outputs, weights, 1)


def test_patches_are_the_inputs_of_a_convolution():
    blob = np.arange(2 * 1 * 3 * 3, dtype=np.float32).reshape(2, 1, 3, 3)
    corner, centre = patches_at(blob, (np.array([0, 1]), np.array([0, 1]), np.array([0, 1])), 3)
    assert corner.tolist() == [0, 0, 0, 0, 0, 1, 0, 3, 4]
    assert centre.tolist() == list(range(9, 18))


def test_ridge_is_relative_to_the_mean_square_of_the_patches():
    """For orthogonal inputs: weight = correlation / (square + ridge * mean square)."""
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    for scale in (1, 100):
        patches = scale * signs * [1, 3]
        target = patches @ [[2], [-1]] + 5
        weights, bias, explained = fit_ridge(patches, target, ridge=0.5)
        squares = np.array([1, 9])
        expected = squares * [2, -1] / (squares + 0.5 * squares.mean())
        np.testing.assert_allclose(weights, [expected])
        np.testing.assert_allclose(bias, [5])
        left = (squares * (expected - [2, -1]) ** 2).sum() / (squares * [4, 1]).sum()
        assert explained == pytest.approx(1 - left)


def test_default_ridge_is_a_thousandth(trunk):
    wide = trunk(1 / 16)
    fitted = []
    for options in ({}, {"ridge": 1e-3}, {"ridge": 2e-3}):
        light = trunk(1 / 32)
        thin(light, wide, IMAGES, samples=500, **options)
        fitted.append(light.params["conv1_2"][0].data.copy())
    assert (fitted[0] == fitted[1]).all() and (fitted[0] != fitted[2]).any()
