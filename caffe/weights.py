"""Weights to and from files: .caffemodel (protobuf) and .caffemodel.h5 (HDF5, /data/{layer}/{i}).

A file is checked as a whole before the first weight is copied, and written beside its place and then
renamed, so that neither a bad file nor a full disk leaves half a net.
"""
import os

import numpy as np
from google.protobuf.message import DecodeError

from .errors import ShapeMismatch, WeightsError
from .proto import caffe_pb2
from .upgrade import named_blobs

LIMIT = 2 ** 31 - 1    # protobuf's own, for one message
HDF5_MAGIC = b'\x89HDF\r\n\x1a\n'


def load(net, path):
    """Copy weights by layer name into `net` (see Net.copy_from)."""
    _check_file(path)
    with open(path, 'rb') as f:
        hdf5 = f.read(8) == HDF5_MAGIC
    (_load_hdf5 if hdf5 else _load_caffemodel)(net, path)


def _check_file(path):
    if not os.path.isfile(path):
        raise WeightsError('%s: no such weights file (looked in %s): see nets/README.md for where '
                           'weights come from, or check the path' % (path, os.getcwd()))
    if not os.path.getsize(path):
        raise WeightsError('%s is empty: fetch it again' % path)


def read_message(path, message, what):
    """Parse the binary file `path` into the protobuf `message`; WeightsError where it is none.

    what: what the file should be, for the error. The file is read once, beside the message itself.
    """
    _check_file(path)
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


def _load_caffemodel(net, path):
    param = read_message(path, caffe_pb2.NetParameter(), 'a .caffemodel')
    if not param.layer and not param.layers:
        raise WeightsError('%s holds no layers: it is not a .caffemodel' % path)
    todo = []
    for name, blobs in named_blobs(param):
        if name in net.params and len(blobs):
            mine = net.params[name]
            _check_number(path, name, len(blobs), len(mine))
            for i, (blob, proto) in enumerate(zip(mine, blobs)):
                _check_shape(path, name, i, blob.shape, *_shape(proto))
                if len(proto.data or proto.double_data) != blob.count:
                    raise WeightsError('%s: layer %r, blob %d: holds %d values for shape %s: the file '
                                       'is damaged' % (path, name, i, len(proto.data), blob.shape))
                todo.append((blob, proto))
    for blob, proto in todo:
        blob.data[...] = np.array(proto.data or proto.double_data, np.float32).reshape(blob.shape)


def _shape(proto):
    """(shape, is_legacy) of a BlobProto."""
    if proto.HasField('shape'):
        return tuple(proto.shape.dim), False
    return (proto.num, proto.channels, proto.height, proto.width), True


def _check_number(path, layer, theirs, mine):
    if theirs != mine:
        raise WeightsError('%s: layer %r has %d blobs in the file, %d in the net: bias_term differs, '
                           'or the layer is of another type' % (path, layer, theirs, mine))


def _check_shape(path, layer, i, mine, theirs, legacy=False):
    padded = (1,) * (4 - len(mine)) + mine if legacy else mine
    if padded == theirs:
        return
    cause = 'the file is for another net: rename the layer to keep its filler values'
    if len(mine) == len(theirs) == 4 and mine[0] == theirs[0] and mine[2:] == theirs[2:] \
            and 1 in (mine[1], theirs[1]):
        cause = 'the %s is grouped, the other is not: set convolution_param.group to match' \
            % ('net' if mine[1] == 1 else 'file')
    elif mine[1:] == theirs[1:]:
        cause = 'another number of outputs or classes: ' + cause
    raise ShapeMismatch('%s: layer %r, blob %d: shape %s in the file, %s in the net: %s'
                        % (path, layer, i, theirs, mine, cause))


def _load_hdf5(net, path):
    import h5py
    try:
        file = h5py.File(path, 'r')
    except OSError as e:
        raise WeightsError('%s is damaged: %s: fetch it again' % (path, e)) from None
    with file:
        group = file.get('data')
        if not isinstance(group, h5py.Group):
            raise WeightsError("%s has no group 'data': it is not a .caffemodel.h5" % path)
        todo = []
        for name, mine in net.params.items():
            layer = group.get(name)
            if layer is None:
                continue
            for i, blob in enumerate(mine):
                stored = layer.get(str(i))
                if stored is None:
                    if any(blob is other for others in net.params.values() for other in others
                           if others is not mine):
                        continue    # shared: stored once, with its owner
                    _check_number(path, name, len(layer), len(mine))
                _check_shape(path, name, i, blob.shape, tuple(stored.shape))
                todo.append((blob, stored))
        try:
            arrays = [(blob, np.asarray(stored, np.float32)) for blob, stored in todo]
        except (OSError, ValueError, TypeError) as e:
            raise WeightsError('%s is damaged: %s' % (path, e)) from None
    for blob, array in arrays:
        blob.data[...] = array


def write_whole(path, write):
    """Call write(temporary path) and rename the result to `path`."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise WeightsError('%s: cannot be written, there is no folder %s' % (path, folder))
    part = '%s.part%d' % (path, os.getpid())
    try:
        write(part)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


def to_blob_proto(proto, array):
    """Fill a BlobProto from a float array."""
    proto.shape.dim.extend(array.shape)
    proto.data.extend(np.asarray(array, np.float32).ravel())
    return proto


def save(net, path):
    """Write a .caffemodel; WeightsError where it would be over 2 GiB."""
    count = sum(b.count for blobs in net.params.values() for b in blobs)
    if 4 * count > LIMIT:
        raise WeightsError('%s: %d weights are more than a .caffemodel can hold: use save_hdf5'
                           % (path, count))
    param = caffe_pb2.NetParameter(name=net.name)
    for name, layer in zip(net._layer_names, net.layers):
        made = param.layer.add(name=name, type=getattr(layer, 'type', 'Python'),
                               bottom=net.bottom_names[name], top=net.top_names[name])
        for blob in net.params.get(name, ()):
            to_blob_proto(made.blobs.add(), blob.data)

    def write(part):
        with open(part, 'wb') as f:
            f.write(param.SerializeToString())
    write_whole(path, write)


def save_hdf5(net, path):
    """Write /data/{layer}/{i}; a blob shared by several layers is written with the first."""
    import h5py

    def write(part):
        with h5py.File(part, 'w') as file:
            seen = []
            for name, blobs in net.params.items():
                group = file.create_group('data/' + name)
                for i, blob in enumerate(blobs):
                    if not any(blob is s for s in seen):
                        group.create_dataset(str(i), data=blob.data)
                        seen.append(blob)
    write_whole(path, write)
