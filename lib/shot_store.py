"""Results of single shots in a folder, so that an interrupted run continues where it stopped.

One .npz per shot, written atomically: a file that exists is complete. Each holds a digest of what
it was computed from, so results of another net or of other settings are not reused.
"""

import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from lib.atomic import write_atomically

DIGEST = "made by"
OTHER, DAMAGED = "made by another net or other settings", "not readable"


def shot_path(store: os.PathLike[str] | str, name: str) -> Path:
    """Return the file of the shot `name` in the folder `store`; two names never share one."""
    return Path(store) / f"{quote(name, safe='')}.npz"


def save_shot(path: Path, digest: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays and the digest; make the folder if it is missing.

    If interrupted, the file is as it was before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    archive = BytesIO()
    entries: dict[str, Any] = {DIGEST: np.array(digest), **arrays}
    np.savez(archive, **entries)
    write_atomically(path, archive.getvalue())


def load_shot(path: Path, digest: str) -> tuple[dict[str, np.ndarray] | None, str]:
    """Read a shot if it was saved with this digest.

    Whatever the file holds, no code in it is run (allow_pickle=False) and nothing is raised.

    Returns
    -------
    arrays : dict of str to array, or None
        None if the file is missing, damaged, or has another digest.
    why : str
        Why arrays is None; empty if they were read or the file is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except FileNotFoundError:
        return None, ""
    except Exception:  # a damaged archive raises a dozen kinds
        return None, DAMAGED
    made_by = arrays.pop(DIGEST, None)
    return (arrays, "") if made_by is not None and made_by.item() == digest else (None, OTHER)
