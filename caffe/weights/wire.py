"""Walk a protobuf file field by field without parsing it, to find where the weights are.

protobuf's own parser holds the whole message in memory, and 2 bytes of a hostile file (an empty
layer) can make it allocate hundreds. Here every size is checked against the file before anything is
allocated.
Source: the protobuf encoding guide (varints; keys of field number and wire type).
"""

import io
from collections.abc import Iterator

import numpy as np
from google.protobuf.message import Message

from caffe.proto import caffe_pb2

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types; Caffe never used 3 and 4, groups
MOST_FIELDS = 500_000  # a second or two; a net of 1000 layers has about 50 000
MOST_BYTES = 2**16  # of a name, or of a blob without its values
Span = tuple[int, int]  # first byte, and byte after the last


class Damaged(ValueError):
    """The bytes are not a protobuf message of the expected type."""


class Wire:
    """Reader of the fields of the messages in a binary file.

    Parameters
    ----------
    f : binary file object
        Seekable and open for reading.
    """

    def __init__(self, f: io.BufferedIOBase):
        self._f, self._left = f, MOST_FIELDS

    def fields(self, start: int, stop: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield the fields of a message without reading their content.

        Parameters
        ----------
        start, stop : int
            The span of the message in the file, in bytes.

        Yields
        ------
        number, kind : int
            Field number and wire type.
        place, begin, end : int
            Where the key begins; the span of the content.

        Raises
        ------
        Damaged
            If the bytes are not fields, or the file has more than MOST_FIELDS of them.
        """
        at = start
        while at < stop:
            self._left -= 1
            if self._left < 0:
                raise Damaged(f"it has more than {MOST_FIELDS} fields")
            self._f.seek(at)
            key, begin = self._varint(at)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                end = self._varint(begin)[1]
            elif kind == LENGTH:
                size, begin = self._varint(begin)
                end = begin + size
            elif kind in (FIXED32, FIXED64):
                end = begin + (4 if kind == FIXED32 else 8)
            else:
                raise Damaged(f"byte {at} begins a field of unknown kind")
            if not number:
                raise Damaged(f"the field at byte {at} has number 0")
            if end > stop:
                raise Damaged(f"the field at byte {at} reaches beyond the end")
            yield number, kind, at, begin, end
            at = end

    def _varint(self, at):
        """Read the varint at byte `at`, the file's position; return it and the byte after it."""
        value = 0
        for i in range(10):
            byte = self._f.read(1)
            if not byte:
                raise Damaged(f"it ends within the field at byte {at}")
            value |= (byte[0] & 0x7F) << 7 * i
            if byte[0] < 0x80:
                return value, at + i + 1
        raise Damaged(f"byte {at} begins a number of more than ten bytes")

    def bytes(self, begin: int, end: int, most: int = MOST_BYTES) -> bytes:
        """Return the bytes from `begin` to `end`; raise Damaged if they are more than `most`."""
        if end - begin > most:
            raise Damaged(
                f"the {end - begin} bytes at byte {begin} are more than the {most} allowed there"
            )
        self._f.seek(begin)
        return self._f.read(end - begin)

    def into(self, array: np.ndarray, begin: int) -> None:
        """Fill a C-ordered array from byte `begin` on; raise Damaged if the file is too short."""
        self._f.seek(begin)
        if self._f.readinto(array.reshape(-1).view("u1").data) != array.nbytes:
            raise Damaged("it was shortened while it was read")


def number(message: type[Message], field: str) -> int:
    """Return the number of a field of a message type."""
    return message.DESCRIPTOR.fields_by_name[field].number


class LayerFields:
    """Which fields of a layer message hold its name and its blobs, in any of the generations.

    Parameters
    ----------
    message : type
        LayerParameter, V1LayerParameter or V0LayerParameter.
    inner : LayerFields, optional
        Those of the message in the field `layer`; if a layer has that field, it holds all.
    """

    def __init__(self, message: type[Message], inner: "LayerFields | None" = None):
        self._name, self._blobs = number(message, "name"), number(message, "blobs")
        self._layer = number(message, "layer") if inner else None
        self._inner = inner

    def read(self, wire: Wire, start: int, stop: int) -> tuple[str, list[Span]]:
        """Return the name of the layer from byte `start` to `stop`, and the spans of its blobs."""
        name, blobs = b"", []
        for field, kind, _, begin, end in wire.fields(start, stop):
            if kind != LENGTH:
                continue
            if self._inner and field == self._layer:
                return self._inner.read(wire, begin, end)
            if field == self._name:
                name = wire.bytes(begin, end)
            elif field == self._blobs:
                blobs.append((begin, end))
        return name.decode("utf-8", "replace"), blobs


V0 = LayerFields(caffe_pb2.V0LayerParameter)
V1 = LayerFields(caffe_pb2.V1LayerParameter, V0)
CURRENT = LayerFields(caffe_pb2.LayerParameter)
GENERATIONS = {
    number(caffe_pb2.NetParameter, "layer"): CURRENT,
    number(caffe_pb2.NetParameter, "layers"): V1,
}


def layers(wire: Wire, size: int) -> Iterator[tuple[str, list[Span]]]:
    """Yield name and blob spans of each layer of a NetParameter, which is the whole file.

    Parameters
    ----------
    wire : Wire
    size : int
        Size of the file in bytes.

    Yields
    ------
    name : str
    blobs : list of (int, int)
        The span of each BlobProto.

    Raises
    ------
    Damaged
        If the file is not a NetParameter.
    """
    for field, kind, _, begin, end in wire.fields(0, size):
        if field in GENERATIONS and kind == LENGTH:
            yield GENERATIONS[field].read(wire, begin, end)


def varint(n: int) -> bytes:
    """Return a number as protobuf writes it.

    Seven bits per byte, lowest first; the top bit is set in all bytes but the last.
    """
    low = bytearray()
    while n > 0x7F:
        low.append(0x80 | n & 0x7F)
        n >>= 7
    return bytes(low) + bytes([n])


def head(field: int, size: int) -> bytes:
    """Return key and length, which come before the `size` bytes of content of a field."""
    return varint(field << 3 | LENGTH) + varint(size)
