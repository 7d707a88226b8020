"""Weights to and from .caffemodel files (protobuf); .caffemodel.h5 is in weights_hdf5.

A file is checked as a whole before the first weight is copied, and written beside its place and
then renamed, so that neither a bad file nor a full disk leaves half a net.
"""
import math
import os

import numpy as np
from google.protobuf.message import DecodeError

from . import weights_hdf5
from .errors import WeightsError
from .proto import caffe_pb2
from .upgrade import named_blobs
from .weight_files import check_file, check_number, check_shape, is_hdf5, write_whole

LIMIT = 2 ** 31 - 1    # protobuf's own, for one message
LEGACY = ('num', 'channels', 'height', 'width')    # of blobs in older files


def load(net, path):
    """Copy weights by layer name into `net` (see Net.copy_from)."""
    check_file(path)
    pairs = weights_hdf5.read(net, path) if is_hdf5(path) else _read(net, path)
    for blob, array in pairs:
        blob.data[...] = array


def read_message(path, message, what):
    """Parse the binary file `path` into the protobuf `message`; WeightsError where it is none.

    what: what the file should be, for the error. The file is read once, beside the message itself.
    """
    check_file(path)
    size = os.path.getsize(path)
    if size > LIMIT:
        raise WeightsError('%s is %.1f GiB, a protobuf file holds 2 GiB at most: use .caffemodel.h5'
                           % (path, size / 2 ** 30))
    with open(path, 'rb') as f:
        content = f.read()
    try:
        message.ParseFromString(content)
    except DecodeError as e:
        start = content[:60]
        if start.startswith(b'version https://git-lfs'):
            why = 'it is a Git LFS pointer: run git lfs pull'
        elif start.lstrip()[:1] == b'<':
            why = 'it looks like a web page: the download went wrong'
        else:
            why = 'it is truncated or of another kind (%d bytes; %s): fetch it again' % (size, e)
        raise WeightsError('%s is not %s: %s' % (path, what, why)) from None
    return message


def _read(net, path):
    """[(Blob, array)] of all the weights that net and file share, checked."""
    param = read_message(path, caffe_pb2.NetParameter(), 'a .caffemodel')
    if not param.layer and not param.layers:
        raise WeightsError('%s holds no layers: it is not a .caffemodel' % path)
    pairs = []
    for name, protos in named_blobs(param):
        mine = net.params.get(name)
        if not mine or not protos:
            continue
        check_number(path, name, len(protos), len(mine))
        for i, (blob, proto) in enumerate(zip(mine, protos)):
            legacy = any(proto.HasField(axis) for axis in LEGACY)
            check_shape(path, name, i, blob.shape, _shape(proto), legacy)
            pairs.append((blob, to_array(proto, '%s: layer %r, blob %d' % (path, name, i))
                          .reshape(blob.shape)))
    return pairs


def _shape(proto):
    """Of today's form, or of four axes in older files; () where none is given, a single number."""
    if any(proto.HasField(axis) for axis in LEGACY):
        return tuple(getattr(proto, axis) for axis in LEGACY)
    return tuple(proto.shape.dim)


def to_array(proto, place):
    """The float32 array of a BlobProto; WeightsError where its values do not fill its shape."""
    values = proto.data or proto.double_data
    if len(values) != math.prod(_shape(proto)):
        raise WeightsError('%s: holds %d values for shape %s: the file is damaged, fetch it again'
                           % (place, len(values), _shape(proto)))
    return np.array(values, np.float32).reshape(_shape(proto))


def to_blob_proto(proto, array):
    """Fill a BlobProto from a float array."""
    proto.shape.dim.extend(array.shape)
    packed = np.asarray(array, '<f4').tobytes()
    # as the wire has it: field 5 (data), packed. Value by value it would take minutes
    proto.MergeFromString(b'\x2a' + _varint(len(packed)) + packed)
    return proto


def _varint(n):
    """n as protobuf writes lengths: seven bits a byte, lowest first, the top bit set on all but
    the last."""
    low = bytearray()
    while n > 0x7f:
        low.append(0x80 | n & 0x7f)
        n >>= 7
    return bytes(low) + bytes([n])


def save(net, path):
    """Write a .caffemodel; WeightsError where it would be over 2 GiB."""
    count = sum(b.count for blobs in net.params.values() for b in blobs)
    if 4 * count > LIMIT:
        raise WeightsError('%s: %d weights are more than a .caffemodel can hold: use save_hdf5'
                           % (path, count))
    param = caffe_pb2.NetParameter(name=net.name)
    for name, layer in zip(net._layer_names, net.layers):
        made = param.layer.add(name=name, type=layer.type, bottom=net.bottom_names[name],
                               top=net.top_names[name])
        for blob in net.params.get(name, ()):
            to_blob_proto(made.blobs.add(), blob.data)
    write_message(path, param)


def write_message(path, message):
    """Write a protobuf message as a binary file, whole or not at all."""
    def write(part):
        with open(part, 'wb') as f:
            f.write(message.SerializeToString())
    write_whole(path, write)
