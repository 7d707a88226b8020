"""Weights as raw bytes, as NVIDIA's Caffe and OpenCV write them: half floats above all, exactly."""

import struct

import numpy as np
import pytest

from caffe.errors import WeightsError
from caffe.proto import caffe_pb2
from caffe.weights import wire
from caffe.weights.blobproto import to_array

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 bias_term: false weight_filler { type: "xavier" } } }
"""
HALVES = [1, -2.5, 65504, 2**-24, -(2**-14), 0]  # largest and smallest included
# The same by the table of IEEE 754 binary16.
BITS = [0x3C00, 0xC100, 0x7BFF, 0x0001, 0x8400, 0x0000]
RAW = struct.pack("<6H", *BITS)
FLOAT16, FLOAT, DOUBLE = 2, 1, 0


def blob(raw, kind, *more, shape=(2, 3)):
    """A BlobProto, field by field: 12 is raw_data, 10 raw_data_type; `more` are (field, bytes)."""
    content = caffe_pb2.BlobProto(shape=dict(dim=shape)).SerializeToString()
    if kind is not None:
        content += bytes([10 << 3, kind])
    for field, value in ((12, raw), *more):
        content += wire.head(field, len(value)) + value
    return content


def model(content):
    layer = b"\x0a\x02fc" + wire.head(7, len(content)) + content
    return wire.head(100, len(layer)) + layer


@pytest.mark.parametrize(
    "content",
    [
        blob(RAW, FLOAT16),
        blob(struct.pack("<6f", *HALVES), FLOAT),
        blob(struct.pack("<6d", *HALVES), DOUBLE),
        blob(RAW, FLOAT16, (13, RAW)),  # with raw_diff
        blob(b"\0" * 12, FLOAT16, (12, RAW)),  # twice: the last counts, as in protobuf
        blob(b"", None, (5, struct.pack("<6f", *HALVES))),  # empty, and data
    ],
)
def test_values(make_net, content):
    loaded = make_net(NET, weights=model(content)).params["fc"][0].data
    assert loaded.tolist() == [HALVES[:3], HALVES[3:]]
    proto = caffe_pb2.BlobProto.FromString(content)
    assert to_array(proto, "here").tolist() == [HALVES[:3], HALVES[3:]]


def test_infinity_and_nan(make_net):
    raw = struct.pack("<6H", 0x7C00, 0xFC00, 0x7E00, 0, 0x8000, 0x3555)
    loaded = make_net(NET, weights=model(blob(raw, FLOAT16))).params["fc"][0].data.ravel()
    np.testing.assert_array_equal(loaded, [np.inf, -np.inf, np.nan, 0, 0, 0.333251953125])
    assert np.signbit(loaded[4])


def test_all_65536_halves(make_net):
    text = NET.replace("dim: 3", "dim: 256").replace("num_output: 2", "num_output: 256")
    bits = np.arange(2**16, dtype="<u2")
    content = blob(bits.tobytes(), FLOAT16, shape=(256, 256))
    loaded = make_net(text, weights=model(content)).params["fc"][0].data.ravel()
    sign, exponent, fraction = (bits >> 15).astype(float), bits >> 10 & 31, bits & 1023
    wanted = np.where(exponent == 0, fraction * 2.0**-24, 0)
    normal = (exponent > 0) & (exponent < 31)
    wanted[normal] = (1024.0 + fraction[normal]) * 2.0 ** (exponent[normal] - 25.0)
    wanted[exponent == 31] = np.where(fraction[exponent == 31], np.nan, np.inf)
    np.testing.assert_array_equal(loaded, wanted * (1 - 2 * sign))


def test_a_diff_in_halves():
    proto = caffe_pb2.BlobProto(raw_diff=RAW, raw_diff_type=FLOAT16, shape=dict(dim=[6]))
    assert to_array(proto, "here", "diff").tolist() == HALVES


@pytest.mark.parametrize(
    "content, words",
    [
        (blob(RAW, None), "raw_data without a raw_data_type"),
        (blob(RAW, 77), "raw_data without a raw_data_type that is known"),
        (blob(RAW, 3), "raw_data_type is INT, weights are FLOAT16"),
        (blob(RAW[:-1], FLOAT16), "cut short"),
        (blob(RAW, FLOAT), "3 values for shape"),
        (blob(RAW[:-2], FLOAT16), "5 values for shape"),
        (blob(RAW, FLOAT16, (5, struct.pack("<6f", *HALVES))), "values twice"),
        (blob(RAW, FLOAT16) + b"\x2d\0\0\0\0", "values twice"),  # data, not packed
    ],
)
def test_raw_bytes_that_are_no_weights(make_net, content, words):
    net = make_net(NET)
    before = net.params["fc"][0].data.copy()
    with pytest.raises(WeightsError, match=f"the weights given in memory.*{words}"):
        net.copy_from(model(content))
    np.testing.assert_array_equal(net.params["fc"][0].data, before)
    with pytest.raises(WeightsError, match="here: "):
        to_array(caffe_pb2.BlobProto.FromString(content), "here")
