"""Arrays to and from the protobuf messages BlobProto and Datum, as in caffe.io."""
import math

import numpy as np

from .blobproto import shape_of, to_blob_proto
from .proto import caffe_pb2


def blobproto_to_array(blob, return_diff=False):
    """The values of a BlobProto, or its gradients, in its shape: today's, or four axes in old ones.

    A blob without a shape is a single number. ValueError where the values do not fill the shape.
    """
    single, double = (blob.diff, blob.double_diff) if return_diff else (blob.data, blob.double_data)
    values = np.array(single or double)
    shape = shape_of(blob)
    if values.size != math.prod(shape):
        raise ValueError('a BlobProto with %d values cannot have shape %s' % (values.size, shape))
    return values.reshape(shape)


def array_to_blobproto(arr, diff=None):
    """A BlobProto of the values `arr` and, where given, the gradients `diff`."""
    arr = np.asarray(arr)
    if diff is not None and np.shape(diff) != arr.shape:
        raise ValueError('the gradients have shape %s, the values %s' % (np.shape(diff), arr.shape))
    return to_blob_proto(caffe_pb2.BlobProto(), arr, diff)


def arraylist_to_blobprotovector_str(arraylist):
    """A list of arrays as the bytes of a BlobProtoVector."""
    blobs = [array_to_blobproto(arr) for arr in arraylist]
    return caffe_pb2.BlobProtoVector(blobs=blobs).SerializeToString()


def blobprotovector_str_to_arraylist(str):
    """The list of arrays in the bytes of a BlobProtoVector."""
    return [blobproto_to_array(b) for b in caffe_pb2.BlobProtoVector.FromString(str).blobs]


def array_to_datum(arr, label=None):
    """A Datum of a channels x height x width array: bytes where it is uint8, else floats."""
    arr = np.asarray(arr)
    if arr.ndim != 3:
        raise ValueError('a Datum holds channels x height x width, not shape %s' % (arr.shape,))
    datum = caffe_pb2.Datum(channels=arr.shape[0], height=arr.shape[1], width=arr.shape[2])
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(float).ravel())
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum):
    """channels x height x width: uint8, or float where the Datum holds floats.

    ValueError where the values do not fill the shape, or are an encoded image.
    """
    if datum.encoded:
        raise ValueError('this Datum holds an encoded image (JPEG or PNG): decode datum.data with '
                         'PIL.Image.open(io.BytesIO(datum.data))')
    values = np.frombuffer(datum.data, np.uint8) if datum.data else \
        np.array(datum.float_data, float)
    return values.reshape(datum.channels, datum.height, datum.width)
