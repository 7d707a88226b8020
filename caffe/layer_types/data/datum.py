"""Datum, the record of a database: an image as bytes, as floats, or in an encoded format."""

import io
import math
from collections.abc import Sequence

import numpy as np
from google.protobuf.message import DecodeError

from caffe.blobs.blob import refusal
from caffe.errors import DataError
from caffe.layer_types.data import images
from caffe.proto import caffe_pb2


def parse(record: bytes, place: str) -> caffe_pb2.Datum:
    """Return the Datum that is serialized in `record`.

    Parameters
    ----------
    record : bytes
        The value of a database entry.
    place : str
        The database and key, to begin the error message with.

    Raises
    ------
    DataError
        If the bytes are not a Datum.
    """
    datum = caffe_pb2.Datum()
    try:
        datum.ParseFromString(record)
    except DecodeError as e:
        raise DataError(
            f"{place}: {len(record)} bytes that are not a Datum ({e}): write the database again"
        ) from None
    return datum


def to_array(
    datum: caffe_pb2.Datum, place: str = "Datum", colour: bool | None = None
) -> np.ndarray:
    """Return the image of a Datum.

    Parameters
    ----------
    datum : Datum
        Holds the values in `data` or `float_data`, or an image file in `data` if `encoded`.
    place : str
        The database and key, to begin the error message with.
    colour : bool or None
        How an encoded image is decoded; see `images.decode`.

    Returns
    -------
    numpy.ndarray
        Channels x height x width; uint8 from `data`, float32 from `float_data`.

    Raises
    ------
    DataError
        If the values do not fill the shape, or the encoded image cannot be decoded.
    """
    if datum.encoded:
        return images.decode(io.BytesIO(datum.data), f"{place}: encoded image", colour)
    shape = datum.channels, datum.height, datum.width
    size = f"channels x height x width = {shape[0]} x {shape[1]} x {shape[2]}"
    if problem := refusal(shape):
        raise DataError(f"{place}: {problem}")
    if not math.prod(shape):
        raise DataError(f"{place}: is empty ({size}): write the database again")
    values: np.ndarray | Sequence[float]
    values = np.frombuffer(datum.data, np.uint8) if datum.data else datum.float_data
    if len(values) != math.prod(shape):
        hint = ", with encoded set if these are image files" if datum.data else ""
        raise DataError(
            f"{place}: holds {len(values)} values for {size}: write the database again{hint}"
        )
    return np.asarray(values, np.uint8 if datum.data else np.float32).reshape(shape)
