"""Blob: the array that layers exchange, with its gradient."""

import math
import os
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, Protocol, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from caffe.blobs.synced import SyncedTensor
from caffe.blobs.watched import watch
from caffe.errors import CaffeError, NotAssignable

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


class Watcher(Protocol):
    """What knows whether the values of a net's blobs may be used; see `caffe.blobs.watched`."""

    def outdated(self, name: str) -> bool:
        """Tell whether a blob was never computed, or for another input size."""

    def filled(self, name: str) -> None:
        """Record that a blob was filled by hand."""


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
        self._watcher: weakref.ref[Watcher] | None = None  # weak: blobs outlive their net
        self._name = ""

    @property
    def data(self) -> np.ndarray:
        """A float32 view of the values; writing to it writes to the net."""
        view = self.synced_data.numpy()
        watcher = self._watcher() if self._watcher is not None else None
        if watcher is None or not watcher.outdated(self._name):
            return view
        return watch(view, self._filled)

    @data.setter
    def data(self, value: npt.ArrayLike) -> None:
        self._put_back("data", value)

    @property
    def diff(self) -> np.ndarray:
        """A float32 view of the gradient; writing to it writes to the net."""
        return self.synced_diff.numpy()

    @diff.setter
    def diff(self, value: npt.ArrayLike) -> None:
        self._put_back("diff", value)

    def _put_back(self, what: str, value: npt.ArrayLike) -> None:
        """Accept the view that `data` or `diff` returned, as of `blob.data += 1`; refuse all else.

        Raises
        ------
        NotAssignable
            If the value is another array, or no array.
        """
        mine = (self.synced_data if what == "data" else self.synced_diff).numpy()
        if isinstance(value, np.ndarray) and (
            value.__array_interface__["data"] == mine.__array_interface__["data"]
            and (value.shape, value.strides, value.dtype) == (mine.shape, mine.strides, mine.dtype)
        ):
            return
        given = value.shape if isinstance(value, np.ndarray) else self.shape
        size = f", after .reshape{given} of the blob, whose shape is {self.shape}"
        raise NotAssignable(
            f"a blob's {what} is memory of the net, in place of which no array can be put: write "
            f".{what}[...] = array, which copies the values{'' if given == self.shape else size}"
        )

    def __setitem__(self, where: Any, value: Any) -> NoReturn:
        raise NotAssignable("a blob has no elements: write .data[...] = array, or .diff[...]")

    @property
    def shape(self) -> tuple[int, ...]:
        """The dimensions."""
        return self.synced_data.shape

    @shape.setter
    def shape(self, value: Sequence[int]) -> None:
        raise NotAssignable("a blob's shape is set by .reshape(*shape), which reaches the net")

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

    def watch(self, watcher: Watcher, name: str) -> None:
        """Let `watcher` know of values that are written by hand while it calls them outdated.

        Parameters
        ----------
        watcher : Watcher
        name : str
            The blob's name there.
        """
        self._watcher, self._name = weakref.ref(watcher), name

    def _filled(self):
        watcher = self._watcher() if self._watcher is not None else None
        if watcher is not None:
            watcher.filled(self._name)

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

    def __reduce__(self):
        """Copy and pickle a blob by its values; the copy belongs to no net."""
        diff = self.synced_diff.numpy().copy() if self.synced_diff.held else None
        return _from_arrays, (np.array(self.synced_data.numpy()), diff)


def _from_arrays(data, diff):
    """Return a Blob of these values and gradients, None for zeros."""
    blob = Blob(*data.shape)
    blob.data[...] = data
    if diff is not None:
        blob.diff[...] = diff
    return blob


class BlobVec(list[Blob]):
    """A layer's blobs; a Python layer adds its own with `add_blob`.

    Attributes
    ----------
    fixed : bool
        True for the blobs of a net, which stay where they are.
    """

    fixed = False

    def add_blob(self, *shape: int) -> None:
        """Append a zeroed blob of this shape."""
        self.append(Blob(*shape))

    def append(self, blob: Blob) -> None:
        """Append a blob; raise NotAssignable for anything else."""
        self._check(blob)
        super().append(blob)

    def extend(self, blobs: Iterable[Blob]) -> None:
        """Append blobs; raise NotAssignable for anything else."""
        for blob in blobs:
            self.append(blob)

    @overload
    def __setitem__(self, i: SupportsIndex, value: Blob) -> None: ...

    @overload
    def __setitem__(self, i: slice, value: Iterable[Blob]) -> None: ...

    def __setitem__(self, i, value):
        if self.fixed:
            raise NotAssignable(
                f"the blobs of a layer stay in place, and number {i} cannot become another: write "
                "[i].data[...] = array (of another net: net.share_with, or = its [i].data)"
            )
        for blob in value if isinstance(i, slice) else [value]:
            self._check(blob)
        super().__setitem__(i, value)

    def __delitem__(self, i: SupportsIndex | slice) -> None:
        if self.fixed:
            raise NotAssignable(f"the blobs of a layer stay in place: number {i} cannot be deleted")
        super().__delitem__(i)

    def __reduce__(self):
        """Copy and pickle as blobs of no net."""
        return BlobVec, (list(self),)

    def _check(self, blob):
        if not isinstance(blob, Blob):
            raise NotAssignable(
                f"a {type(blob).__name__} is not a Blob: use add_blob(*shape), then write "
                "[i].data[...] = array"
            )


def _check(shape):
    """Raise CaffeError if no blob can have this shape."""
    problem = refusal(shape)
    if problem:
        raise CaffeError(f"a blob {problem}")
