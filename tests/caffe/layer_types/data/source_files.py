"""Databases, lists and means for the tests of data layers, written as other programs would."""

import io

import numpy as np
from PIL import Image

from caffe.proto import caffe_pb2


def datum(image, label=0):
    """Return the Datum of a channels x height x width array, uint8 or float."""
    c, h, w = image.shape
    record = caffe_pb2.Datum(channels=c, height=h, width=w, label=label)
    if image.dtype == np.uint8:
        record.data = image.tobytes()
    else:
        record.float_data.extend(image.ravel().tolist())
    return record


def encoded(image, label=0, form="PNG"):
    """Return a Datum that holds an image file of a height x width (x 3 or 4, RGB or RGBA) array."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, form)
    return caffe_pb2.Datum(data=content.getvalue(), label=label, encoded=True)


def write_lmdb(path, records, keys=None):
    """Write Datums (or raw bytes) under the keys 00000000, 00000001, ...; return the path."""
    import lmdb

    env = lmdb.open(str(path), map_size=2**26)
    with env.begin(write=True) as transaction:
        for i, record in enumerate(records):
            key = keys[i] if keys else f"{i:08}".encode()
            transaction.put(
                key, record if isinstance(record, bytes) else record.SerializeToString()
            )
    env.close()
    return path


def write_mean(path, mean, legacy=True):
    """Write a .binaryproto; by default in the legacy form with four axes, as Caffe's tool does."""
    proto = caffe_pb2.BlobProto(data=mean.ravel().tolist())
    if legacy:
        proto.num, (proto.channels, proto.height, proto.width) = 1, mean.shape
    else:
        proto.shape.dim.extend(mean.shape)
    path.write_bytes(proto.SerializeToString())
    return path


def noise(*shape, seed=0):
    """Return random bytes of this shape."""
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
