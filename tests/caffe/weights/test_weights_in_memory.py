"""Weights passed as a message or as bytes instead of the path of a file."""

import numpy as np
import pytest

import caffe
from caffe.errors import ShapeMismatch, WeightsError
from caffe.proto import caffe_pb2

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 2 dim: 5 dim: 5 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "gaussian" std: 1 } } }
"""


@pytest.fixture
def stored(make_net, tmp_path):
    """Return (net, bytes of its .caffemodel, bytes of its .caffemodel.h5)."""
    net = make_net(NET)
    net.save(tmp_path / "w")
    net.save_hdf5(tmp_path / "h")
    return net, (tmp_path / "w").read_bytes(), (tmp_path / "h").read_bytes()


def same(a, b):
    return all(
        np.array_equal(x.data, y.data)
        for x, y in zip(a.params["conv"], b.params["conv"], strict=True)
    )


def test_every_kind(make_net, write, stored):
    net, proto, hdf5 = stored
    message = caffe_pb2.NetParameter.FromString(proto)
    for weights in (message, proto, bytearray(proto), memoryview(hdf5), hdf5):
        assert same(net, make_net(NET, weights=weights))
        other = caffe.Net(write(NET), weights, caffe.TEST)
        assert same(net, other)
        other.params["conv"][0].data[...] = 0
        other.copy_from(weights)
        assert same(net, other)
    other.load_hdf5(hdf5)
    assert not same(net, make_net(NET))


@pytest.mark.parametrize(
    "content", [b"", b"<html>nothing here</html>", bytes(99), b"\x89HDF\r\n\x1a\n" + bytes(99)]
)
def test_bytes_that_hold_no_weights(make_net, stored, content):
    with pytest.raises(WeightsError, match="the weights given in memory"):
        make_net(NET, weights=content)


def test_a_message_of_another_net(make_net, stored):
    message = caffe_pb2.NetParameter.FromString(stored[1])
    wide = NET.replace("num_output: 3", "num_output: 4")
    with pytest.raises(ShapeMismatch, match="given in memory: layer 'conv'"):
        make_net(wide, weights=message)
    with pytest.raises(WeightsError, match="no layers"):
        make_net(NET, weights=caffe_pb2.NetParameter())


def test_an_empty_path(make_net):
    with pytest.raises(WeightsError, match="no weights file is named"):
        make_net(NET, weights="")
