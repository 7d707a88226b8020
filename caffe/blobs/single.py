"""Numbers of double precision to single: those beyond its range become infinite, which is said.

Caffe converts them without a word, and NumPy with a warning that names a line of this package.
"""

import logging

import numpy as np
import numpy.typing as npt

from caffe.files import shown

log = logging.getLogger("caffe")
FLOAT32 = np.dtype(np.float32)


def is_wider(dtype: npt.DTypeLike) -> bool:
    """Tell whether a type holds numbers that are infinite in single precision."""
    dtype = np.dtype(dtype)
    return dtype.kind == "f" and dtype.itemsize > FLOAT32.itemsize


def put(target: np.ndarray, values: np.ndarray, what: str) -> None:
    """Write values to a float32 array as NumPy does; log a warning of those that become infinite.

    Parameters
    ----------
    target : ndarray of float32
    values : ndarray
        It broadcasts to the target.
    what : str
        What the warning begins with.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        target[...] = values
    if is_wider(values.dtype):
        warn_of_infinite(target, what)


def warn_of_infinite(array: np.ndarray, what: str) -> None:
    """Log a warning, beginning with `what`, if an array made of wider numbers has infinite ones."""
    count = int(np.count_nonzero(np.isinf(array)))
    if count:
        log.warning(
            "%s: %d of %d numbers are infinite in single precision, which ends at 3.4e38",
            shown(what),
            count,
            array.size,
        )
