"""Doubles beyond single precision: infinite, with one warning of ours that names the place."""

import warnings

import h5py
import numpy as np
import pytest
import torch

import caffe
from caffe.blobs import single
from caffe.layer_types.data.transform import read_mean
from caffe.proto import caffe_pb2

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 bias_term: false } }
"""
BIG = np.array([[1, 2, 3], [1e300, -1e300, 3.4e38]])
AS_SINGLE = np.array([[1, 2, 3], [np.inf, -np.inf, 3.4e38]], np.float32)
SAID = "2 of 6 numbers are infinite in single precision"


@pytest.fixture(autouse=True)
def no_warning_of_numpy():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def packed(path):
    model = caffe_pb2.NetParameter()
    blob = model.layer.add(name="fc").blobs.add(double_data=BIG.ravel())
    blob.shape.dim.extend(BIG.shape)
    path.write_bytes(model.SerializeToString())


def unpacked(path):
    """As old writers did: a field for each value."""
    shape = caffe_pb2.BlobShape(dim=BIG.shape).SerializeToString()
    blob = b"\x3a" + bytes([len(shape)]) + shape
    blob += b"".join(b"\x41" + np.float64(v).tobytes() for v in BIG.ravel())
    layer = b"\x0a\x02fc\x3a" + bytes([len(blob)]) + blob
    path.write_bytes(b"\xa2\x06" + bytes([len(layer)]) + layer)


def raw(path):
    model = caffe_pb2.NetParameter()
    blob = model.layer.add(name="fc").blobs.add(raw_data=BIG.astype("<f8").tobytes())
    blob.raw_data_type = caffe_pb2.BlobProto.DOUBLE
    blob.shape.dim.extend(BIG.shape)
    path.write_bytes(model.SerializeToString())


def as_hdf5(path):
    with h5py.File(path, "w") as f:
        f["data/fc/0"] = BIG


@pytest.mark.parametrize("put", [packed, unpacked, raw, as_hdf5])
def test_weights(make_net, tmp_path, caplog, put):
    net, path = make_net(NET), tmp_path / "weights"
    put(path)
    net.copy_from(path)
    np.testing.assert_array_equal(net.params["fc"][0].data, AS_SINGLE)
    (message,) = caplog.messages
    assert str(path) in message and "fc" in message and SAID in message


@pytest.mark.parametrize("in_file", [False, True])
def test_state_dicts(make_net, tmp_path, caplog, in_file):
    net, source = make_net(NET), {"fc.weight": torch.tensor(BIG)}
    if in_file:
        torch.save(source, tmp_path / "w.pth")
        source = tmp_path / "w.pth"
    net.load_state_dict(source)
    np.testing.assert_array_equal(net.params["fc"][0].data, AS_SINGLE)
    (message,) = caplog.messages
    assert "fc.weight" in message and SAID in message


def test_rows_are_named_once(make_net, tmp_path, caplog):
    with h5py.File(tmp_path / "rows.h5", "w") as f:
        f["a"], f["b"] = BIG, np.zeros((2, 3), "f4")
    (tmp_path / "rows.txt").write_text(str(tmp_path / "rows.h5"))
    net = make_net(
        'layer { name: "in" type: "HDF5Data" top: "a" top: "b" '
        f'hdf5_data_param {{ source: "{tmp_path}/rows.txt" batch_size: 2 }} }}'
    )
    for _ in range(3):
        np.testing.assert_array_equal(net.forward()["a"], AS_SINGLE)
    (message,) = caplog.messages
    assert "rows.h5: dataset 'a'" in message and SAID in message


def test_inputs_and_diffs(make_net, caplog):
    net = make_net("force_backward: true" + NET)
    net.forward(data=BIG[1:])
    assert net.blobs["data"].data.tolist() == [[np.inf, -np.inf, np.float32(3.4e38)]]
    net.backward(fc=BIG[1:, :2])
    first, second = caplog.messages
    assert first.startswith("input 'data': 2 of 3 numbers are infinite in single precision")
    assert second.startswith("the diff of 'fc': 2 of 2")


def test_a_mean_file(tmp_path, caplog):
    mean = caffe_pb2.BlobProto(num=1, channels=3, height=1, width=1)
    mean.double_data.extend([1e300, 1, 1])
    (tmp_path / "mean.binaryproto").write_bytes(mean.SerializeToString())
    read = read_mean(str(tmp_path / "mean.binaryproto"))
    assert read.ravel().tolist() == [np.inf, 1, 1]
    (message,) = caplog.messages
    assert "mean.binaryproto" in message and "1 of 3 numbers are infinite" in message


def test_what_is_written(caplog):
    proto = caffe.io.array_to_blobproto(BIG)
    assert list(proto.data) == AS_SINGLE.ravel().tolist()
    assert [SAID in m for m in caplog.messages] == [True]


def test_single_precision_may_be_infinite(make_net, caplog):
    """A file that holds infinity means it."""
    net = make_net(NET)
    net.forward(data=np.array([[np.inf, 0, 0]], np.float32))
    net.load_state_dict({"fc.weight": torch.tensor(AS_SINGLE)})
    assert not caplog.messages


@pytest.mark.parametrize("dtype, wide", [("f2", 0), ("f4", 0), ("f8", 1), (">f8", 1), ("u8", 0)])
def test_types_beyond_single_precision(dtype, wide):
    assert single.is_wider(dtype) == bool(wide)


def test_signalling_nans_are_nan_without_a_word(caplog):
    """NumPy warns of an invalid value; a file may hold any bits."""
    values = np.array([0x7FF0000000000001, 0x3FF0000000000000], np.uint64).view(np.float64)
    target = np.zeros(2, np.float32)
    single.put(target, values, "here")
    assert np.isnan(target[0]) and target[1] == 1 and not caplog.messages
