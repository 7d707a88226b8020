"""What the engine adds to the arithmetic, and what bfloat16 saves of it."""

import numpy as np
import torch

import caffe
from benchmarks.plain_torch import fcn8s
from benchmarks.timing import medians


def overhead(net, repeats):
    """Time of a full pass over the time of the same net in plain torch calls.

    Below 1 where the engine's choice of memory order (caffe.layer_types.conv.quick_order) saves
    more than blobs and stages cost; the plain calls leave the image in C order.
    Raises ValueError where the two do not give the same scores, as the ratio would mean nothing.
    """
    plain, data = fcn8s(net), torch.from_numpy(net.blobs["data"].data.copy())
    mine, theirs = net.forward()["score"], plain(data).numpy()
    if not np.allclose(mine, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max()):
        raise ValueError("the plain torch net gives other scores: it is not the same net")
    taken = medians({"engine": net.forward, "plain": lambda: plain(data)}, repeats)
    return taken["engine"] / taken["plain"]


def bfloat16(net, repeats):
    """Time of a full pass in bfloat16 over that in float32. Leaves the precision at float32."""

    def run(precision):
        caffe.set_precision(precision)
        net.forward()

    try:
        taken = medians(
            {name: lambda name=name: run(name) for name in ("float32", "bfloat16")}, repeats
        )
    finally:
        caffe.set_precision("float32")
    return taken["bfloat16"] / taken["float32"]
