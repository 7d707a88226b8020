"""The nets that are timed, with weights that do not matter and an input of noise."""

from pathlib import Path

import numpy as np

import caffe

NETS = Path(__file__).resolve().parents[1] / "nets"


def staged_net(name, size=None):
    """The Net of nets/stage-NAME.prototxt in the TEST phase, for frames of `size` (H, W).

    Without `size` at that of the prototxt. Weights are noise of a spread that keeps activations
    near 1, so that no zeros or infinities make arithmetic faster or slower than usual.
    """
    net, rng = caffe.Net(NETS / f"stage-{name}.prototxt", caffe.TEST), np.random.default_rng(0)
    for blobs in net.params.values():
        weight = blobs[0].data
        spread = np.sqrt(2 / np.prod(weight.shape[1:]), dtype=np.float32)
        rng.standard_normal(weight.shape, np.float32, weight)
        weight *= spread
    data = net.blobs["data"]
    if size:
        data.reshape(1, 3, *size)
    data.data[...] = rng.normal(0, 50, data.shape)
    return net
