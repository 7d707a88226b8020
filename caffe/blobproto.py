"""BlobProto to and from numpy arrays: one blob of a weights file, a solver state or a mean file.

Two ways of giving the shape exist: `shape`, and in older files num, channels, height and width.
"""
import math

import numpy as np

from .blob import refusal
from .errors import WeightsError

LEGACY = ('num', 'channels', 'height', 'width')


def is_legacy(proto):
    """Whether the shape is given by the four axes of older files."""
    return any(proto.HasField(axis) for axis in LEGACY)


def shape_of(proto):
    """The shape of a BlobProto; () where none is given, a single number."""
    if is_legacy(proto):
        return tuple(getattr(proto, axis) for axis in LEGACY)
    return tuple(proto.shape.dim)


def to_array(proto, place, of='data'):
    """The float32 array of a BlobProto, single or double precision.

    of: 'data' or 'diff'; place: what the error begins with. WeightsError where no blob can have
    its shape, or its values do not fill it.
    """
    shape = shape_of(proto)
    values = getattr(proto, of) or getattr(proto, 'double_' + of)
    if problem := refusal(shape):
        raise WeightsError('%s: its %s %s' % (place, of, problem))
    if len(values) != math.prod(shape):
        raise WeightsError('%s: holds %d values for shape %s: the file is damaged, fetch it again'
                           % (place, len(values), shape))
    return np.array(values, np.float32).reshape(shape)


def to_blob_proto(proto, array, diff=None):
    """Fill a BlobProto from a float array of its values and, where given, one of its diffs."""
    proto.shape.dim.extend(array.shape)
    # fields 5 (data) and 6 (diff), packed, as the wire has them: value by value takes minutes
    for tag, values in ((b'\x2a', array), (b'\x32', diff)):
        if values is not None:
            packed = np.asarray(values, '<f4').tobytes()
            proto.MergeFromString(tag + _varint(len(packed)) + packed)
    return proto


def _varint(n):
    """n as protobuf writes lengths: seven bits a byte, lowest first, the top bit set on all but
    the last."""
    low = bytearray()
    while n > 0x7f:
        low.append(0x80 | n & 0x7f)
        n >>= 7
    return bytes(low) + bytes([n])
