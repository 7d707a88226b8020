"""Put loaded values into a net's blobs: all of them or none, whenever it is interrupted.

A file is read into new arrays first, where a read error, a lack of memory or Ctrl-C still harms
nothing. What is left is to copy them, which takes a moment and cannot fail. If an exception comes
from outside just then (KeyboardInterrupt, or one that a handler of another signal raises), the copy
is made to the end before the exception goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from caffe.blobs import memory
from caffe.blobs.blob import Blob
from caffe.errors import WeightsError

MOST_TRIES = 100  # somebody may lean on Ctrl-C


@contextmanager
def room(blobs: Iterable[Blob], path: str) -> Iterator[list[np.ndarray]]:
    """Make an array for each blob, to be filled from a file.

    Parameters
    ----------
    blobs : iterable of Blob
    path : str
        The file, for messages.

    Yields
    ------
    list of ndarray of float32
        In the blobs' shapes, not initialised.

    Raises
    ------
    CaffeError
        If memory does not suffice, now or in the `with`.
    """
    blobs = list(blobs)
    memory.check(sum(blob.count for blob in blobs), f"to read {path} takes")
    try:
        yield [np.empty(blob.shape, np.float32) for blob in blobs]
    except MemoryError:
        raise WeightsError(
            f"{path}: memory ran out while it was read: close other programs, or load it into a "
            "smaller net"
        ) from None


def nothing() -> None:
    """Do nothing."""


def put_all(
    blobs: Iterable[Blob], values: Iterable[np.ndarray], then: Callable[[], object] = nothing
) -> None:
    """Copy an array into each blob; an exception from outside comes after the last copy.

    Parameters
    ----------
    blobs : iterable of Blob
    values : iterable of ndarray
        One for each blob, in its shape.
    then : callable
        What belongs to the copies, done after the last; it may be called twice, and cannot fail.
    """
    pairs, held = list(zip(blobs, values, strict=True)), None
    for _ in range(MOST_TRIES):
        try:
            for blob, array in pairs:
                blob.data[...] = array
            then()
            break
        except BaseException as e:
            held = held or e
    if held is not None:
        raise held
