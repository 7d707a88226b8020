"""Whether an LMDB file is sound, found out before the library maps it into memory.

LMDB trusts its files: on a truncated or damaged one it reads outside the mapping, and the operating
system ends the process. So each page of the tree (not the records themselves) is read and checked
here first; a database of a million records takes a second or two.

Layout, 64 bit, little endian: pages of equal size, the first two hold a meta record each, the newer
counts. A page of the tree begins with 16 bytes (number u64, pad u16, flags u16, end of the offsets
u16, begin of the nodes u16), then a u16 offset for each node. A node is 8 bytes (low u16, high u16,
flags u16, key size u16), its key and its value. In a branch, low, high and flags are the number of
the page below; in a leaf, low and high are the size of the value, and flags say where that lies.
"""

import os
import struct
from collections import namedtuple

import numpy as np

from caffe.errors import DataError

MAGIC, VERSION = 0xBEEFC0DE, 1
# from byte 16 of a page: two numbers of the kind, an address and a size that are not used; the tree
# of free pages, of which only the page size counts; the tree of records; last page; transaction
META = struct.Struct("<24xI44x4xH2x24xQQQQ")
Meta = namedtuple("Meta", "page_size flags records root last transaction")
HEAD = struct.Struct("<QHHHH")
BRANCH, LEAF = 1, 2
ELSEWHERE = 1  # node flag: the value lies on pages of its own
NO_PAGE = 2**64 - 1
MOST_LEVELS = 32


def check(path):
    """DataError where the LMDB file `path` is truncated, damaged or of another kind."""
    try:
        with open(path, "rb") as file:
            _check(file, path, os.path.getsize(path))
    except OSError as e:
        raise DataError(f"{path} cannot be read: {e.strerror}") from None


def _check(file, path, size):
    meta = _newest(file, path)
    page_size, pages, records, seen = meta.page_size, size // meta.page_size, 0, set()
    if meta.last >= pages:
        _refuse(path, "it has %d pages, and names page %d" % (pages, meta.last))
    level = [meta.root] if meta.root != NO_PAGE else []
    for _ in range(MOST_LEVELS):
        below, kinds = [], set()
        for number in level:
            if number in seen or not 2 <= number < pages:
                _refuse(
                    path,
                    "page %d is named %s"
                    % (number, "twice" if number in seen else "but not of the tree"),
                )
            seen.add(number)
            file.seek(number * page_size)
            kind, nodes, children = _look(file.read(page_size), number, pages, path)
            kinds.add(kind)
            records += nodes * (kind == LEAF)
            below.extend(children)
        if len(kinds) > 1:
            _refuse(path, "its tree has leaves and branches on one level")
        level = below
        if not level:
            break
    else:
        _refuse(path, "its tree is deeper than %d levels" % MOST_LEVELS)
    if records != meta.records:
        _refuse(path, "it holds %d of its %d records" % (records, meta.records))


def _newest(file, path):
    """The newer of the two meta records."""
    first = _meta(file, 0, path)
    page_size = first.page_size
    if page_size not in [2**k for k in range(8, 17)]:
        _refuse(path, "its pages are of %d bytes" % page_size)
    second = _meta(file, page_size, path)
    if second.page_size != page_size:
        _refuse(path, "its two meta records differ")
    newest = second if second.transaction > first.transaction else first
    if newest.flags:
        raise DataError(
            f"{path}: is an LMDB of another kind (sorted duplicates or number keys, flags "
            f"{newest.flags:#x}): write it anew as Caffe does, one record a key"
        )
    return newest


def _meta(file, start, path):
    file.seek(start + 16)
    content = file.read(META.size)
    if len(content) < META.size or struct.unpack_from("<II", content) != (MAGIC, VERSION):
        raise DataError(
            "%s is no LMDB database of version %d, or damaged: write it again" % (path, VERSION)
        )
    return Meta(*META.unpack(content))


def _look(page, number, pages, path):
    """(BRANCH or LEAF, number of nodes, numbers of the pages below) of a page that is sound."""
    itself, _, flags, lower, upper = HEAD.unpack_from(page.ljust(HEAD.size, b"\0"))
    least = {BRANCH: 2, LEAF: 1}.get(flags)
    if itself != number or not least or not 16 + 2 * least <= lower <= upper <= len(page):
        _refuse(path, "page %d is none of a tree" % number)
    raw = np.frombuffer(page, np.uint8)
    starts = np.frombuffer(page, "<u2", (lower - 16) // 2, 16).astype(np.int64)
    if (starts < upper).any() or (starts + 8 > len(page)).any():
        _refuse(path, "page %d has nodes outside it" % number)
    low, high, flags_, key = raw[starts[:, None] + np.arange(8)].view("<u2").astype(np.int64).T
    if flags == BRANCH:
        sizes = np.zeros_like(key)
    else:
        if (flags_ & ~ELSEWHERE).any():
            raise DataError(
                f"{path}: holds databases inside the database, or duplicates: write it anew "
                "as Caffe does, one record a key"
            )
        sizes = np.where(flags_ == ELSEWHERE, 8, low | high << 16)
    if (starts + 8 + key + sizes > len(page)).any():
        _refuse(path, "page %d has nodes that reach outside it" % number)
    if flags == BRANCH:
        return BRANCH, len(starts), (low | high << 16 | flags_ << 32).tolist()
    far = flags_ == ELSEWHERE
    places = raw[(starts + 8 + key)[far][:, None] + np.arange(8)].view("<u8")[:, 0]
    needed = (16 + (low | high << 16)[far] + len(page) - 1) // len(page)
    if (places > pages).any() or (places.astype(np.int64) + needed > pages).any():
        _refuse(path, "a record named on page %d lies outside the file" % number)
    return LEAF, len(starts), []


def _refuse(path, why):
    raise DataError(f"{path} is truncated or damaged: {why}: copy or write it again")
