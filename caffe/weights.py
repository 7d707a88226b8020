"""Weights to and from .caffemodel files (protobuf); .caffemodel.h5 is in weights_hdf5.

A file is checked as a whole before the first weight is copied, and written beside its place and
then renamed, so that neither a bad file nor a full disk leaves half a net.
"""
import os

from google.protobuf.message import DecodeError

from . import weights_hdf5
from .blobproto import is_legacy, shape_of, to_array, to_blob_proto
from .errors import WeightsError
from .proto import caffe_pb2
from .upgrade import named_blobs
from .weight_files import check_file, check_number, check_shape, is_hdf5, write_whole

LIMIT = 2 ** 31 - 1    # protobuf's own, for one message


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
            check_shape(path, name, i, blob.shape, shape_of(proto), is_legacy(proto))
            pairs.append((blob, to_array(proto, '%s: layer %r, blob %d' % (path, name, i))
                          .reshape(blob.shape)))
    return pairs


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
