"""Walks a protobuf file field by field without parsing it: weights are then read where they lie.

protobuf's own parser holds the whole message, and 2 bytes of a hostile file can make it allocate
hundreds (an empty layer). Here nothing is allocated before its size was checked against the file.
Source: the protobuf encoding guide (varints, keys of field number and wire type).
"""

from caffe.proto import caffe_pb2

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types; 3 and 4, groups, Caffe never had
MOST_FIELDS = 500_000  # a second or two; a net of 1000 layers has some 50 000
MOST_BYTES = 2**16  # of a name, or of a blob beside its values


class Damaged(ValueError):
    """The bytes are no protobuf message of the kind that was looked for."""


class Wire:
    """The fields of the messages in a binary file open for reading."""

    def __init__(self, f):
        self._f, self._left = f, MOST_FIELDS

    def fields(self, start, stop):
        """Yield (number, wire type, place, begin, end) of each field of the message that lies from
        byte `start` to `stop`: its key is at place, its content from begin to end. Raises Damaged.
        """
        at = start
        while at < stop:
            self._left -= 1
            if self._left < 0:
                raise Damaged("it has more than %d fields" % MOST_FIELDS)
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
                raise Damaged("byte %d begins a field of unknown kind" % at)
            if not number or end > stop:
                raise Damaged(
                    "the field at byte %d %s"
                    % (at, "reaches beyond the end" if number else "has number 0")
                )
            yield number, kind, at, begin, end
            at = end

    def _varint(self, at):
        """(number, place after it) of the varint that the file stands at, which is byte `at`."""
        value = 0
        for i in range(10):
            byte = self._f.read(1)
            if not byte:
                raise Damaged("it ends within the field at byte %d" % at)
            value |= (byte[0] & 0x7F) << 7 * i
            if byte[0] < 0x80:
                return value, at + i + 1
        raise Damaged("byte %d begins a number of more than ten bytes" % at)

    def bytes(self, begin, end, most=MOST_BYTES):
        """The content from byte begin to end; Damaged where it is longer than `most`."""
        if end - begin > most:
            raise Damaged(
                "the %d bytes at byte %d are more than the %d that belong there"
                % (end - begin, begin, most)
            )
        self._f.seek(begin)
        return self._f.read(end - begin)

    def into(self, array, begin):
        """Fill a C-ordered numpy array from byte `begin` on."""
        self._f.seek(begin)
        if self._f.readinto(array.reshape(-1).view("u1")) != array.nbytes:
            raise Damaged("it was shortened while it was read")


def number(message, field):
    """The field's number in a message type of caffe_pb2."""
    return message.DESCRIPTOR.fields_by_name[field].number


class LayerFields:
    """Which fields of a layer message, of whichever generation, hold its name and its blobs."""

    def __init__(self, message, inner=None):
        self._name, self._blobs = number(message, "name"), number(message, "blobs")
        self._layer = number(message, "layer") if inner else None
        self._inner = inner

    def read(self, wire, start, stop):
        """(name, [(start, stop) of each BlobProto]) of the layer that lies from start to stop."""
        name, blobs = b"", []
        for field, kind, _, begin, end in wire.fields(start, stop):
            if kind != LENGTH:
                continue
            if field == self._layer:
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


def layers(wire, size):
    """Yield (name, [(start, stop) of each BlobProto]) for the layers of the NetParameter that the
    file's `size` bytes are. Raises Damaged.
    """
    for field, kind, _, begin, end in wire.fields(0, size):
        if field in GENERATIONS and kind == LENGTH:
            yield GENERATIONS[field].read(wire, begin, end)


def varint(n):
    """N as protobuf writes numbers: seven bits a byte, lowest first, the top bit set on all but
    the last.
    """
    low = bytearray()
    while n > 0x7F:
        low.append(0x80 | n & 0x7F)
        n >>= 7
    return bytes(low) + bytes([n])


def head(field, size):
    """What stands before the `size` bytes of content of field number `field`."""
    return varint(field << 3 | LENGTH) + varint(size)
