"""Which layers of a weights file are those of the net: weights are found by layer name alone."""

import logging
from collections.abc import Collection, Iterable

from caffe.blobs.holders import NetWithWeights
from caffe.errors import WeightsError
from caffe.files import shown

MOST_NAMES = 20  # in one message
log = logging.getLogger("caffe")


def check_names(
    net: NetWithWeights, path: str, stored: Iterable[str], found: Collection[str]
) -> None:
    """Refuse a file that fills no layer of the net; log what one leaves out.

    Layers of the net that keep their values are a warning. Layers that only the file has are named
    with them, or, if the net is complete, logged as information.

    Parameters
    ----------
    net : Net
    path : str
        The file, to begin messages with.
    stored : iterable of str
        Names of the layers that have weights in the file.
    found : collection of str
        Names of the net's layers that are filled from it.

    Raises
    ------
    WeightsError
        If the net has weights, and none is filled.
    """
    stored = list(dict.fromkeys(stored))
    ignored = [name for name in stored if name not in found]
    filled = {id(blob) for name in found for blob in net.params[name]}  # others may share them
    kept = [name for name, own in net.params.items() if any(id(b) not in filled for b in own)]
    if net.params and not found:
        raise WeightsError(
            f"{path}: nothing in it fits the net, as weights are found by layer name: it has "
            f"weights for {_listed(stored)}, the net's layers with weights are {_listed(kept)}: "
            "take the definition that belongs to the weights, or rename the layers of one"
        )
    if kept:
        log.warning(
            "%s has no weights for %s, which keep their values (in a new net those of their "
            "fillers); of the file, %s was ignored",
            shown(path),
            _listed(kept),
            _listed(ignored),
        )
    elif ignored:
        log.info("%s: ignored %s, which the net does not have", shown(path), _listed(ignored))


def _listed(names):
    """Return names in one line, the first ones of many."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return " ".join(map(repr, names[:MOST_NAMES])) + more if names else "nothing"
