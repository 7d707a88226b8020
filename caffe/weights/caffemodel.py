"""Weights to and from .caffemodel files (protobuf); .caffemodel.h5 is in weights_hdf5.

A file is checked as a whole before the first weight is copied, and written beside its place and
then renamed, so that neither a bad file nor a full disk leaves half a net. Weights go straight from
the file into the net's memory and back: no second copy is held, whatever the size.
"""

import io
import math
import os
from contextlib import contextmanager

import numpy as np
from google.protobuf.message import DecodeError

from caffe.errors import WeightsError
from caffe.proto import caffe_pb2
from caffe.weights import hdf5 as weights_hdf5
from caffe.weights import wire
from caffe.weights.blobproto import check_count
from caffe.weights.files import (
    HDF5_MAGIC,
    check_file,
    check_number,
    check_shape,
    is_hdf5,
    write_whole,
)
from caffe.weights.stored_blobs import DATA, DIFF, SHAPE, StoredBlob
from caffe.weights.wire import Damaged, Wire, number

LIMIT = 2**31 - 1  # protobuf's own, for one message
LAYER, BLOBS = (number(caffe_pb2.NetParameter, "layer"), number(caffe_pb2.LayerParameter, "blobs"))


IN_MEMORY = "the weights given in memory"


def load(net, source):
    """Copy weights by layer name into `net` (see Net.copy_from)."""
    if isinstance(source, caffe_pb2.NetParameter):
        source = source.SerializeToString()
    if isinstance(source, bytes | bytearray | memoryview):
        return _load_bytes(net, bytes(source))
    path = os.fspath(source)
    check_file(path)
    if is_hdf5(path):
        weights_hdf5.load(net, path)
    else:
        with open_message(path, "a .caffemodel") as f:
            _load(net, path, f, os.path.getsize(path))


def _load_bytes(net, content):
    """Copy weights from the bytes of a file of either kind."""
    f = io.BytesIO(content)
    if content.startswith(HDF5_MAGIC):
        weights_hdf5.load(net, IN_MEMORY, f)
    else:
        with _explained(IN_MEMORY, "a .caffemodel", f, len(content)):
            _load(net, IN_MEMORY, f, len(content))


@contextmanager
def open_message(path, what):
    """The binary protobuf file `path`, open for reading; whatever turns out to be damaged inside
    the `with` becomes a WeightsError that says what the file should be and what it seems to be.
    """
    check_file(path)
    size = os.path.getsize(path)
    if size > LIMIT:
        raise WeightsError(
            f"{path} is {size / 2**30:.1f} GiB, a protobuf file holds 2 GiB at most: use .caffemodel.h5"
        )
    with open(path, "rb") as f, _explained(path, what, f, size):
        yield f


@contextmanager
def _explained(path, what, f, size):
    """Turns what is found damaged in the `with` into a WeightsError with the likely cause."""
    try:
        yield
    except (Damaged, DecodeError) as e:
        f.seek(0)
        start = f.read(60)
        if start.startswith(b"version https://git-lfs"):
            why = "it is a Git LFS pointer: run git lfs pull"
        elif start.lstrip()[:1] == b"<":
            why = "it looks like a web page: the download went wrong"
        elif start.startswith(b"PK"):
            why = "it looks like a PyTorch file: use net.load_state_dict(path)"
        else:
            why = "it is truncated or of another kind (%d bytes; %s): fetch it again" % (size, e)
        raise WeightsError(f"{path} is not {what}: {why}") from None


def read_message(path, message, what):
    """Parse the binary file `path` into the protobuf `message`; WeightsError where it is none.

    what: what the file should be, for the error. The file is read once, beside the message itself.
    """
    with open_message(path, what) as f:
        for _ in Wire(f).fields(0, os.path.getsize(path)):
            pass  # of millions of empty fields the parser would make gigabytes
        f.seek(0)
        message.ParseFromString(f.read())
    return message


def _load(net, path, f, size):
    """Check all the weights that net and file share, then copy them."""
    reader, pairs, layers = Wire(f), [], 0
    for name, blobs in wire.layers(reader, size):
        layers += 1
        mine = net.params.get(name)
        if not mine or not blobs:
            continue
        check_number(path, name, len(blobs), len(mine))
        for i, (blob, (start, stop)) in enumerate(zip(mine, blobs)):
            stored = StoredBlob(reader, start, stop, blob.count)
            check_shape(path, name, i, blob.shape, stored.shape, stored.legacy)
            check_count(stored.count, stored.shape, "%s: layer %r, blob %d" % (path, name, i))
            pairs.append((blob, stored))
    if not layers:
        raise WeightsError(f"{path} holds no layers: it is not a .caffemodel")
    for blob, stored in pairs:
        stored.into(reader, blob.data)


def _blob_head(shape):
    """What a BlobProto of this shape has before its packed values."""
    stored = caffe_pb2.BlobShape(dim=shape).SerializeToString()
    return wire.head(SHAPE, len(stored)) + stored + wire.head(DATA, 4 * math.prod(shape))


def save(net, path, diff=False):
    """Write a .caffemodel, with the diffs of the weights or without; WeightsError where it would be
    over 2 GiB.
    """
    count = sum(b.count for blobs in net.params.values() for b in blobs) * (1 + diff)
    if 4 * count > LIMIT:
        raise WeightsError(
            "%s: %d weights are more than a .caffemodel can hold: use save_hdf5" % (path, count)
        )

    def write(part):
        with open(part, "wb") as f:
            f.write(caffe_pb2.NetParameter(name=net.name).SerializeToString())
            for name, layer in zip(net._layer_names, net.layers):
                made = caffe_pb2.LayerParameter(
                    name=name,
                    type=layer.type,
                    bottom=net.bottom_names[name],
                    top=net.top_names[name],
                )
                _write_layer(f, made, net.params.get(name, ()), diff)
            if f.tell() > LIMIT:  # names and shapes count as well
                raise ValueError("it would be more than 2 GiB: use save_hdf5")

    write_whole(path, write)


def _write_layer(f, layer, blobs, diff):
    """Write a layer as field `layer` of a NetParameter, blobs from the memory that they lie in."""
    start = layer.SerializeToString()
    heads = [_blob_head(b.shape) for b in blobs]
    diffs = [wire.head(DIFF, 4 * b.count) if diff else b"" for b in blobs]
    sizes = [len(h) + len(d) + 4 * b.count * (1 + diff) for h, d, b in zip(heads, diffs, blobs)]
    keys = [wire.head(BLOBS, size) for size in sizes]
    f.write(wire.head(LAYER, len(start) + sum(map(len, keys)) + sum(sizes)) + start)
    for key, head, diff_head, blob in zip(keys, heads, diffs, blobs):
        f.write(key + head)
        f.write(np.ascontiguousarray(blob.data, "<f4").reshape(-1).view("u1"))
        if diff:
            f.write(diff_head)
            f.write(np.ascontiguousarray(blob.diff, "<f4").reshape(-1).view("u1"))


def write_message(path, message):
    """Write a protobuf message as a binary file, whole or not at all."""

    def write(part):
        with open(part, "wb") as f:
            f.write(message.SerializeToString())

    write_whole(path, write)
