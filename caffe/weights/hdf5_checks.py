"""Checks of hostile HDF5 files: links to other files, and chunks that inflate without limit.

HDF5 allocates what a compressed chunk inflates to before it compares sizes, and in each of several
filters a kilobyte may inflate to a megabyte. So chunks are first inflated here, with a limit.
"""

import math
import zlib
from collections import deque

import h5py

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3  # filter numbers of the HDF5 format
KNOWN = {DEFLATE, SHUFFLE, FLETCHER32}
CHECKSUM = 4  # bytes that FLETCHER32 adds
MOST_CHUNKS = 200_000
MOST_MEMBERS = 1_000_000  # of a group; listing them takes about a second
MOST_LINKS = 40  # soft links on the way to a member, as many as Linux follows in a path
SLACK = 2**24  # bytes by which a chunk may exceed its dataset


class Refused(ValueError):
    """A file that may be valid HDF5, but is not safe to read."""


def parts(path: str) -> list[str]:
    """Return the names in a path; "." and nothing are where one is already, as in HDF5."""
    return [part for part in path.split("/") if part not in ("", ".")]


def member(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """Return a member of a group, which may be deeper in the tree.

    Links are followed here, one by one, because the library follows every link that it meets on the
    way, also those to other files.

    Parameters
    ----------
    group : h5py.Group
    name : str
        A path, such as "conv1/0".

    Returns
    -------
    h5py.Group, h5py.Dataset or None
        None if there is no such member.

    Raises
    ------
    Refused
        If the path goes through a link to another file, or through too many links, or the values of
        a dataset are in another file.
    """
    found, ahead, followed = group, deque(parts(name)), 0
    if not ahead or "\0" in name:
        return None
    while ahead:
        part = ahead.popleft()
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(part, getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.SoftLink):
            followed += 1
            if followed > MOST_LINKS:
                raise Refused(f"{_shown(found, part)} leads through more than {MOST_LINKS} links")
            ahead.extendleft(reversed(parts(link.path)))
            if link.path.startswith("/"):
                found = found.file["/"]
        elif isinstance(link, h5py.HardLink):
            found = found.get(part)
        else:
            elsewhere = f", {link.filename}" if isinstance(link, h5py.ExternalLink) else ""
            raise Refused(
                f"{_shown(found, part)} is a link to another file{elsewhere}: save it as one file"
            )
    if isinstance(found, h5py.Dataset):
        _check_place(found)
    return found


def _check_place(dataset):
    """Raise Refused if a dataset has its values elsewhere; even its shape may come from there."""
    plist = dataset.id.get_create_plist()
    if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
        raise Refused(f"{dataset.name} has its values in another file: save it as one file")


def _shown(group, part):
    """Return the path of a member for a message."""
    return f"{(group.name or '').rstrip('/')}/{part}"


def check_dataset(dataset: h5py.Dataset) -> None:
    """Raise Refused if reading the dataset may take more memory or time than its shape says."""
    try:
        _check(dataset)
    except Refused as e:
        raise Refused(f"{dataset.name} {e}") from None


def _check(dataset):
    """Raise Refused, without the name of the dataset."""
    if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 16:
        raise Refused(f"holds {dataset.dtype}, not plain numbers: it is damaged or of another kind")
    if dataset.chunks:
        _check_chunks(dataset)


def _check_chunks(dataset):
    """Raise Refused if chunks are too large or too many, or inflate to another size."""
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    number = math.prod(-(-d // c) for d, c in zip(dataset.shape, dataset.chunks))
    if size > dataset.nbytes + SLACK or number > MOST_CHUNKS:
        raise Refused(
            f"of shape {dataset.shape} lies in chunks of {dataset.chunks}: run h5repack -l CONTI "
            "on the file"
        )
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if not set(filters) <= KNOWN or len(set(filters)) < len(filters):
        raise Refused(
            f"is compressed by filters {filters}, only gzip is read: run h5repack -f NONE on the "
            "file"
        )
    deflate = 1 << filters.index(DEFLATE) if DEFLATE in filters else 0
    stored = []
    dataset.id.chunk_iter(stored.append)
    for chunk in stored:
        if chunk.size > size + size // 8 + 1024:
            raise Refused(f"has a chunk of {chunk.size} bytes for {size}: it is damaged")
        if (
            deflate and not chunk.filter_mask & deflate
        ):  # the mask has the filters that were skipped
            _check_inflated(dataset.id.read_direct_chunk(chunk.chunk_offset)[1], size)


def _check_inflated(packed, size):
    """Raise Refused if a compressed chunk does not inflate to `size` bytes."""
    try:
        inflated = len(zlib.decompressobj().decompress(packed, size + CHECKSUM + 1))
    except zlib.error as e:
        raise Refused(f"has a chunk that cannot be inflated ({e}): it is damaged") from None
    if not size <= inflated <= size + CHECKSUM:
        raise Refused(f"has a chunk that does not inflate to its {size} bytes: it is damaged")
