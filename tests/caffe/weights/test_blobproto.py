"""BlobProtos: the bytes that protobuf itself writes, all ways to give a shape, and damage."""

import numpy as np
import pytest

from caffe.errors import WeightsError
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import is_legacy, shape_of, to_array, to_blob_proto


@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (1, 40, 5, 1, 2), (70000,)])
def test_bytes_equal_what_protobuf_writes(shape):
    values, diff = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
    slow = caffe_pb2.BlobProto()
    slow.shape.dim.extend(shape)
    slow.data.extend(np.ravel(values))
    assert to_blob_proto(caffe_pb2.BlobProto(), values) == slow
    slow.diff.extend(np.ravel(diff))
    fast = to_blob_proto(caffe_pb2.BlobProto(), values, diff)
    assert fast == slow
    assert fast.SerializeToString() == slow.SerializeToString()
    np.testing.assert_array_equal(to_array(fast, "here"), values)
    np.testing.assert_array_equal(to_array(fast, "here", of="diff"), diff)


def test_shapes_of_older_files_and_double_precision():
    old = caffe_pb2.BlobProto(num=1, channels=2, height=1, width=3, double_data=range(6))
    assert is_legacy(old) and shape_of(old) == (1, 2, 1, 3)
    np.testing.assert_array_equal(to_array(old, "here"), np.arange(6.0).reshape(1, 2, 1, 3))
    assert to_array(old, "here").dtype == np.float32
    new = caffe_pb2.BlobProto(data=[7])
    assert not is_legacy(new) and shape_of(new) == () and to_array(new, "here") == 7


@pytest.mark.parametrize(
    "dim, words",
    [
        ([2, 2], "mean: holds 3 values for shape"),
        ([-1, -3], "mean: its data cannot have shape"),
        ([2**40], "mean: its data would have shape"),
    ],
)
def test_values_that_do_not_fill_their_shape(dim, words):
    proto = caffe_pb2.BlobProto(data=[1, 2, 3])
    proto.shape.dim.extend(dim)
    with pytest.raises(WeightsError, match=words):
        to_array(proto, "mean")
