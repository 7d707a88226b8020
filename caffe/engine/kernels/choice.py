"""Which kernels the engine may use on the CPU, and whether ncnn is there.

ncnn (https://github.com/Tencent/ncnn, BSD-3) convolves 3 x 3 windows by Winograd's method, several
times faster than a direct sum, with a rounding error of about 5e-6 of the largest value. It is a
wheel for the common platforms; where it is missing, PyTorch serves.
"""

import functools
from typing import Any

from caffe.errors import DeviceError

NAMES = ("auto", "torch", "ncnn")
_kernels = {"name": "torch"}


def set_kernels(name: str) -> None:
    """Choose how layers run on the CPU. Not part of pycaffe.

    The choice is one for the process and takes effect with the next forward. It changes the order
    in which sums are taken, so results agree to about 1e-5 of a blob's largest value.

    Parameters
    ----------
    name : {"torch", "auto", "ncnn"}
        "torch", the default: each layer by itself, by PyTorch. "auto": layers of a range that runs
        forward only are planned together, by fixed rules for the kernel of each; ranges that are
        too small to pay run as by "torch". It pays for wide nets such as FCN-8s, and not yet for
        the light ones. "ncnn": as "auto", however small the range.

    Raises
    ------
    DeviceError
        If the name is another one, or ncnn is asked for and is not installed.
    """
    if name not in NAMES:
        raise DeviceError(f"kernels {name!r} are not known: use {', '.join(NAMES)}")
    if name == "ncnn" and ncnn() is None:
        raise DeviceError(
            "kernels 'ncnn' need the package ncnn: pip install ncnn, or "
            "caffe.set_kernels('auto'), which uses PyTorch without it"
        )
    _kernels["name"] = name


def kernels() -> str:
    """Return the name that `set_kernels` chose."""
    return _kernels["name"]


@functools.cache
def ncnn() -> Any:
    """Return the module ncnn, None if it is not installed or does not load."""
    try:
        import ncnn as module
    except (ImportError, OSError):
        return None
    return module
