"""Read and write .caffemodel files (protobuf), and dispatch to `hdf5` for .caffemodel.h5 files.

All of a file is checked and read before the first weight is copied, and files are written
atomically, so neither a bad file, Ctrl-C nor a full disk leaves half a net. Reading takes as much
memory again as the weights; they are written straight from the net's memory.
"""

import io
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message

from caffe.blobs import single
from caffe.blobs.holders import NetWithWeights
from caffe.errors import WeightsError
from caffe.files import WEIGHTS, as_path
from caffe.proto import caffe_pb2
from caffe.weights import hdf5 as weights_hdf5
from caffe.weights import wire, wrong_kind
from caffe.weights.all_or_none import nothing, put_all, room
from caffe.weights.blobproto import check_count
from caffe.weights.files import HDF5_MAGIC, PathLike, check_file, check_number, check_shape, is_hdf5
from caffe.weights.matching import check_names
from caffe.weights.stored_blobs import DATA, DIFF, SHAPE, StoredBlob
from caffe.weights.wire import Damaged, Wire, number
from caffe.weights.write_whole import write_whole

LIMIT = 2**31 - 1  # bytes, protobuf's own limit for one message
LAYER, BLOBS = number(caffe_pb2.NetParameter, "layer"), number(caffe_pb2.LayerParameter, "blobs")
IN_MEMORY = "the weights given in memory"
AnyMessage = TypeVar("AnyMessage", bound=Message)


def load(
    net: NetWithWeights,
    source: PathLike | bytes | bytearray | memoryview | caffe_pb2.NetParameter,
    then: Callable[[], object] = nothing,
) -> None:
    """Copy weights into a net by layer name.

    Parameters
    ----------
    net : Net
    source : path, bytes or NetParameter
        A .caffemodel or .caffemodel.h5 file, the bytes of one, or a message. Layers that it lacks
        keep their values, layers that only it has are ignored.
    then : callable
        Called when all are copied; an exception from outside leaves both undone, or comes after.

    Raises
    ------
    WeightsError
        If the file is missing or damaged; nothing was copied then.
    ShapeMismatch
        If it does not fit the net; nothing was copied then.
    """
    if isinstance(source, caffe_pb2.NetParameter):
        source = source.SerializeToString()
    if isinstance(source, bytes | bytearray | memoryview):
        return _load_bytes(net, bytes(source), then)
    path = as_path(source, WEIGHTS)
    check_file(path)
    if is_hdf5(path):
        weights_hdf5.load(net, path, then=then)
    else:
        with open_message(path, "a .caffemodel") as f:
            _load(net, path, f, os.path.getsize(path), then)


def _load_bytes(net, content, then):
    """Copy weights from the content of a file of either format."""
    f = io.BytesIO(content)
    if content.startswith(HDF5_MAGIC):
        weights_hdf5.load(net, IN_MEMORY, f, then)
    else:
        with _explained(IN_MEMORY, "a .caffemodel", f, len(content)):
            _load(net, IN_MEMORY, f, len(content), then)


@contextmanager
def open_message(path: PathLike, what: str) -> Iterator[io.BufferedReader]:
    """Open a binary protobuf file.

    Parameters
    ----------
    path : path
    what : str
        What the file should be, with its article, for messages.

    Yields
    ------
    binary file object
        Open for reading.

    Raises
    ------
    WeightsError
        If the file cannot be read, or if Damaged or protobuf's DecodeError is raised in the `with`;
        the message says what the file seems to be.
    """
    check_file(path)
    size = os.path.getsize(path)
    if size > LIMIT:
        raise WeightsError(
            f"{path} is {size / 2**30:.1f} GiB, a protobuf file holds 2 GiB at most: use "
            ".caffemodel.h5"
        )
    with open(path, "rb") as f, _explained(path, what, f, size):
        yield f


@contextmanager
def _explained(path, what, f, size):
    """Turn Damaged and DecodeError into a WeightsError with the likely cause."""
    try:
        yield
    except (Damaged, DecodeError) as e:
        f.seek(0)
        why = wrong_kind.fix(f.read(300), what) or (
            f"it is truncated or of another kind ({size} bytes; {e}): fetch it again"
        )
        raise WeightsError(f"{path} is not {what}: {why}") from None


def read_message(path: PathLike, message: AnyMessage, what: str) -> AnyMessage:
    """Parse a binary file into a protobuf message.

    Parameters
    ----------
    path : path
    message : google.protobuf.message.Message
    what : str
        What the file should be, with its article, for messages.

    Returns
    -------
    google.protobuf.message.Message
        The same `message`.

    Raises
    ------
    WeightsError
        If the file cannot be read or is not such a message.
    """
    with open_message(path, what) as f:
        for _ in Wire(f).fields(0, os.path.getsize(path)):
            pass  # refuse millions of empty fields, which the parser would turn into gigabytes
        f.seek(0)
        message.ParseFromString(f.read())
    return message


def _load(net, path, f, size, then):
    """Check and read all weights that are in both net and file, then copy them."""
    reader, pairs, layers, found, names, places = Wire(f), [], 0, set(), [], []
    for name, blobs in wire.layers(reader, size):
        layers += 1
        mine = net.params.get(name)
        if blobs:
            names.append(name)
        if not mine or not blobs:
            continue
        found.add(name)
        check_number(path, name, len(blobs), len(mine))
        for i, (blob, (start, stop)) in enumerate(zip(mine, blobs)):
            stored = StoredBlob(reader, start, stop, blob.count)
            check_shape(path, name, i, blob.shape, stored.shape, stored.legacy)
            places.append(f"{path}: layer {name!r}, blob {i}")
            check_count(stored.count, stored.shape, places[-1])
            pairs.append((blob, stored))
    if not layers:
        f.seek(0)
        why = wrong_kind.fix(f.read(300), "a .caffemodel")
        raise WeightsError(
            f"{path} holds no layers: it is not a .caffemodel" + (f": {why}" if why else "")
        )
    check_names(net, str(path), names, found)
    with room((blob for blob, _ in pairs), path) as arrays:
        for (_, stored), array, place in zip(pairs, arrays, places):
            stored.into(reader, array)
            if stored.is_double:
                single.warn_of_infinite(array, place)
    put_all((blob for blob, _ in pairs), arrays, then)


def save(net: NetWithWeights, path: PathLike, diff: bool = False) -> None:
    """Write the weights of a net as a .caffemodel.

    Parameters
    ----------
    net : Net
    path : path
    diff : bool
        Whether to write the gradients too.

    Raises
    ------
    WeightsError
        If the file cannot be written or would be larger than 2 GiB.
    """
    count = sum(b.count for blobs in net.params.values() for b in blobs) * (1 + diff)
    if 4 * count > LIMIT:
        raise WeightsError(
            f"{path}: {count} weights are more than a .caffemodel can hold: use save_hdf5"
        )

    def write(part):
        with open(part, "wb") as f:
            f.write(caffe_pb2.NetParameter(name=net.name).SerializeToString())
            for name, layer in zip(net._layer_names, net.layers):
                header = caffe_pb2.LayerParameter(
                    name=name,
                    type=layer.type,
                    bottom=net.bottom_names[name],
                    top=net.top_names[name],
                )
                _write_layer(f, header, net.params.get(name, ()), diff)
            if f.tell() > LIMIT:  # names and shapes count as well
                raise ValueError("it would be more than 2 GiB: use save_hdf5")

    write_whole(path, write)


def _write_layer(f, layer, blobs, diff):
    """Write field `layer` of a NetParameter, the values straight from the blobs' memory."""
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


def _blob_head(shape):
    """Return what a BlobProto of this shape has before its packed values."""
    stored = caffe_pb2.BlobShape(dim=shape).SerializeToString()
    return wire.head(SHAPE, len(stored)) + stored + wire.head(DATA, 4 * math.prod(shape))


def write_message(path: PathLike, message: Message) -> None:
    """Write a protobuf message as a binary file, atomically; raise WeightsError if that fails."""

    def write(part):
        with open(part, "wb") as f:
            f.write(message.SerializeToString())

    write_whole(path, write)
