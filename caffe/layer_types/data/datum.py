"""Datum, the record of a database: an image of bytes, of floats, or in an encoded format."""

import io
import math

import numpy as np
from google.protobuf.message import DecodeError

from caffe.blobs.blob import refusal
from caffe.errors import DataError
from caffe.layer_types.data import images
from caffe.proto import caffe_pb2


def parse(record, place):
    """The Datum in these bytes; place: what the DataError begins with."""
    datum = caffe_pb2.Datum()
    try:
        datum.ParseFromString(record)
    except DecodeError as e:
        raise DataError(
            "%s: %d bytes that are no Datum (%s): write the database again"
            % (place, len(record), e)
        ) from None
    return datum


def to_array(datum, place="Datum", colour=None):
    """Channels x height x width: uint8 from `data` (decoded where `encoded`, see images.decode for
    `colour`), else float32 from `float_data`. DataError where these do not fill the shape.
    """
    if datum.encoded:
        return images.decode(io.BytesIO(datum.data), f"{place}: encoded image", colour)
    shape = datum.channels, datum.height, datum.width
    problem = refusal(shape)
    if problem or not math.prod(shape):
        raise DataError(
            "{}: {}".format(
                place,
                problem
                or "is empty (channels x height x width = %d x %d x %d): write the database again"
                % shape,
            )
        )
    values = np.frombuffer(datum.data, np.uint8) if datum.data else datum.float_data
    if len(values) != math.prod(shape):
        raise DataError(
            "%s: holds %d values for channels x height x width = %d x %d x %d: write "
            "the database again%s"
            % (
                place,
                len(values),
                *shape,
                ", with encoded set if these are image files" * bool(datum.data),
            )
        )
    return np.asarray(values, np.uint8 if datum.data else np.float32).reshape(shape)
