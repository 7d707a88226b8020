"""Results of single shots in a folder, so that an interrupted run goes on where it was.

One .npz a shot, written in one move: a file that is there is complete. Each holds a digest of what
made it, so that what another net or other settings made is not taken for one's own.
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import quote

import numpy as np

DIGEST = "made by"
OTHER, DAMAGED = "made by another net or other settings", "not readable"


def shot_path(store, name):
    """The file of the shot `name` in the folder `store`; two names never share one."""
    return Path(store) / f"{quote(name, safe='')}.npz"


def save_shot(path, digest, arrays):
    """Write {name: array} and the digest, or, if interrupted, nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{DIGEST: np.array(digest)}, **arrays)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def load_shot(path, digest):
    """(arrays, ''), or (None, why) where this digest did not make the file; why is '' if missing.

    No file, whatever it holds, runs code (allow_pickle=False) or raises.
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
