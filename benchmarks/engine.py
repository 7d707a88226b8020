"""The engine's overhead over plain torch calls, and the speed-up by bfloat16."""

from functools import partial

import numpy as np
import torch

import caffe
from benchmarks.plain_torch import fcn8s
from benchmarks.timing import medians


def overhead(net: caffe.Net, repeats: int) -> float:
    """Time a full pass relative to the same net in plain torch calls.

    Parameters
    ----------
    net : Net
        A staged FCN-8s with data in its input blob.
    repeats : int
        Measurements of each call.

    Returns
    -------
    float
        Ratio of the medians. It can be below 1: the engine chooses the memory order of convolutions
        (caffe.layer_types.conv.quick_order), which can save more than blobs and stages cost. The
        plain calls keep the image in C order.

    Raises
    ------
    ValueError
        If the scores of the two differ, since the ratio would be meaningless.
    """
    plain, data = fcn8s(net), torch.from_numpy(net.blobs["data"].data.copy())
    mine, theirs = net.forward()["score"], plain(data).numpy()
    if not np.allclose(mine, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max()):
        raise ValueError("the plain torch net gives other scores: it is not the same net")
    seconds = medians({"engine": net.forward, "plain": lambda: plain(data)}, repeats)
    return seconds["engine"] / seconds["plain"]


def bfloat16(net: caffe.Net, repeats: int) -> float:
    """Time a full pass in bfloat16 relative to float32; the precision is float32 afterwards.

    Parameters
    ----------
    net : Net
        Any net.
    repeats : int
        Measurements of each call.

    Returns
    -------
    float
        Ratio of the medians.
    """

    def run(precision):
        caffe.set_precision(precision)
        net.forward()

    try:
        seconds = medians({name: partial(run, name) for name in ("float32", "bfloat16")}, repeats)
    finally:
        caffe.set_precision("float32")
    return seconds["bfloat16"] / seconds["float32"]
