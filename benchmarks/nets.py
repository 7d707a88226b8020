"""The benchmarked nets, with random weights and random input."""

import numpy as np

import caffe
from nets.weights import find_net


def staged_net(name: str, size: tuple[int, int] | None = None) -> caffe.Net:
    """Return a staged net in the TEST phase, with random weights and input.

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
    net = caffe.Net(find_net(f"stage-{name}"), caffe.TEST)
    fill_with_noise(net)
    data = net.blobs["data"]
    if size:
        data.reshape(1, 3, *size)
    data.data[...] = np.random.default_rng(1).normal(0, 50, data.shape)
    return net


def fill_with_noise(net: caffe.Net) -> None:
    """Fill weights with noise that keeps activations on the scale of the input, biases with less.

    Zeros or infinities could make the arithmetic faster or slower than usual. Without biases all
    that the padding reaches would be zero.
    """
    rng = np.random.default_rng(0)
    for blobs in net.params.values():
        weight = blobs[0].data
        scale = np.sqrt(2 / np.prod(weight.shape[1:]), dtype=np.float32)
        rng.standard_normal(weight.shape, np.float32, weight)
        weight *= scale
        for bias in blobs[1:]:
            bias.data[...] = rng.normal(0, 5, bias.data.shape)
