"""Read arrays from MATLAB files; any kind of bad file raises DatasetError.

SciPy's reader trusts what a file says of itself: one damaged byte may end the process. This one
reads only what labels and lists of ids use: arrays of numbers and of characters, and cells of
these. No size is believed before it is compared with the bytes that are there.
"""

import os
import zlib
from functools import partial
from math import prod

import numpy as np

from datasets.errors import DatasetError
from datasets.reading.gate import LIMITS, read_file

KIND = "MATLAB file"
MAX_BYTES = LIMITS[KIND]  # of a variable, unpacked
MAX_VARIABLES = 1000  # looked through for the one that is asked for
MAX_CELLS, MAX_CELL_BYTES = 100_000, 1 << 24  # of a cell array
MAX_LETTERS = 1 << 20  # of an array of strings
MAX_AXES = 8

_HEADER = 128  # bytes: a text, the version, and the order of bytes
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NAME_WITHIN = 1024  # first bytes of a variable, in which its name is

# Types of elements. Numbers are stored in the smallest type that holds them.
_INT8, _UINT8, _UINT16, _INT32, _UINT32, _MATRIX, _PACKED, _UTF8 = 1, 2, 4, 5, 6, 14, 15, 16
_NUMBERS = dict(zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "i1 u1 i2 u2 i4 u4 f4 f8 i8 u8".split()))
_ENCODINGS = {
    _INT8: "latin-1",
    _UINT8: "latin-1",
    _UINT16: "utf-16",
    _UTF8: "utf-8",
    17: "utf-16",
    18: "utf-32",
}
# Classes of arrays.
_CELL, _CHAR, _NUMERIC, _OPAQUE = 1, 4, range(6, 16), 17
_COMPLEX = 1 << 11  # flag beside the class
_REFUSED = {
    2: "a struct",
    3: "an object",
    5: "a sparse matrix",
    16: "a function",
    _OPAQUE: "an object",
    18: "an object",
}


class _Damaged(Exception):
    """What a file says of itself cannot be so; the message says why."""


class _Unsupported(Exception):
    """A sound file, or array, of a kind that is not read; the message names it, and the fix."""


def open_mat(path: os.PathLike[str] | str, key: str) -> np.ndarray:
    """Read one array of a MATLAB file.

    Parameters
    ----------
    path : path-like
        The file, of MATLAB version 5 or 7. Nothing in it is executed.
    key : str
        Name of the array.

    Returns
    -------
    ndarray
        Numbers, of the type that they are stored in; strings, without the axis along their
        characters; or the objects of a cell array, each an array of numbers or strings.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, too large, of another version, or has no such array, or
        the array is of another kind.
    """
    content = memoryview(read_file(path, KIND))
    names = []
    try:
        order = _byte_order(content)
        for variable in _variables(_Elements(content[_HEADER:], order)):
            *_, name = _head(variable(_NAME_WITHIN))
            if name == key:
                return _array(variable(MAX_BYTES))
            names.append(name)
    except _Damaged as error:
        raise DatasetError(
            f"{path}: damaged or not a MATLAB file ({error}); download it again"
        ) from error
    except _Unsupported as error:
        raise DatasetError(f"{path}: {error}") from error
    raise DatasetError(
        f"{path}: holds no {key!r} but {_listed(names)}; is this a file of another dataset?"
    )


class _Elements:
    """Reads one element after the other; each has a type, the number of its bytes, and these."""

    def __init__(self, content, order):
        self.rest, self.order = content, order

    def next(self, *types):
        """Return the type and the body of the next element, which has one of `types`."""
        if len(self.rest) < 8:
            raise _Damaged(f"{len(self.rest)} bytes where an element begins")
        type_, size = self.numbers(self.rest[:8])
        start, space = 8, len(self.rest) - 8
        if type_ >> 16:  # a short one: the size is beside the type, the bytes in its place
            type_, size, start, space = type_ & 0xFFFF, type_ >> 16, 4, 4
        if size > space:
            raise _Damaged(f"an element of {size:,} bytes where {space:,} are")
        if type_ not in types:
            raise _Damaged(f"an element of type {type_} where {', '.join(map(str, types))} may be")
        body = self.rest[start : start + size]
        # other than matrices, elements are filled up to 8 bytes
        used = start + size + (0 if type_ in (_MATRIX, _PACKED) else -(start + size) % 8)
        self.rest = self.rest[used:]
        return type_, body

    def numbers(self, body, code="u4"):
        """Return the whole numbers in the body of an element."""
        if len(body) % 4:
            raise _Damaged(f"{len(body)} bytes where numbers of 4 are")
        return np.frombuffer(body, self.order + code).tolist()


def _byte_order(content):
    """Return '<' or '>', the order of bytes in a file that begins with the right header."""
    order = {b"IM": "<", b"MI": ">"}.get(bytes(content[126:_HEADER]))
    version = np.frombuffer(content[124:126], f"{order}u2").item() if order else None
    if version == 0x0200 or bytes(content[: len(_HDF5)]) == _HDF5:
        raise _Unsupported(
            "is HDF5 (MATLAB version 7.3), which is not supported; save it again with -v7"
        )
    if version == 0x0100:
        return order
    if len(content) > 20 and 0 in bytes(content[:4]):  # a number where others have a text
        raise _Unsupported(
            "has no header, as files of MATLAB version 4; save it again with -v7, or download it "
            "again"
        )
    raise _Damaged("no header of version 5")


def _variables(elements):
    """Yield a function for each variable: it returns its elements in its first `size` bytes."""
    for _ in range(MAX_VARIABLES):
        if not len(elements.rest):
            return
        type_, body = elements.next(_MATRIX, _PACKED)
        yield partial(_unpack if type_ == _PACKED else _take, body, elements.order)
    raise _Damaged(f"more than {MAX_VARIABLES} variables")


def _take(body, order, size):
    """Return the elements of a variable that is not packed."""
    return _Elements(body, order)


def _unpack(body, order, size):
    """Return the elements in the first `size` bytes of a packed variable, in all for MAX_BYTES."""
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(body, 8 + size)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise _Damaged(str(error)) from error
    content = memoryview(content)
    if size < MAX_BYTES:
        content = content[8:]  # the type and the size of what is not all here
        return _Elements(content, order)
    if more:
        raise _Damaged(f"an array of more than {MAX_BYTES:,} bytes")
    if not stream.eof:
        raise _Damaged("the end of a packed array is missing")
    outer = _Elements(content, order)
    _, matrix = outer.next(_MATRIX)
    if len(outer.rest):
        raise _Damaged(f"{len(outer.rest)} bytes behind an array")
    return _Elements(matrix, order)


def _head(elements):
    """Read the flags, dimensions and name with which an array begins."""
    _, flags = elements.next(_UINT32)
    if len(flags) != 8:
        raise _Damaged(f"flags of {len(flags)} bytes")
    flag, _ = elements.numbers(flags)
    shape = ()
    if flag & 0xFF != _OPAQUE:  # it has none
        _, dimensions = elements.next(_INT32, _UINT32)
        shape = tuple(elements.numbers(dimensions, "i4"))
        if not 2 <= len(shape) <= MAX_AXES or min(shape) < 0:
            raise _Damaged(f"an array of {len(shape)} dimensions {shape[:MAX_AXES]}")
    _, name = elements.next(_INT8, _UINT8, _UTF8)
    return flag, shape, bytes(name).decode("utf-8", "replace")


def _array(elements, in_cell=False):
    """Return the array that some elements are."""
    if in_cell and not len(elements.rest):
        return np.empty((1, 0))
    flag, shape, name = _head(elements)
    class_ = flag & 0xFF
    if class_ == _CELL and not in_cell:
        return _cells(elements, shape)
    if class_ == _CHAR:
        return _strings(elements, shape)
    if class_ in _NUMERIC and not flag & _COMPLEX:
        return _numbers(elements, shape)
    if class_ not in (_CELL, *_NUMERIC, *_REFUSED):
        raise _Damaged(f"an array of class {class_}")
    kind = "a cell in a cell" if class_ == _CELL else _REFUSED.get(class_, "of complex numbers")
    raise _Unsupported(
        f"{repr(name) if name else 'a cell'} is {kind}, but only real numbers, characters and "
        "cells of these are read; is this a file of another dataset?"
    )


def _numbers(elements, shape):
    """Return an array of numbers."""
    type_, body = elements.next(*_NUMBERS)
    stored = np.dtype(elements.order + _NUMBERS[type_])
    if len(body) != prod(shape) * stored.itemsize:
        raise _Damaged(f"{len(body):,} bytes for numbers of type {stored.name} and shape {shape}")
    values = np.frombuffer(body, stored).astype(stored.newbyteorder("="))
    return values.reshape(shape, order="F")


def _strings(elements, shape):
    """Return an array of strings, which lie along the last axis of `shape`."""
    type_, body = elements.next(*_ENCODINGS)
    if max(len(body), prod(shape), prod(shape[:-1])) > MAX_LETTERS:
        raise _Damaged(f"strings of {len(body):,} bytes and shape {shape}")
    endian = "" if type_ in (_INT8, _UINT8, _UTF8) else "-le" if elements.order == "<" else "-be"
    try:
        text = str(body, _ENCODINGS[type_] + endian)
    except UnicodeDecodeError as error:
        raise _Damaged(str(error)) from error
    text = text or " " * prod(shape)  # blanks may be left out
    if len(text) != prod(shape):
        raise _Damaged(f"{len(text):,} characters for shape {shape}")
    letters = np.array(list(text), "U1").reshape(shape, order="F")
    if not letters.size:
        return np.zeros(shape[:-1], "U1")
    return np.ascontiguousarray(letters).view(f"U{shape[-1]}")[..., 0]


def _cells(elements, shape):
    """Return an array of the arrays in cells."""
    if prod(shape) > MAX_CELLS or len(elements.rest) > MAX_CELL_BYTES:
        raise _Damaged(f"{prod(shape):,} cells of {len(elements.rest):,} bytes")
    cells = np.empty(prod(shape), object)
    for i in range(len(cells)):
        _, body = elements.next(_MATRIX)
        cells[i] = _array(_Elements(body, elements.order), in_cell=True)
    return cells.reshape(shape, order="F")


def _listed(names):
    """Return the first names of arrays, for a message."""
    shown = ", ".join(repr(name[:40]) for name in names[:20]) or "nothing"
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown
