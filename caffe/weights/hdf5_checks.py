"""What an HDF5 file may not do to its reader: send it to other files, or inflate without bound.

HDF5 allocates what a compressed chunk inflates to before it compares sizes, and a kilobyte may
inflate to a megabyte in each of several passes. So chunks are inflated here first, with a limit.
"""

import math
import zlib

import h5py

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3  # filter numbers of the HDF5 format
KNOWN = {DEFLATE, SHUFFLE, FLETCHER32}
CHECKSUM = 4  # bytes that FLETCHER32 adds
MOST_CHUNKS = 200_000
MOST_MEMBERS = 1_000_000  # of a group: a second's walk
SLACK = 2**24  # bytes by which a chunk may exceed the dataset that it is of


class Refused(ValueError):
    """A file that may well be sound HDF5, but not one that is safe to read."""


def member(group, name):
    """The group or dataset of that name (a path), or None; Refused where another file holds it."""
    path = ""
    for part in filter(None, name.split("/")):
        path += "/" + part
        link = group.get(path[1:], getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise Refused(
                f"{group.name}{path} is a link to another file, {link.filename}: save it as one file"
            )
    return group.get(path[1:])


def check_dataset(dataset):
    """Refused where reading the dataset could take memory or time beyond what its shape says."""
    try:
        _check(dataset)
    except Refused as e:
        raise Refused(f"{dataset.name} {e}") from None


def _check(dataset):
    if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 16:
        raise Refused(f"holds {dataset.dtype}, no plain numbers: it is damaged or of another kind")
    if dataset.is_virtual or dataset.external:
        raise Refused("has its values in another file: save it as one file")
    if dataset.chunks:
        _check_chunks(dataset)


def _check_chunks(dataset):
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    number = math.prod(-(-d // c) for d, c in zip(dataset.shape, dataset.chunks))
    if size > dataset.nbytes + SLACK or number > MOST_CHUNKS:
        raise Refused(
            f"of shape {dataset.shape} lies in chunks of {dataset.chunks}: run h5repack -l CONTI on the file"
        )
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if not set(filters) <= KNOWN or len(set(filters)) < len(filters):
        raise Refused(
            f"is packed by filters {filters}, only gzip is read: run h5repack -f NONE on the file"
        )
    packed = 1 << filters.index(DEFLATE) if DEFLATE in filters else 0
    stored = []
    dataset.id.chunk_iter(stored.append)
    for chunk in stored:
        if chunk.size > size + size // 8 + 1024:
            raise Refused("has a chunk of %d bytes for %d: it is damaged" % (chunk.size, size))
        if packed and not chunk.filter_mask & packed:  # the mask says what was skipped
            _check_inflated(dataset.id.read_direct_chunk(chunk.chunk_offset)[1], size)


def _check_inflated(packed, size):
    try:
        found = len(zlib.decompressobj().decompress(packed, size + CHECKSUM + 1))
    except zlib.error as e:
        raise Refused(f"has a chunk that cannot be inflated ({e}): it is damaged") from None
    if not size <= found <= size + CHECKSUM:
        raise Refused("has a chunk that does not inflate to its %d bytes: it is damaged" % size)
