"""The benchmarked nets, with random weights and random input."""

import numpy as np

import caffe
from nets.weights import find_net


def staged_net(name: str, size: tuple[int, int] | None = None) -> caffe.Net:
    """Return a staged net in the TEST phase.

    The weights are noise scaled to keep activations near 1: zeros or infinities could make the
    arithmetic faster or slower than usual.

    Parameters
    ----------
    name : str
        The net is nets/stage-{name}.prototxt.
    size : (int, int), optional
        Height and width of the frames, by default those of the prototxt.

    Returns
    -------
    Net
    """
    net, rng = caffe.Net(find_net(f"stage-{name}"), caffe.TEST), np.random.default_rng(0)
    for blobs in net.params.values():
        weight = blobs[0].data
        scale = np.sqrt(2 / np.prod(weight.shape[1:]), dtype=np.float32)
        rng.standard_normal(weight.shape, np.float32, weight)
        weight *= scale
    data = net.blobs["data"]
    if size:
        data.reshape(1, 3, *size)
    data.data[...] = rng.normal(0, 50, data.shape)
    return net
