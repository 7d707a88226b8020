"""Write an HDF5 file without letting the HDF5 library near a disk.

Where a disk is full, the library keeps what it could not write, tries again when the file is
closed and once more when the interpreter ends, and crashes. So it only lays the file out, in
memory: which groups and datasets there are, and at which byte the values of each begin. The values
themselves, which may be gigabytes, then go straight from their arrays into the file.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import h5py
import numpy as np

from caffe.weights.interrupts import held_back

PAGE = 2**12


class Pages(io.RawIOBase):
    """A file in memory that is mostly holes; only pages that were written to take memory."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[int, bytearray] = {}
        self._at = self.size = 0

    def seekable(self) -> bool:
        """Return True, as `readable` and `writable` do."""
        return True

    readable = writable = seekable

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, and return its number."""
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        """Return the number of the byte that is read or written next."""
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Set the size and return it; what lies beyond it is not forgotten."""
        self.size = self._at if size is None else size
        return self.size

    def write(self, content: bytes | memoryview) -> int:  # type: ignore[override]
        """Write bytes at the current place and return their number."""
        view = memoryview(content).cast("B")
        for page, within, done, count in self._pieces(len(view)):
            held = self._pages.setdefault(page, bytearray(PAGE))
            held[within : within + count] = view[done : done + count]
        self._at += len(view)
        self.size = max(self.size, self._at)
        return len(view)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the current place on; holes are zeros. Return the number of bytes."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self.size - self._at))
        for page, within, done, count in self._pieces(wanted):
            held = self._pages.get(page)
            view[done : done + count] = held[within : within + count] if held else bytes(count)
        self._at += wanted
        return wanted

    def _pieces(self, count):
        """Yield page, first byte in it, bytes before and bytes in it, for `count` bytes."""
        done = 0
        while done < count:
            page, within = divmod(self._at + done, PAGE)
            piece = min(PAGE - within, count - done)
            yield page, within, done, piece
            done += piece

    def copy_to(self, file: io.BufferedIOBase) -> None:
        """Write what is here to a file, which gets the same size."""
        for page, held in sorted(self._pages.items()):
            file.seek(page * PAGE)
            file.write(held[: max(0, self.size - page * PAGE)])
        file.truncate(self.size)


class Layout:
    """An HDF5 file that is laid out; its values are written when all is known.

    Attributes
    ----------
    file : h5py.File
        To make groups, small datasets and attributes with. It exists in memory only.
    pages : Pages
        What the file holds, apart from the values of large datasets.
    """

    def __init__(self) -> None:
        self.pages = Pages()
        self.file = h5py.File(self.pages, "w")
        self._placed: list[tuple[int, np.ndarray]] = []

    def place(self, name: str, shape: tuple[int, ...], dtype: str) -> h5py.Dataset:
        """Make a dataset that has its place in the file, but no values yet."""
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.CONTIGUOUS)
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space, parents = h5py.h5s.create_simple(shape), h5py.h5p.create(h5py.h5p.LINK_CREATE)
        parents.set_create_intermediate_group(True)
        kind = h5py.h5t.py_create(np.dtype(dtype), logical=True)
        made = h5py.h5d.create(self.file.id, name.encode(), kind, space, plist, parents)
        return h5py.Dataset(made)

    def add(self, name: str, array: np.ndarray) -> None:
        """Make a dataset of float32; its array is kept, and written at the end."""
        dataset = self.place(name, array.shape, "<f4")
        if array.size:
            self._placed.append((dataset.id.get_offset(), array))

    def write_to(self, part: str) -> None:
        """Write all to a file; the layout is closed."""
        with open(part, "wb") as out:
            self.pages.copy_to(out)
            for offset, array in self._placed:
                out.seek(offset)
                out.write(np.ascontiguousarray(array, "<f4").reshape(-1).view("u1").data)


@contextmanager
def layout() -> Iterator[Layout]:
    """Yield a Layout; close it at the end.

    Ctrl-C waits meanwhile: it would come while the library calls `Pages`, and that must not fail.
    """
    with held_back():
        made = Layout()
        try:
            yield made
        finally:
            made.file.close()
