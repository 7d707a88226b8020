"""Results of single shots in a folder, so that an interrupted run continues where it stopped.

One .npz per shot, written atomically: a file that exists is complete. Each holds a digest of what
it was computed from, so results of another net or of other settings are not reused.

Whatever lies under the name of a shot, reading it ends and takes little memory: it must be a
regular file of at most `LARGEST` bytes, and what its entries and the headers of its arrays promise
is checked against that before it is read.
"""

import hashlib
import os
import stat
import zipfile
from collections.abc import Mapping
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from lib.atomic import write_atomically
from lib.reading import open_to_read

DIGEST = "made by"
OTHER, DAMAGED = "made by another net or other settings", "not readable"
LARGEST = 64 * 2**20  # bytes of a shot, in its file and out of it: 100 layers of 80000 frames
MOST_ENTRIES = 10_000  # arrays of a shot
LONGEST_NAME = 200  # characters of a file's name; file systems take 255 bytes
ENTRY = b"PK\1\2"  # begins each entry in the list of a zip file
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks others at one go
HEADER = 4096  # bytes of the header of an array, far more than any of ours


def shot_path(store: os.PathLike[str] | str, name: str) -> Path:
    """Return the file of the shot `name` in the folder `store`; two names never share one."""
    quoted = quote(name, safe="")
    if len(quoted) > LONGEST_NAME:
        # quote() leaves no comma, so no short name is equal to a shortened one
        quoted = f"{quoted[:100]},{hashlib.sha256(quoted.encode()).hexdigest()}"
    return Path(store) / f"{quoted}.npz"


def save_shot(path: Path, digest: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays and the digest; make the folder if it is missing.

    If interrupted, the file is as it was before.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If the arrays are too large, too many, or of Python objects, for `load_shot` to read them.
    """
    entries: dict[str, Any] = {DIGEST: np.array(digest), **arrays}
    size = sum(np.asarray(values).nbytes for values in entries.values())
    objects = [name for name, values in entries.items() if np.asarray(values).dtype.hasobject]
    if size > LARGEST or len(entries) > MOST_ENTRIES or objects:
        what = f"{objects[0]!r} of Python objects" if objects else f"{size / 1e6:.1f} MB"
        raise ValueError(
            f"{path}: {len(entries)} arrays, {what}: a shot has at most {MOST_ENTRIES} arrays of "
            f"numbers, {LARGEST / 1e6:.1f} MB in all; store changes, not the blobs themselves"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    archive = BytesIO()
    np.savez(archive, **entries)
    write_atomically(path, archive.getvalue())


def load_shot(path: Path, digest: str) -> tuple[dict[str, np.ndarray] | None, str]:
    """Read a shot if it was saved with this digest.

    Whatever the file is and holds, no code in it is run, nothing is waited for, no more than
    `LARGEST` bytes of arrays are read, and nothing is raised.

    Returns
    -------
    arrays : dict of str to array, or None
        None if the file is missing, damaged, no regular file, or has another digest.
    why : str
        Why arrays is None; empty if they were read or the file is missing.
    """
    try:
        arrays = _arrays(_content(path))
    except FileNotFoundError:
        return None, ""
    except Exception:  # a damaged archive raises a dozen kinds
        return None, DAMAGED
    made_by = arrays.pop(DIGEST, None)
    same = made_by is not None and made_by.shape == () and made_by.item() == digest
    return (arrays, "") if same else (None, OTHER)


def _content(path):
    """Return the bytes of a regular file of bounded size."""
    with open_to_read(path) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise ValueError(f"{path} is no regular file")
        content = opened.read(LARGEST + 1)  # it may grow while it is read
    if len(content) > LARGEST:
        raise ValueError(f"{path} is larger than any shot")
    return content


def _arrays(content):
    """Return the arrays of an archive; raise an Exception of any kind if it is damaged."""
    if content.count(ENTRY) > 2 * MOST_ENTRIES:  # before a list of them is made
        raise ValueError("more entries than any shot has")
    with zipfile.ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        # what an entry holds is no longer than it says: zipfile reads no further
        if len(set(names)) < len(names) or sum(entry.file_size for entry in entries) > LARGEST:
            raise ValueError("entries twice, or more than any shot holds")
        return {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}


def _array(archive, entry):
    """Return one array, of as many bytes as its entry has."""
    if not entry.filename.endswith(".npy") or entry.compress_type not in BOUNDED:
        raise ValueError(f"{entry.filename} is no array as numpy.savez writes it")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, kind = read_header(file, max_header_size=HEADER)
        values = file.read()  # to its end, where its checksum is compared
    if kind.hasobject or min(shape, default=0) < 0 or prod(shape) * kind.itemsize != len(values):
        raise ValueError(f"{entry.filename} does not hold what its header says")
    array = np.frombuffer(bytearray(values), kind)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
