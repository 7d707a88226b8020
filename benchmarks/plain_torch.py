"""A staged FCN-8s written down as plain torch calls: what it costs without blobs and stages."""

import torch
import torch.nn.functional as F

BLOCKS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}  # convolutions in VGG-16's blocks


def fcn8s(net):
    """A function x (N x 3 x H x W tensor) -> scores, with the weights of the Net `net`.

    Padding and dilation are read off the net's own geometry, so that any width and padding will do.
    """
    weights = {
        name: [torch.from_numpy(b.data.copy()) for b in blobs] for name, blobs in net.params.items()
    }
    known = net._executor.geometry
    geometry = {layer.name: known[i][1] for i, layer in enumerate(net._graph.layers) if i in known}

    def conv(name, x):
        g = geometry[name]
        return F.conv2d(x, *weights[name], stride=g.stride, padding=g.pad, dilation=g.dilation)

    def up(name, x):
        (weight,) = weights[name]
        return F.conv_transpose2d(x, weight, stride=geometry[name].stride, groups=x.shape[1])

    def cut(name, x, like):
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
            x = x + cut("score_pool4c", conv("score_pool4", pools[4]), x)
            x = up("upscore_pool4", x)
            x = x + cut("score_pool3c", conv("score_pool3", pools[3]), x)
            return cut("score", up("upscore8", x), data)

    return forward
