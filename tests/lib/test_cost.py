from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lib.cost import multiply_adds, stage_cost

GOLDEN = Path(__file__).parents[3] / "shared/golden/stage_voc_fcn8s/blob_names_shapes.txt"


class ShapeNet:
    """A net of shapes only: the pycaffe names that counting needs, without values."""

    def __init__(self, **inputs):
        self._layer_names, self.layers, self.params, self.blobs = [], [], {}, {}
        self.top_names, self.bottom_names = {}, {}
        for name, shape in inputs.items():
            self.add(name, "Input", [], shape)

    def shape(self, blob):
        return self.blobs[blob].data.shape

    def add(self, name, kind, bottoms, shape, weights=None):
        self._layer_names.append(name)
        self.layers.append(SimpleNamespace(type=kind))
        self.top_names[name], self.bottom_names[name] = [name], bottoms
        self.blobs[name] = SimpleNamespace(data=np.broadcast_to(np.float32(0), shape))
        if weights:
            self.params[name] = [SimpleNamespace(data=np.broadcast_to(np.float32(0), weights))]
        return name

    def conv(self, name, bottom, out, kernel=3, pad=1, group=1):
        n, channels, *size = self.shape(bottom)
        size = [side + 2 * pad - kernel + 1 for side in size]
        return self.add(
            name, "Convolution", [bottom], (n, out, *size), (out, channels // group, kernel, kernel)
        )

    def deconv(self, name, bottom, kernel, stride):
        n, channels, *size = self.shape(bottom)
        size = [stride * (side - 1) + kernel for side in size]
        return self.add(
            name,
            "Deconvolution",
            [bottom],
            (n, channels, *size),
            (channels, channels, kernel, kernel),
        )

    def pool(self, name, bottom):
        n, channels, *size = self.shape(bottom)
        return self.add(name, "Pooling", [bottom], (n, channels, *(-(-s // 2) for s in size)))

    def crop(self, name, bottom, like):
        return self.add(
            name, "Crop", [bottom, like], (*self.shape(bottom)[:2], *self.shape(like)[2:])
        )

    def add_up(self, name, *bottoms):
        return self.add(name, "Eltwise", list(bottoms), self.shape(bottoms[0]))


def fcn8s(height, width, classes):
    net, at, pad = ShapeNet(data=(1, 3, height, width)), "data", 100
    for level, (convs, channels) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 1):
        for i in range(1, convs + 1):
            at, pad = net.conv(f"conv{level}_{i}", at, channels, pad=pad), 1
        at = net.pool(f"pool{level}", at)
        if level in (3, 4):
            net.conv(f"score_pool{level}", at, classes, kernel=1, pad=0)
    net.conv("fc6", "pool5", 4096, kernel=7, pad=0)
    net.conv("fc7", "fc6", 4096, kernel=1, pad=0)
    net.conv("score_fr", "fc7", classes, kernel=1, pad=0)
    net.deconv("upscore2", "score_fr", 4, 2)
    net.crop("score_pool4c", "score_pool4", "upscore2")
    net.add_up("fuse_pool4", "upscore2", "score_pool4c")
    net.deconv("upscore_pool4", "fuse_pool4", 4, 2)
    net.crop("score_pool3c", "score_pool3", "upscore_pool4")
    net.add_up("fuse_pool3", "upscore_pool4", "score_pool3c")
    net.deconv("upscore8", "fuse_pool3", 16, 8)
    net.crop("score", "upscore8", "data")
    return net


@pytest.mark.parametrize(
    "height, width, classes, total, shares",
    [(500, 500, 21, 181, (50.2, 25.2, 24.5)), (1024, 2048, 19, 1098, (46.6, 23.1, 30.4))],
)
def test_published_cost_of_fcn8s(height, width, classes, total, shares):
    net = fcn8s(height, width, classes)
    cost = stage_cost(net)
    assert sum(cost.values()) == sum(multiply_adds(net).values())
    fused = cost.pop("fuse")
    assert 0 < fused < 0.01 * sum(cost.values())
    # the published figures are in whole G, and shares of three stages
    assert sum(cost.values()) / 1e9 == pytest.approx(total, abs=1)
    assert 100 * np.array(list(cost.values())) / sum(cost.values()) == pytest.approx(
        shares, abs=0.1
    )


@pytest.mark.skipif(not GOLDEN.exists(), reason="the recorded shapes are not here")
def test_shapes_are_those_that_caffe_recorded():
    net = fcn8s(500, 500, 21)
    for line in GOLDEN.read_text().splitlines():
        name, shape = line.split()
        if "_split_" not in name:
            assert net.shape(name) == tuple(map(int, shape.split("x"))), name


def test_layers_by_definition():
    net = ShapeNet(data=(2, 4, 5, 7))
    net.conv("grouped", "data", 6, kernel=3, pad=0, group=2)
    net.deconv("up", "data", 4, 2)
    net.add("fc", "InnerProduct", ["data"], (2, 10), (10, 4 * 5 * 7))
    net.add("relu", "ReLU", ["fc"], (2, 10))
    assert multiply_adds(net) == {
        "data": 0,
        "relu": 0,
        "grouped": 2 * (3 * 5) * 6 * (2 * 3 * 3),  # positions, outputs, taps of one group
        "up": 2 * (5 * 7) * 4 * (4 * 4 * 4),  # input positions, inputs, outputs and taps
        "fc": 2 * 10 * 140,
    }


def test_unknown_stage_layer_is_named():
    with pytest.raises(ValueError, match="'conv1_1'"):
        stage_cost(ShapeNet(data=(1, 3, 4, 4)))
