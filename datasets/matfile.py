"""Read arrays from MATLAB files; any kind of bad file raises DatasetError."""

import os
from pathlib import Path

import numpy as np
import scipy.io

from datasets.errors import DatasetError


def open_mat(path: os.PathLike[str] | str, key: str) -> np.ndarray:
    """Read one array of a MATLAB file.

    Parameters
    ----------
    path : path-like
        The file, of MATLAB version 5 or 7. Nothing in it is executed.
    key : str
        Name of the array.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    DatasetError
        If the file is missing, damaged, of version 7.3, or has no such array.
    """
    path = Path(path)
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; is the dataset unpacked completely?")
    try:
        contents = scipy.io.loadmat(path, appendmat=False, variable_names=[key])
    except NotImplementedError as error:
        raise DatasetError(
            f"{path}: is HDF5 (MATLAB version 7.3), which is not supported; save it again with -v7"
        ) from error
    except Exception as error:  # scipy raises anything from KeyError to zlib.error if damaged
        raise DatasetError(
            f"{path}: damaged or not a MATLAB file ({error}); download it again"
        ) from error
    if key not in contents:
        raise DatasetError(
            f"{path}: holds no {key!r} but {_keys(path)}; is this a file of another dataset?"
        )
    return np.asarray(contents[key])


def _keys(path):
    """Return the names of the arrays in a MATLAB file, for a message."""
    names = [name for name, *_ in scipy.io.whosmat(path, appendmat=False)]
    return ", ".join(map(repr, names)) or "nothing"
