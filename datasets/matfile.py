"""Read arrays from MATLAB files; everything that can be wrong with one becomes a DatasetError."""

from pathlib import Path

import numpy as np
import scipy.io

from datasets.errors import DatasetError


def open_mat(path, key):
    """The array `key` of the MATLAB file `path` (version 5 or 7; nothing in it is executed).

    Raises DatasetError naming the file if it is missing, damaged or has no such array.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; is the dataset unpacked completely?")
    try:
        found = scipy.io.loadmat(path, appendmat=False, variable_names=[key])
    except NotImplementedError as error:
        raise DatasetError(
            f"{path}: is HDF5 (MATLAB's version 7.3), which is not read here; save "
            "it again with -v7"
        ) from error
    except Exception as error:  # on damaged files scipy raises anything from KeyError to zlib.error
        raise DatasetError(
            f"{path}: damaged or not a MATLAB file ({error}); fetch it again"
        ) from error
    if key not in found:
        raise DatasetError(
            f"{path}: holds no {key!r} but {_keys(path)}; is this a file of another dataset?"
        )
    return np.asarray(found[key])


def _keys(path):
    names = [name for name, *_ in scipy.io.whosmat(path, appendmat=False)]
    return ", ".join(map(repr, names)) or "nothing"
