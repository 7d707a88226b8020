"""A staged FCN-8s as plain torch calls, without blobs and stages."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

import caffe

BLOCKS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}  # convolutions in VGG-16's blocks


def fcn8s(
    net: caffe.Net, move: Callable[[torch.Tensor], torch.Tensor] = lambda weight: weight
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function that computes the scores of `net` in plain torch calls.

    Parameters
    ----------
    net : Net
        A staged FCN-8s of any width. Weights, padding and dilation are copied from it.
    move : function
        Brings each weight to the device, precision and memory order of the computation.

    Returns
    -------
    callable
        N x 3 x H x W tensor -> N x classes x H x W scores.
    """
    weights = {
        name: [move(torch.from_numpy(b.data.copy())) for b in blobs]
        for name, blobs in net.params.items()
    }
    by_index = net._executor.geometry
    layers = enumerate(net._graph.layers)
    geometry = {layer.name: by_index[i][1] for i, layer in layers if i in by_index}

    def conv(name, x):
        g = geometry[name]
        return F.conv2d(x, *weights[name], stride=g.stride, padding=g.pad, dilation=g.dilation)

    def up(name, x):
        (weight,) = weights[name]
        return F.conv_transpose2d(x, weight, stride=geometry[name].stride, groups=x.shape[1])

    def crop(name, x, like):
        (*_, y, z), (h, w) = geometry[name].extra["offsets"], like.shape[2:]
        return x[:, :, y : y + h, z : z + w]

    def forward(data):
        with torch.no_grad():
            x, pools = data, {}
            for block, convs in BLOCKS.items():
                for i in range(1, convs + 1):
                    x = torch.relu(conv(f"conv{block}_{i}", x))
                x = pools[block] = F.max_pool2d(x, 2, 2, ceil_mode=True)
            x = torch.relu(conv("fc7", torch.relu(conv("fc6", x))))
            x = up("upscore2", conv("score_fr", x))
            x = x + crop("score_pool4c", conv("score_pool4", pools[4]), x)
            x = up("upscore_pool4", x)
            x = x + crop("score_pool3c", conv("score_pool3", pools[3]), x)
            return crop("score", up("upscore8", x), data)

    return forward
