"""BlobProto to and from NumPy arrays: a blob of a weights file, a solver state or a mean file.

The shape is in `shape` or, in older files, in num, channels, height and width.
"""

import math

import numpy as np

from caffe.blobs.blob import refusal
from caffe.errors import WeightsError
from caffe.proto import caffe_pb2
from caffe.weights.wire import head, number

LEGACY = ("num", "channels", "height", "width")


def is_legacy(proto: caffe_pb2.BlobProto) -> bool:
    """Tell whether the shape is given by the four axes of older files."""
    return any(proto.HasField(axis) for axis in LEGACY)


def shape_of(proto: caffe_pb2.BlobProto) -> tuple[int, ...]:
    """Return the shape of a BlobProto; () if it gives none, for a single number."""
    if is_legacy(proto):
        return tuple(getattr(proto, axis) for axis in LEGACY)
    return tuple(proto.shape.dim)


def to_array(proto: caffe_pb2.BlobProto, place: str, of: str = "data") -> np.ndarray:
    """Return the values of a BlobProto, in its shape.

    Parameters
    ----------
    proto : BlobProto
        Of single or double precision.
    place : str
        What a message begins with: file and blob.
    of : {"data", "diff"}

    Returns
    -------
    ndarray of float32

    Raises
    ------
    WeightsError
        If no blob can have its shape, or the number of values does not match it.
    """
    shape, array = shape_of(proto), values(proto, of)
    if problem := refusal(shape):
        raise WeightsError(f"{place}: its {of} {problem}")
    check_count(len(array), shape, place)
    return array.reshape(shape)


def values(proto: caffe_pb2.BlobProto, of: str = "data") -> np.ndarray:
    """Return the values of a BlobProto as a flat float32 array, without a list in between."""
    stored = getattr(proto, of) or getattr(proto, f"double_{of}")
    return np.fromiter(stored, np.float32, len(stored))


def check_count(count: int, shape: tuple[int, ...], place: str) -> None:
    """Raise WeightsError, beginning with `place`, if `count` values do not fill `shape`."""
    if count != math.prod(shape):
        raise WeightsError(
            f"{place}: holds {count} values for shape {shape}: the file is damaged, fetch it again"
        )


def to_blob_proto(
    proto: caffe_pb2.BlobProto, array: np.ndarray, diff: np.ndarray | None = None
) -> caffe_pb2.BlobProto:
    """Fill an empty BlobProto.

    Parameters
    ----------
    proto : BlobProto
    array : ndarray
        The values; stored as float32.
    diff : ndarray, optional
        The gradient, of the same shape.

    Returns
    -------
    BlobProto
        The same `proto`.
    """
    proto.shape.dim.extend(array.shape)
    # Packed bytes as in a file: to extend value by value takes minutes for a large blob.
    for field, content in (("data", array), ("diff", diff)):
        if content is not None:
            packed = np.asarray(content, "<f4").tobytes()
            proto.MergeFromString(head(number(type(proto), field), len(packed)) + packed)
    return proto
