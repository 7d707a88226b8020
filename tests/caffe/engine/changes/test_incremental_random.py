"""Random nets, changed at random and run in random ranges, against whole forwards.

The weights and inputs are small whole numbers, so every sum is exact in whatever order it is taken,
and incremental and whole forwards must agree to the last bit.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import caffe
from caffe.engine.changes import incremental
from caffe.errors import StaleInput
from caffe.proto import caffe_pb2

CONVOLVED = 4  # convolutions in a row, so that values stay below 2^24


class Builder:
    """Builds a random net layer by layer; knows the shape of each blob and how deep it lies."""

    def __init__(self, rng):
        self.rng, self.param = rng, caffe_pb2.NetParameter()
        self.shapes, self.depth, self.read = {}, {}, set()
        for i in range(rng.integers(1, 3)):
            shape = (1, 2, *rng.integers(6, 22, 2).tolist())
            layer = self.param.layer.add(name=f"in{i}", type="Input", top=[f"in{i}"])
            layer.input_param.shape.add(dim=shape)
            self.shapes[f"in{i}"], self.depth[f"in{i}"] = shape, 0
        for number in range(rng.integers(2, 10)):
            getattr(self, rng.choice(KINDS))(f"l{number}")

    def pick(self, suits=lambda name: True):
        names = [n for n in self.shapes if suits(n)]
        return self.rng.choice(names) if names else None

    def add(self, kind, name, bottoms, shape, deeper=0, top=None):
        layer = self.param.layer.add(name=name, type=kind, bottom=bottoms, top=[top or name])
        self.shapes[top or name] = tuple(shape)
        self.depth[top or name] = deeper + max(self.depth[b] for b in bottoms)
        self.read.update(b for b in bottoms if b != top)
        return layer

    def image(self, name):
        return len(self.shapes[name]) == 4

    def conv(self, name):
        below = self.pick(lambda n: self.image(n) and self.depth[n] < CONVOLVED)
        if below is None:
            return
        kernel, stride, pad, dilation = (
            int(self.rng.integers(a, b)) for a, b in ((1, 4), (1, 3), (0, 3), (1, 3))
        )
        size = [
            (d + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for d in self.shapes[below][2:]
        ]
        if min(size) < 1:
            return
        layer = self.add("Convolution", name, [below], (1, 2, *size), 1)
        p = layer.convolution_param
        p.num_output, p.group = 2, int(self.rng.integers(1, 3))
        p.kernel_size.append(kernel), p.stride.append(stride)
        p.pad.append(pad), p.dilation.append(dilation)

    def deconv(self, name):
        below = self.pick(lambda n: self.image(n) and self.depth[n] < CONVOLVED)
        kernel, stride = (int(self.rng.integers(*r)) for r in ((1, 5), (1, 4)))
        if below is None or max(self.shapes[below][2:]) > 30:
            return
        size = [stride * (d - 1) + kernel for d in self.shapes[below][2:]]
        p = self.add("Deconvolution", name, [below], (1, 2, *size), 1).convolution_param
        p.num_output = 2
        p.kernel_size.append(kernel), p.stride.append(stride)

    def pool(self, name):
        below = self.pick(self.image)
        if min(self.shapes[below][2:]) < 4:
            return
        p = self.param.layer.add(
            name=name, type="Pooling", bottom=[below], top=[name]
        ).pooling_param
        p.kernel_size, p.stride = (int(self.rng.integers(*r)) for r in ((1, 4), (1, 4)))
        p.stride = min(p.stride, p.kernel_size)  # beyond the image a maximum is -FLT_MAX
        p.pad = int(self.rng.integers(0, p.kernel_size))
        made = caffe.layer_types.make(self.param.layer[-1], caffe.TEST)
        self.shapes[name] = made.geometry([self.shapes[below]]).tops[0]
        self.depth[name] = self.depth[below]
        self.read.add(below)

    def in_place(self, name):
        below = self.pick(lambda n: n not in self.read and not n.startswith("in"))
        if below is not None:
            kind = self.rng.choice(["ReLU", "Power"])
            layer = self.add(kind, name, [below], self.shapes[below], top=below)
            if kind == "Power":
                layer.power_param.scale = -1

    def relu(self, name):
        below = self.pick()
        self.add("ReLU", name, [below], self.shapes[below])

    def total(self, name):
        below = self.pick()
        others = [n for n in self.shapes if self.shapes[n] == self.shapes[below]]
        self.add("Eltwise", name, [below, self.rng.choice(others)], self.shapes[below])

    def concat(self, name):
        below = self.pick(self.image)
        others = [
            n for n in self.shapes if self.shapes[n][2:] == self.shapes[below][2:] and self.image(n)
        ]
        other = self.rng.choice(others)
        channels = self.shapes[below][1] + self.shapes[other][1]
        if channels == 4:
            self.add("Concat", name, [below, other], (1, channels, *self.shapes[below][2:]))

    def crop(self, name):
        below = self.pick(self.image)
        inside = [
            n
            for n in self.shapes
            if self.image(n) and all(a <= b for a, b in zip(self.shapes[n], self.shapes[below]))
        ]
        like = self.rng.choice(inside)
        shape = (1, self.shapes[below][1], *self.shapes[like][2:])
        layer = self.add("Crop", name, [below, like], shape)
        for a, b in zip(self.shapes[like][2:], self.shapes[below][2:]):
            layer.crop_param.offset.append(int(self.rng.integers(0, b - a + 1)))

    def dense(self, name):
        below = self.pick(lambda n: self.depth[n] == 0)
        self.add("InnerProduct", name, [below], (1, 3), 9).inner_product_param.num_output = 3


KINDS = "conv conv conv deconv pool pool in_place in_place relu total concat crop dense".split()


def fill(net, rng):
    for name, blobs in net.params.items():
        low, high = (-1, 2)
        for blob in blobs:
            blob.data[...] = rng.integers(low, high, blob.shape)
        assert name


def change(net, rng):
    """Change random rectangles of the inputs; sometimes all, sometimes nothing."""
    for name in net.inputs:
        values = net.blobs[name].data
        for _ in range(rng.integers(0, 3)):
            spans = [sorted(rng.integers(0, d + 1, 2)) for d in values.shape[2:]]
            if rng.random() < 0.1:
                spans = [(0, d) for d in values.shape[2:]]
            part = values[(..., *(slice(*s) for s in spans))]
            part[...] = rng.integers(-3, 4, part.shape)


def compare(net, whole):
    for name, blob in net.blobs.items():
        np.testing.assert_array_equal(blob.data, whole.blobs[name].data, err_msg=name)


def both(net, whole, **span):
    """Run a range of both nets; both raise StaleInput or neither does."""
    try:
        whole.forward(**span)
    except StaleInput:
        try:
            net.forward_incremental(**span)
        except StaleInput:
            return False
        raise
    net.forward_incremental(**span)
    return True


@pytest.fixture(autouse=True)
def price_of_a_window(monkeypatch):
    """Put back what a test sets."""
    monkeypatch.setattr(incremental, "STARTING", incremental.STARTING)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32 - 1), st.data())
def test_random_nets_and_ranges(seed, data):
    incremental.STARTING = int(seed % 2) * 5_000_000  # 0: as many windows as there are changes
    rng = np.random.default_rng(seed)
    param = Builder(rng).param
    net, whole = (caffe.Net.from_param(param, caffe.TEST) for _ in range(2))
    fill(net, rng)
    whole.load_state_dict(net.state_dict())
    names = list(net._layer_names)
    for step in range(data.draw(st.integers(2, 8))):
        change(net, rng)
        what = rng.random()
        if what < 0.1 and net.params:  # training, or surgery
            layer = rng.choice(list(net.params))
            values = rng.integers(-1, 2, net.params[layer][0].shape)
            for n in (net, whole):
                n.params[layer][0].data[...] = values
        elif what < 0.2:  # a blob filled by hand
            name = rng.choice([n for n in net.blobs if n not in net.inputs] or net.inputs)
            values = rng.integers(-2, 3, net.blobs[name].shape)
            for n in (net, whole):
                n.blobs[name].data[...] = values
        for name in net.inputs:
            whole.blobs[name].data[...] = net.blobs[name].data
        if step and rng.random() < 0.6:
            first, last = sorted(rng.integers(0, len(names), 2))
            if both(net, whole, start=names[first], end=names[last]):
                compare(net, whole)
        elif rng.random() < 0.15:  # a forward of the other kind in between
            net.forward()
            whole.forward()
        else:
            assert both(net, whole)
            compare(net, whole)
