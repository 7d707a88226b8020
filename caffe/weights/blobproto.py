"""BlobProto to and from numpy arrays: one blob of a weights file, a solver state or a mean file.

Two ways of giving the shape exist: `shape`, and in older files num, channels, height and width.
"""

import math

import numpy as np

from caffe.blobs.blob import refusal
from caffe.errors import WeightsError
from caffe.weights.wire import head, number

LEGACY = ("num", "channels", "height", "width")


def is_legacy(proto):
    """Whether the shape is given by the four axes of older files."""
    return any(proto.HasField(axis) for axis in LEGACY)


def shape_of(proto):
    """The shape of a BlobProto; () where none is given, a single number."""
    if is_legacy(proto):
        return tuple(getattr(proto, axis) for axis in LEGACY)
    return tuple(proto.shape.dim)


def to_array(proto, place, of="data"):
    """The float32 array of a BlobProto, single or double precision.

    of: 'data' or 'diff'; place: what the error begins with. WeightsError where no blob can have
    its shape, or its values do not fill it.
    """
    shape, array = shape_of(proto), values(proto, of)
    if problem := refusal(shape):
        raise WeightsError(f"{place}: its {of} {problem}")
    check_count(len(array), shape, place)
    return array.reshape(shape)


def values(proto, of="data"):
    """The values of a BlobProto as a flat float32 array, without Python's numbers in between."""
    held = getattr(proto, of) or getattr(proto, "double_" + of)
    return np.fromiter(held, np.float32, len(held))


def check_count(count, shape, place):
    """WeightsError where `count` values do not fill a blob's shape. place: names file and blob."""
    if count != math.prod(shape):
        raise WeightsError(
            "%s: holds %d values for shape %s: the file is damaged, fetch it again"
            % (place, count, shape)
        )


def to_blob_proto(proto, array, diff=None):
    """Fill a BlobProto from a float array of its values and, where given, one of its diffs."""
    proto.shape.dim.extend(array.shape)
    # packed, as the wire has them: value by value takes minutes
    for field, held in (("data", array), ("diff", diff)):
        if held is not None:
            packed = np.asarray(held, "<f4").tobytes()
            proto.MergeFromString(head(number(type(proto), field), len(packed)) + packed)
    return proto
