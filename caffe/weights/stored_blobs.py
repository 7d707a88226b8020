"""BlobProtos in a file: found and checked first, read straight into a blob's memory afterwards."""

import numpy as np

from caffe.proto import caffe_pb2
from caffe.weights.blobproto import is_legacy, shape_of, values
from caffe.weights.wire import LENGTH, MOST_BYTES, Damaged, number

B = caffe_pb2.BlobProto
SHAPE, DATA, DOUBLE = number(B, "shape"), number(B, "data"), number(B, "double_data")
DIFF = number(B, "diff")
VALUES = {DATA: "<f4", DOUBLE: "<f8", DIFF: None, number(B, "double_diff"): None}
LOOSE = 28  # bytes a value can take, unpacked in each of the four fields of VALUES


class StoredBlob:
    """A BlobProto of a file. shape: as the file gives it; legacy: whether as the four old axes;
    count: number of values.

    Values lie packed in one or several runs, which are noted only; those of writers that do not
    pack are read at once, as no more than `most` of them.
    """

    def __init__(self, wire, start, stop, most):
        """Raises Damaged, or protobuf's DecodeError."""
        rest, self._runs, self._read = b"", {DATA: [], DOUBLE: []}, None
        for field, kind, place, begin, end in wire.fields(start, stop):
            if field in VALUES and kind != LENGTH:
                return self._unpacked(wire.bytes(start, stop, MOST_BYTES + LOOSE * most))
            if field not in VALUES:
                rest += wire.bytes(place, end, MOST_BYTES - len(rest))
            elif VALUES[field]:
                self._runs[field].append((begin, end))
        self._shape(B.FromString(rest))
        self._field = DATA if any(e > b for b, e in self._runs[DATA]) else DOUBLE
        size = np.dtype(VALUES[self._field]).itemsize
        if any((e - b) % size for b, e in self._runs[self._field]):
            raise Damaged("the values at byte %d are cut short" % self._runs[self._field][0][0])
        self.count = sum((e - b) // size for b, e in self._runs[self._field])

    def _unpacked(self, content):
        proto = B.FromString(content)
        self._shape(proto)
        self._read = values(proto)
        self.count = len(self._read)

    def _shape(self, proto):
        self.legacy, self.shape = is_legacy(proto), shape_of(proto)

    def into(self, wire, array):
        """Fill a C-ordered float32 array of `count` elements; Damaged where the file changed."""
        if self._read is not None:
            array.reshape(-1)[...] = self._read
            return
        kind, at = np.dtype(VALUES[self._field]), 0
        for begin, end in self._runs[self._field]:
            part = array.reshape(-1)[at : at + (end - begin) // kind.itemsize]
            at += len(part)
            read = part if part.dtype == kind else np.empty(len(part), kind)
            wire.into(read, begin)
            if read is not part:  # doubles, or floats in another byte order
                part[...] = read
