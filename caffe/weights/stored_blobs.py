"""BlobProtos in a file: located and checked first, then read straight into a blob's memory."""

import numpy as np

from caffe.blobs.single import is_wider
from caffe.proto import caffe_pb2
from caffe.weights.blobproto import holds_doubles, is_legacy, raw_dtype, shape_of, values
from caffe.weights.wire import LENGTH, MOST_BYTES, Damaged, Wire, number

B = caffe_pb2.BlobProto
SHAPE, DATA, DOUBLE = number(B, "shape"), number(B, "data"), number(B, "double_data")
DIFF, RAW = number(B, "diff"), number(B, "raw_data")
DTYPES: dict[int, np.dtype] = {DATA: np.dtype("<f4"), DOUBLE: np.dtype("<f8")}
READ = DATA, DOUBLE, RAW
SKIPPED = DIFF, number(B, "double_diff"), number(B, "raw_diff")
LOOSE = 44  # bytes that a value can take if it is in each of these fields, unpacked where possible


class StoredBlob:
    """A BlobProto in a file.

    Values are packed in one or several runs, or raw bytes; only the spans are kept. Files of
    writers that do not pack are read at once.

    Parameters
    ----------
    wire : Wire
    start, stop : int
        The span of the BlobProto, in bytes.
    most : int
        Number of values to expect at most; it limits how much is read at once.

    Attributes
    ----------
    shape : tuple of int
        As the file gives it.
    legacy : bool
        Whether that is by the four axes of older files.
    count : int
        Number of values.
    is_double : bool
        Whether they are of double precision.

    Raises
    ------
    Damaged
        If the bytes are not a BlobProto of such a size.
    google.protobuf.message.DecodeError
        If protobuf cannot parse its parts.
    """

    def __init__(self, wire: Wire, start: int, stop: int, most: int):
        self._values: np.ndarray | None = None
        runs: dict[int, list[tuple[int, int]]] = {field: [] for field in READ}
        rest = b""
        for field, kind, place, begin, end in wire.fields(start, stop):
            if field in (*READ, *SKIPPED) and kind != LENGTH:
                self._read_unpacked(wire.bytes(start, stop, MOST_BYTES + LOOSE * most))
                return
            if field not in (*READ, *SKIPPED):
                rest += wire.bytes(place, end, MOST_BYTES - len(rest))
            elif field == RAW:
                runs[RAW] = [(begin, end)]  # not repeated: the last counts
            elif field in READ:
                runs[field].append((begin, end))
        proto = B.FromString(rest)
        self._read_shape(proto)
        given = [field for field in READ if any(e > b for b, e in runs[field])]
        if RAW in given[1:]:
            raise Damaged(f"the blob at byte {start} gives its values twice, in data and raw_data")
        field = given[0] if given else DATA
        self._runs = runs[field]
        self._dtype: np.dtype = raw_dtype(proto) if field == RAW else DTYPES[field]
        size = self._dtype.itemsize
        self.is_double = is_wider(self._dtype)
        if any((e - b) % size for b, e in self._runs):
            raise Damaged(f"the values at byte {self._runs[0][0]} are cut short")
        self.count = sum((e - b) // size for b, e in self._runs)

    def _read_unpacked(self, content):
        """Parse the whole BlobProto."""
        proto = B.FromString(content)
        self._read_shape(proto)
        self._values = values(proto)
        self.is_double = holds_doubles(proto)
        self.count = len(self._values)

    def _read_shape(self, proto):
        """Take over the shape of a BlobProto."""
        self.legacy, self.shape = is_legacy(proto), shape_of(proto)

    def into(self, wire: Wire, array: np.ndarray) -> None:
        """Fill an array with the values.

        Parameters
        ----------
        wire : Wire
        array : ndarray of float32
            C-ordered, with `count` elements.

        Raises
        ------
        Damaged
            If the file was shortened since.
        """
        if self._values is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                array.reshape(-1)[...] = self._values
            return
        at = 0
        for begin, end in self._runs:
            part = array.reshape(-1)[at : at + (end - begin) // self._dtype.itemsize]
            at += len(part)
            read = part if part.dtype == self._dtype else np.empty(len(part), self._dtype)
            wire.into(read, begin)
            if read is not part:  # doubles, halves, or floats in another byte order
                with np.errstate(over="ignore", invalid="ignore"):
                    part[...] = read
