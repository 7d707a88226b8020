"""Blob: the array that layers exchange, with its gradient."""

import math
import os
from collections.abc import Sequence

import numpy as np

from caffe.blobs.synced import SyncedTensor
from caffe.errors import CaffeError

MOST_AXES = 32
# Caffe counts elements in an int, and no array can be larger than the machine's memory.
MOST_ELEMENTS = 2**31 - 1
if hasattr(os, "sysconf") and os.sysconf("SC_PHYS_PAGES") > 0:
    MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    MOST_ELEMENTS = min(MOST_ELEMENTS, MEMORY // 4)


def refusal(shape: Sequence) -> str | None:
    """Return why no blob can have this shape, or None if one can; nothing is allocated.

    Parameters
    ----------
    shape : sequence
        The dimensions; they may be anything that a user passes.

    Returns
    -------
    str or None
        A predicate for a message, such as "cannot have shape (-1,): ...".
    """
    if len(shape) > MOST_AXES:
        return f"would have {len(shape)} axes, a blob has {MOST_AXES} at most"
    try:
        whole = all(int(d) == d >= 0 for d in shape)
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        return f"cannot have shape {tuple(shape)}: dimensions are whole numbers of 0 or more"
    count = math.prod(map(int, shape))
    if count > MOST_ELEMENTS:
        return (
            f"would have shape {tuple(shape)}, {count:.3g} elements, and {MOST_ELEMENTS:.3g} is "
            "the maximum: make it smaller"
        )
    return None


class Blob:
    """`data` and `diff`, two float32 arrays of one shape; each is allocated on first use.

    Parameters
    ----------
    *shape : int

    Raises
    ------
    CaffeError
        If no blob can have this shape.

    Examples
    --------
    >>> b = Blob(2, 3)
    >>> b.data[...] = 1; float(b.data.sum())
    6.0
    """

    def __init__(self, *shape: int):
        _check(shape)
        self.synced_data = SyncedTensor(shape)
        self.synced_diff = SyncedTensor(shape)

    @property
    def data(self) -> np.ndarray:
        """A float32 view of the values; writing to it writes to the net."""
        return self.synced_data.numpy()

    @property
    def diff(self) -> np.ndarray:
        """A float32 view of the gradient; writing to it writes to the net."""
        return self.synced_diff.numpy()

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        return self.synced_data.shape

    @property
    def count(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def num(self) -> int:
        """The first of the four legacy axes."""
        return self._legacy(0)

    @property
    def channels(self) -> int:
        """The second of the four legacy axes."""
        return self._legacy(1)

    @property
    def height(self) -> int:
        """The third of the four legacy axes."""
        return self._legacy(2)

    @property
    def width(self) -> int:
        """The last of the four legacy axes."""
        return self._legacy(3)

    def reshape(self, *dims: int) -> None:
        """Give data and diff the shape `dims`, at once, here and in the net.

        The content stays in memory order; added elements are zero.

        Raises
        ------
        CaffeError
            If a dimension is negative or not a whole number, or if the blob would be too large.
        """
        _check(dims)
        self.synced_data.reshape(dims)
        self.synced_diff.reshape(dims)

    def clear(self, shape: Sequence[int]) -> None:
        """Take a new shape and drop the content; the engine does so before it writes a blob."""
        self.synced_data.clear(shape)
        self.synced_diff.clear(shape)

    def share_data(self, other: "Blob") -> None:
        """Use `other`'s memory for the values from now on."""
        self.synced_data = other.synced_data

    def _legacy(self, axis):
        """Return the size of an axis by its legacy number; missing trailing axes are 1."""
        if len(self.shape) > 4:
            raise CaffeError(
                "num, channels, height, width are for blobs of up to 4 axes; "
                f"this one has shape {self.shape}: use .shape"
            )
        return self.shape[axis] if axis < len(self.shape) else 1

    def __repr__(self):
        return f"Blob({', '.join(map(str, self.shape))})"


class BlobVec(list[Blob]):
    """A layer's blobs; a Python layer adds its own with `add_blob`."""

    def add_blob(self, *shape: int) -> None:
        """Append a zeroed blob of this shape."""
        self.append(Blob(*shape))


def _check(shape):
    """Raise CaffeError if no blob can have this shape."""
    problem = refusal(shape)
    if problem:
        raise CaffeError(f"a blob {problem}")
