"""WatchedArray: the view of a blob whose values are not valid, which notices when they are written.

A stage must not run on a blob that was never computed, or was computed for another input size; if
the user fills it by hand, it may. Zeros that were written look like zeros that were not, and asking
for `blob.data.shape` is no write. So while a blob is not valid, `blob.data` is a view of this
class. The first write through it, or through a view of it, makes the blob valid, and the next
`blob.data` is an ordinary array.

What NumPy cannot see, such as a library that writes to the memory itself, is not noticed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

# NumPy's functions that write to their first argument
WRITERS = (np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal)


class WatchedArray(np.ndarray):
    """A float32 array that reports writes to the memory that it was made over.

    Attributes
    ----------
    written : callable or None
        Called with no argument after a write.
    """

    written: Callable[[], object] | None
    _memory: tuple[int, int]  # addresses of the first byte and after the last one

    def __array_finalize__(self, source: object) -> None:
        self.written = getattr(source, "written", None)
        self._memory = getattr(source, "_memory", (0, 0))

    def _report(self):
        """Call `written` unless this is a copy, which has memory of its own."""
        first, end = self._memory
        if self.written is not None and self.size and first <= _address(self) < end:
            self.written()

    def __setitem__(self, where: Any, values: Any) -> None:
        super().__setitem__(where, values)
        self._report()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        outs = kwargs.get("out", ())
        if outs:
            kwargs["out"] = tuple(map(_plain, outs))
        if "where" in kwargs:
            kwargs["where"] = _plain(kwargs["where"])
        result = getattr(ufunc, method)(*map(_plain, inputs), **kwargs)
        written = inputs[:1] if method == "at" else outs
        for array in written:
            if isinstance(array, WatchedArray):
                array._report()
        if len(outs) == 1:
            return outs[0]  # the very object, so that `view += 1` stays a view
        return result

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(function, types, args, kwargs)
        written = [kwargs.get("out")] + (list(args[:1]) if function in WRITERS else [])
        for array in written:
            if isinstance(array, WatchedArray):
                array._report()
        return result

    def fill(self, value: Any) -> None:
        """Fill the array with one number."""
        super().fill(value)
        self._report()

    def put(self, *args: Any, **kwargs: Any) -> None:
        """Write values at flat indices."""
        super().put(*args, **kwargs)
        self._report()

    def _set_flat(self, values):
        self.view(np.ndarray).flat = values
        self._report()

    # NumPy's types declare it as read-only, which it is not
    flat = property(lambda self: np.ndarray.flat.__get__(self), _set_flat)

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))


def watch(array: np.ndarray, written: Callable[[], object]) -> WatchedArray:
    """Return a view of `array`, which is in C order, that calls `written()` after each write."""
    view = array.view(WatchedArray)
    first = _address(array)
    view.written, view._memory = written, (first, first + array.nbytes)
    return view


def _address(array):
    """Return the address of an array's first element."""
    return array.__array_interface__["data"][0]


def _plain(value):
    """Return a watched array as an ordinary view of the same memory, anything else as it is."""
    return value.view(np.ndarray) if isinstance(value, WatchedArray) else value
