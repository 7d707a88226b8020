"""Nets written for ncnn, read by ncnn and by hand."""

import struct
from pathlib import Path

import ncnn
import numpy as np
import pytest

import caffe
from benchmarks.nets import fill_with_noise
from benchmarks.peers.engines import ncnn as ncnn_engine
from benchmarks.peers.ncnn_files import write_ncnn

SMALL = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 2, 4, 5] } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 3 kernel_size: 3 pad: 1 dilation: 1 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "up" type: "Deconvolution" bottom: "pool" top: "up"
  convolution_param { num_output: 3 kernel_size: 2 stride: 2 group: 3 bias_term: false } }
layer { name: "cut" type: "Crop" bottom: "up" bottom: "data" top: "cut"
  crop_param { axis: 2 offset: 0 } }
layer { name: "score" type: "Eltwise" bottom: "conv" bottom: "cut" top: "score" }
"""
# worked out by hand from ncnn's table of settings
PARAM = """7767517
7 8
Input data 0 1 data 0=5 1=4 2=2
Convolution conv 1 1 data conv 0=3 1=3 2=1 3=1 4=1 5=1 6=54 9=1
Split split_conv 1 2 conv conv_split_0 conv_split_1
Pooling pool 1 1 conv_split_0 pool 0=0 1=2 2=2 3=0 5=0
DeconvolutionDepthWise up 1 1 pool up 0=3 1=2 2=1 3=2 4=0 5=0 6=12 7=3
Crop cut 1 1 up cut 0=0 1=0 2=0 3=5 4=4 5=3
Eltwise score 2 1 conv_split_1 cut score 0=1
"""


def written(folder, text):
    definition = folder / "net.prototxt"
    definition.write_text(text)
    net = caffe.Net(definition, caffe.TEST)
    fill_with_noise(net)
    write_ncnn(definition, net, folder / "net.param", folder / "net.bin")
    return net


def test_files_by_hand(tmp_path):
    net = written(tmp_path, SMALL)
    assert (tmp_path / "net.param").read_text() == PARAM
    weight, bias = (blob.data for blob in net.params["conv"])
    (up,) = (blob.data for blob in net.params["up"])
    flag = struct.pack("<I", 0)
    parts = [flag, weight.tobytes(), bias.tobytes(), flag, up.tobytes()]
    assert (tmp_path / "net.bin").read_bytes() == b"".join(parts)


def test_ncnn_computes_the_same(tmp_path):
    net = written(tmp_path, SMALL)
    frame = np.random.default_rng(0).normal(0, 50, (2, 4, 5)).astype(np.float32)
    net.blobs["data"].data[0] = frame
    wanted = net.forward()["score"]
    engine = ncnn_engine(Path(tmp_path), 1)
    engine.feed(frame)
    np.testing.assert_allclose(
        engine.calls["frame"](), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max()
    )
    assert engine.version == ncnn.__version__


def test_a_relu_that_nothing_fuses(tmp_path):
    text = SMALL.replace('bottom: "conv" top: "pool"', 'bottom: "positive" top: "pool"').replace(
        'layer { name: "pool"',
        'layer { name: "positive" type: "ReLU" bottom: "conv" top: "positive" }\n'
        'layer { name: "again" type: "ReLU" bottom: "positive" top: "positive" }\n'
        'layer { name: "pool"',
    )
    net = written(tmp_path, text)
    lines = (tmp_path / "net.param").read_text()
    assert "ReLU again 1 1 positive positive/again" in lines
    frame = np.ones((2, 4, 5), np.float32)
    net.blobs["data"].data[0] = frame
    engine = ncnn_engine(Path(tmp_path), 1)
    engine.feed(frame)
    np.testing.assert_allclose(
        engine.calls["frame"](), net.forward()["score"], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "old, new, words",
    [
        (
            'type: "Eltwise"',
            'type: "Eltwise" eltwise_param { operation: MAX }',
            "'score'.*this type",
        ),
        ('type: "Eltwise"', 'type: "Eltwise" eltwise_param { coeff: [1, 2] }', "coefficients"),
        (
            'stride: 2 } }\nlayer { name: "up"',
            'stride: 2 pool: AVE } }\nlayer { name: "up"',
            "'pool'",
        ),
        ("pad: 1", "pad: 0 pad: 1 kernel_size: 3", "differ by axis"),
        ("group: 3", "group: 1", "'up'.*1 groups with 3 outputs"),
    ],
)
def test_what_is_not_written(tmp_path, old, new, words):
    assert old in SMALL
    text = SMALL.replace(old, new)
    if "pad: 0 pad: 1" in new:
        text = text.replace("kernel_size: 3 pad", "pad").split('layer { name: "relu"')[0]
    with pytest.raises(ValueError, match=f"{words}.*leave ncnn out"):
        written(tmp_path, text)
