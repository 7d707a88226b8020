"""The two files of a snapshot, weights and state, which are replaced and found as a pair.

No file system replaces two files at once, so a run may end between the two. If an older run had
written files of the same names, its state would then be restored onto the newer run's weights.
Three things prevent it:

- The state holds a digest of the weights file, `DIGEST`, and only weights with that digest are
  restored with it. The states of a real Caffe hold none; they go with the weights that they name.
- Both files are written in full beside the old ones before either takes its place, so a full disk
  changes nothing.
- While the two take their places, the old weights are also kept as {weights}.old. A run that ends
  in between leaves the old state, and this is where its weights are found.
"""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable

from caffe.errors import WeightsError

DIGEST = "blake2b, 16 bytes, in hexadecimal digits"
KEPT = ".old"
LEFT = 60  # seconds after which a file of a process that is not there was left
_one_at_a_time = threading.Lock()


def digest(path: str) -> str:
    """Return the digest of a weights file, see `DIGEST`."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def replace(
    model: str,
    state: str,
    write_model: Callable[[str], None],
    write_state: Callable[[str, str], None],
    stored: Callable[[str], str],
) -> None:
    """Write both files of a snapshot; what is there stays whole until both are.

    Parameters
    ----------
    model, state : str
        Where the files belong.
    write_model : callable
        ``write_model(path)`` writes the weights.
    write_state : callable
        ``write_state(path, digest)`` writes the state, with the digest of the weights.
    stored : callable
        ``stored(state)`` returns the digest that a state holds, "" for none.

    Raises
    ------
    WeightsError
        If that fails.
    """
    ending = f".new{os.getpid()}-{threading.get_ident()}"
    new_model, new_state = model + ending, state + ending
    try:
        _remove_left(model)
        _remove_left(state)
        write_model(new_model)
        write_state(new_state, digest(new_model))
        with _one_at_a_time:
            _keep(model, state, stored, ending)
            os.replace(new_model, model)
            _flush_folder(model)
            os.replace(new_state, state)
            _flush_folder(state)
            _remove(model + KEPT)
    except WeightsError as e:
        raise WeightsError(str(e).replace(ending, "")) from e.__cause__
    except OSError as e:
        raise WeightsError(f"{model}: the snapshot cannot be written: {e}") from e
    finally:
        for path in (new_model, new_state, model + KEPT + ending):
            _remove(path)


def _keep(model, state, stored, ending):
    """Keep the weights that the present state goes with as {model}.old."""
    kept = model + KEPT
    if not (os.path.isfile(model) and os.path.isfile(state)):
        return
    if os.path.isfile(kept) and _stored(state, stored) in ("", digest(kept)):
        return  # a run ended between the two files: `model` is without a state
    try:
        os.link(model, kept + ending)
    except OSError:  # a file system without hard links
        shutil.copyfile(model, kept + ending)
    os.replace(kept + ending, kept)
    _flush_folder(kept)


def _stored(state, stored):
    """Return the digest in a state; "" also if it cannot be read, as it is about to be replaced."""
    try:
        return stored(state)
    except WeightsError:
        return ""


def _remove_left(path):
    """Remove what runs that were killed have left of a file."""
    for left in glob.glob(glob.escape(path) + "*.new*"):
        process = re.match(r"(\.old)?\.new(\d+)-\d+", left[len(path) :])
        if process and not _is_running(int(process[2])):
            with contextlib.suppress(OSError):
                if time.time() - os.path.getmtime(left) > LEFT:
                    os.remove(left)


def _is_running(process):
    if os.name == "nt":  # there a signal 0 is Ctrl-C
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another user's
        pass
    return True


def _remove(path):
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)


def _flush_folder(path):
    """Let a rename reach the disk before the next one, where the system offers it."""
    try:
        folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


def find_weights(state: str, named: str, wanted: str) -> str:
    """Return where the weights are that a state goes with.

    Parameters
    ----------
    state : str
        Path of the state.
    named : str
        Where it says that they are. They are also searched for in the state's own folder, and
        there under the state's own name.
    wanted : str
        Their digest; "" if the state holds none.

    Raises
    ------
    WeightsError
        If there are none, or only others than those of this state.
    """
    folder, name = os.path.split(state)
    if_moved = os.path.join(folder, os.path.basename(named))
    if_renamed = os.path.join(folder, name.replace(".solverstate", ".caffemodel"))
    places = [p for p in dict.fromkeys((named, if_moved, if_renamed)) if p != state]
    there = [p for place in places for p in (place, place + KEPT) if os.path.isfile(p)]
    if not there:
        shown = named if len(named) < 500 and named.isprintable() else ascii(named)[:500]
        raise WeightsError(
            f"{state}: {shown}: no such weights file, which this state names, nor one beside the "
            "state: put them into one folder"
        )
    if wanted:
        for path in there:
            if digest(path) == wanted:
                return path
        raise WeightsError(
            f"{state}: {there[0]} is not the weights file that this state was written with; a "
            "later run, or another program, has overwritten it: restore another snapshot, or load "
            "the weights alone with net.copy_from"
        )
    if there[0] + KEPT in there:
        raise WeightsError(
            f"{state}: a run ended while it replaced this snapshot, and its weights may be "
            f"{there[0]} or {there[0]}{KEPT}: remove the one that is not meant"
        )
    return there[0]
