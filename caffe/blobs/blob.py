"""Blob: the array that layers exchange, with room for its gradient."""

import math
import os

from caffe.blobs.synced import SyncedTensor
from caffe.errors import CaffeError

MOST_AXES = 32
# Caffe counts elements in an int; and no array can be larger than the machine's memory
MOST_ELEMENTS = 2**31 - 1
if hasattr(os, "sysconf") and os.sysconf("SC_PHYS_PAGES") > 0:
    MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    MOST_ELEMENTS = min(MOST_ELEMENTS, MEMORY // 4)


def refusal(shape):
    """Why no blob can have this shape (text), or None where one can. Takes no memory."""
    if len(shape) > MOST_AXES:
        return "would have %d axes, a blob has %d at most" % (len(shape), MOST_AXES)
    try:
        whole = all(int(d) == d >= 0 for d in shape)
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        return f"cannot have shape {tuple(shape)}: dimensions are whole numbers of 0 or more"
    count = math.prod(map(int, shape))
    if count > MOST_ELEMENTS:
        return f"would have shape {tuple(shape)}, {count:.3g} elements where {MOST_ELEMENTS:.3g} are the most: make it smaller"
    return None


class Blob:
    """`data` and `diff`, two arrays of one shape; memory for each appears when it is first used.

    >>> b = Blob(2, 3)
    >>> b.data[...] = 1; float(b.data.sum())
    6.0
    """

    def __init__(self, *shape):
        _check(shape)
        self.synced_data = SyncedTensor(shape)
        self.synced_diff = SyncedTensor(shape)

    data = property(
        lambda self: self.synced_data.numpy(),
        doc="float32 numpy view of the values; writing to it writes to the net",
    )
    diff = property(
        lambda self: self.synced_diff.numpy(),
        doc="float32 numpy view of the gradient; writing to it writes to the net",
    )
    shape = property(lambda self: self.synced_data.shape, doc="tuple of ints")
    count = property(lambda self: math.prod(self.shape), doc="number of elements")
    num = property(lambda self: self._legacy(0), doc="first of the four old axes")
    channels = property(lambda self: self._legacy(1), doc="second of the four old axes")
    height = property(lambda self: self._legacy(2), doc="third of the four old axes")
    width = property(lambda self: self._legacy(3), doc="last of the four old axes")

    def reshape(self, *dims):
        """Give data and diff the shape `dims`; takes effect at once, here and in the net.

        The content stays in memory order; what is new is zero. CaffeError where a dimension is
        negative or no whole number, or where the blob would be too large.
        """
        _check(dims)
        self.synced_data.reshape(dims)
        self.synced_diff.reshape(dims)

    def clear(self, shape):
        """Give up the content for a new shape (the engine does, for blobs it is about to write)."""
        self.synced_data.clear(shape)
        self.synced_diff.clear(shape)

    def share_data(self, other):
        """Use `other`'s memory for the values from now on."""
        self.synced_data = other.synced_data

    def _legacy(self, axis):
        """Blobs of up to four axes answer the old names; missing trailing axes are 1."""
        if len(self.shape) > 4:
            raise CaffeError(
                "num, channels, height, width are for blobs of up to 4 axes; "
                f"this one has shape {self.shape}: use .shape"
            )
        return self.shape[axis] if axis < len(self.shape) else 1

    def __repr__(self):
        return "Blob({})".format(", ".join(map(str, self.shape)))


class BlobVec(list):
    """A layer's blobs; a Python layer adds its own with `add_blob`."""

    def add_blob(self, *shape):
        """Append a zeroed blob of this shape."""
        self.append(Blob(*shape))


def _check(shape):
    problem = refusal(shape)
    if problem:
        raise CaffeError(f"a blob {problem}")
