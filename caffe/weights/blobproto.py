"""BlobProto to and from NumPy arrays: a blob of a weights file, a solver state or a mean file.

The shape is in `shape` or, in older files, in num, channels, height and width. The values are in
`data` or `double_data`; NVIDIA's Caffe and OpenCV's shrinking tool write them as bytes in
`raw_data`, mostly as half floats, which are exact in single precision.
"""

import math

import numpy as np

from caffe.blobs import single
from caffe.blobs.blob import refusal
from caffe.errors import WeightsError
from caffe.proto import caffe_pb2
from caffe.weights.wire import Damaged, head, number

B = caffe_pb2.BlobProto
RAW_DTYPES = {B.DOUBLE: "<f8", B.FLOAT: "<f4", B.FLOAT16: "<f2"}  # those with which Caffe computes
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
    try:
        shape, array = shape_of(proto), values(proto, of)
    except Damaged as e:
        raise WeightsError(f"{place}: {e}") from None
    if problem := refusal(shape):
        raise WeightsError(f"{place}: its {of} {problem}")
    check_count(len(array), shape, place)
    if holds_doubles(proto, of):
        single.warn_of_infinite(array, place)
    return array.reshape(shape)


def holds_doubles(proto: caffe_pb2.BlobProto, of: str = "data") -> bool:
    """Tell whether the values of a BlobProto are of double precision."""
    raw = f"raw_{of}_type"
    return bool(getattr(proto, f"double_{of}")) or (
        proto.HasField(raw) and getattr(proto, raw) == B.DOUBLE
    )


def values(proto: caffe_pb2.BlobProto, of: str = "data") -> np.ndarray:
    """Return the values of a BlobProto as a flat float32 array; raise Damaged if they are none."""
    stored, raw = getattr(proto, of) or getattr(proto, f"double_{of}"), getattr(proto, f"raw_{of}")
    if not raw:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.fromiter(stored, np.float32, len(stored))  # without a list in between
    if stored:
        raise Damaged(f"it gives its values twice, in {of} and raw_{of}")
    dtype = raw_dtype(proto, of)
    if len(raw) % dtype.itemsize:
        raise Damaged(f"the {len(raw)} bytes of raw_{of} are cut short")
    with np.errstate(over="ignore", invalid="ignore"):
        return np.frombuffer(raw, dtype).astype(np.float32)


def raw_dtype(proto: caffe_pb2.BlobProto, of: str = "data") -> np.dtype:
    """Return the type of the values in raw_data; raise Damaged if it is missing or no float."""
    given = f"raw_{of}_type"
    if not proto.HasField(given):
        raise Damaged(f"it has raw_{of} without a {given} that is known")
    kind = getattr(proto, given)
    if kind not in RAW_DTYPES:
        raise Damaged(
            f"its {given} is {B.RawType.Name(kind)}, weights are FLOAT16, FLOAT or DOUBLE"
        )
    return np.dtype(RAW_DTYPES[kind])


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
            stored = np.empty(np.shape(content), "<f4")
            single.put(stored, np.asarray(content), f"the {field} of a BlobProto")
            packed = stored.tobytes()
            proto.MergeFromString(head(number(type(proto), field), len(packed)) + packed)
    return proto
