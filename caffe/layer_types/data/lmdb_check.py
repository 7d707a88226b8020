"""Validates an LMDB file before the library maps it into memory.

LMDB trusts its files: on a truncated or damaged one it reads outside the mapping, and the process
dies. Therefore each page of the tree (not the records themselves) is read and checked here first; a
database of a million records takes a second or two.

The layout on 64-bit little-endian machines: pages of equal size. Each of the first two holds a meta
record, of which the newer is valid. A page of the tree begins with 16 bytes (number u64, pad u16,
flags u16, end of the offsets u16, start of the nodes u16), then has a u16 offset for each node. A
node has 8 bytes (low u16, high u16, flags u16, key size u16), its key and its value. In a branch,
low, high and flags are the number of the child page. In a leaf, low and high are the size of the
value, and flags say where the value is.
"""

import os
import struct
from typing import NamedTuple, NoReturn

import numpy as np

from caffe.errors import DataError

MAGIC, VERSION = 0xBEEFC0DE, 1
# from byte 16 of a page: magic and version, an unused address and size; the tree of free pages, of
# which only the page size is read; the tree of records; last page; transaction
META = struct.Struct("<24xI44x4xH2x24xQQQQ")
PAGE_HEAD = struct.Struct("<QHHHH")
BRANCH, LEAF = 1, 2
OVERFLOW = 1  # node flag: the value is on pages of its own
NO_PAGE = 2**64 - 1
MOST_LEVELS = 32


class Meta(NamedTuple):
    """The fields of a meta record that matter here."""

    page_size: int
    flags: int
    records: int
    root: int
    last: int
    transaction: int


def check(path: str) -> None:
    """Raise DataError if the LMDB file `path` is truncated, damaged or of another kind."""
    try:
        with open(path, "rb") as file:
            _check(file, path, os.path.getsize(path))
    except OSError as e:
        raise DataError(f"{path} cannot be read: {e.strerror}") from None


def _check(file, path, size):
    """Walk the tree of records level by level, and check each page and the number of records."""
    meta = _newest_meta(file, path)
    page_size, pages, records = meta.page_size, size // meta.page_size, 0
    if meta.last >= pages:
        _refuse(path, f"it has {pages} pages, and names page {meta.last}")
    level, seen = [meta.root] if meta.root != NO_PAGE else [], set()
    for _ in range(MOST_LEVELS):
        below, kinds = [], set()
        for number in level:
            if number in seen:
                _refuse(path, f"page {number} is named twice")
            if not 2 <= number < pages:
                _refuse(path, f"page {number} is named but not of the tree")
            seen.add(number)
            file.seek(number * page_size)
            kind, nodes, children = _check_page(file.read(page_size), number, pages, path)
            kinds.add(kind)
            records += nodes * (kind == LEAF)
            below.extend(children)
        if len(kinds) > 1:
            _refuse(path, "its tree has leaves and branches on one level")
        level = below
        if not level:
            break
    else:
        _refuse(path, f"its tree is deeper than {MOST_LEVELS} levels")
    if records != meta.records:
        _refuse(path, f"it holds {records} of its {meta.records} records")


def _newest_meta(file, path):
    """Return the newer of the two meta records."""
    first = _meta(file, 0, path)
    page_size = first.page_size
    if page_size not in [2**k for k in range(8, 17)]:
        _refuse(path, f"its pages are of {page_size} bytes")
    second = _meta(file, page_size, path)
    if second.page_size != page_size:
        _refuse(path, "its two meta records differ")
    newest = second if second.transaction > first.transaction else first
    if newest.flags:
        raise DataError(
            f"{path}: is an LMDB of another kind (sorted duplicates or number keys, flags "
            f"{newest.flags:#x}): write it again as Caffe does, one record a key"
        )
    return newest


def _meta(file, start, path):
    """Return the meta record of the page that begins at byte `start`."""
    file.seek(start + 16)
    content = file.read(META.size)
    if len(content) < META.size or struct.unpack_from("<II", content) != (MAGIC, VERSION):
        raise DataError(
            f"{path} is not an LMDB database of version {VERSION}, or damaged: write it again"
        )
    return Meta(*META.unpack(content))


def _check_page(page, number, pages, path):
    """Check a page; return its kind, its number of nodes and the numbers of its child pages."""
    own_number, _, flags, lower, upper = PAGE_HEAD.unpack_from(page.ljust(PAGE_HEAD.size, b"\0"))
    least = {BRANCH: 2, LEAF: 1}.get(flags)
    if own_number != number or not least or not 16 + 2 * least <= lower <= upper <= len(page):
        _refuse(path, f"page {number} is not a page of a tree")
    raw = np.frombuffer(page, np.uint8)
    starts = np.frombuffer(page, "<u2", (lower - 16) // 2, 16).astype(np.int64)
    if (starts < upper).any() or (starts + 8 > len(page)).any():
        _refuse(path, f"page {number} has nodes outside it")
    heads = raw[starts[:, None] + np.arange(8)].view("<u2").astype(np.int64)
    low, high, node_flags, key_size = heads.T
    if flags == BRANCH:
        sizes = np.zeros_like(key_size)
    else:
        if (node_flags & ~OVERFLOW).any():
            raise DataError(
                f"{path}: holds databases inside the database, or duplicates: write it again as "
                "Caffe does, one record a key"
            )
        sizes = np.where(node_flags == OVERFLOW, 8, low | high << 16)
    if (starts + 8 + key_size + sizes > len(page)).any():
        _refuse(path, f"page {number} has nodes that reach outside it")
    if flags == BRANCH:
        return BRANCH, len(starts), (low | high << 16 | node_flags << 32).tolist()
    far = node_flags == OVERFLOW
    places = raw[(starts + 8 + key_size)[far][:, None] + np.arange(8)].view("<u8")[:, 0]
    needed = (16 + (low | high << 16)[far] + len(page) - 1) // len(page)
    if (places > pages).any() or (places.astype(np.int64) + needed > pages).any():
        _refuse(path, f"a record named on page {number} lies outside the file")
    return LEAF, len(starts), []


def _refuse(path: str, why: str) -> NoReturn:
    """Raise the DataError for a damaged file."""
    raise DataError(f"{path} is truncated or damaged: {why}: copy or write it again")
