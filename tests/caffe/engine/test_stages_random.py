"""Random small graphs run in random stages, against a reference implementation.

The reference computes each layer in NumPy and records for each blob whether it was computed and
from which input sizes. The graphs have in-place layers and blobs that feed several layers; inputs
change size, and blobs are filled by hand.
"""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import caffe
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2

SIZES = (2, 3)


class Refused(Exception):
    """The reference refuses to run a stage."""


class Reference:
    """The same net with no state but its blobs.

    `values` holds the values by blob name, None if not computed. `origin` holds the shapes of the
    inputs that a blob was computed from, {input: shape} by blob name.
    """

    def __init__(self, layers, inputs):
        self.layers, self.values, self.origin = layers, {}, {}
        for name in inputs:
            self.values[name] = np.zeros((1, 1, 2, 2), np.float32)
        self.inputs = list(inputs)
        self.shapes = {name: self.values[name].shape for name in inputs}
        self.reshape()

    def compute(self, kind, setting, bottoms):
        if kind == "Power":
            return [np.float32(setting) * bottoms[0] + np.float32(1)]
        if kind == "ReLU":
            return [np.maximum(bottoms[0], 0)]
        if kind == "Split":
            return [bottoms[0], bottoms[0]]
        if kind == "Concat":
            if len({b.shape[2:] for b in bottoms}) > 1:
                raise Refused
            return [np.concatenate(bottoms, 1)]
        if len({b.shape for b in bottoms}) > 1:
            raise Refused
        return [bottoms[0] + bottoms[1]]

    def run(self, first, last):
        for _, kind, setting, bottoms, tops in self.layers[first : last + 1]:
            origin = {}
            for name in bottoms:
                if name in self.inputs:
                    origin[name] = self.shapes[name]
                    continue
                if self.values[name] is None:
                    raise Refused
                if any(self.shapes[source] != size for source, size in self.origin[name].items()):
                    raise Refused
                origin |= self.origin[name]
            if kind == "Input":
                continue
            results = self.compute(kind, setting, [self.values[name] for name in bottoms])
            for name, values in zip(tops, results):
                self.values[name], self.origin[name] = values.copy(), origin
                self.shapes[name] = values.shape

    def reshape(self):
        """Propagate shapes through all layers; clear the blobs whose shape changes."""
        for _, kind, setting, bottoms, tops in self.layers:
            if kind == "Input":
                continue
            results = self.compute(kind, setting, [np.zeros(self.shapes[b]) for b in bottoms])
            for name, values in zip(tops, results):
                if self.shapes.get(name) != values.shape:
                    self.shapes[name], self.values[name] = values.shape, None

    def put(self, name, values):
        origin = self.origin.get(name, {})
        stale = any(self.shapes[source] != size for source, size in origin.items())
        if self.values[name] is None or stale:
            self.origin[name] = {}
        self.values[name] = values


@st.composite
def graphs(draw):
    """Draw [(layer name, type, setting, bottoms, tops)] and the names of the inputs."""
    inputs = [f"in{i}" for i in range(draw(st.integers(1, 2)))]
    layers = [(name, "Input", None, [], [name]) for name in inputs]
    blobs, read, names = list(inputs), set(), (f"b{i}" for i in itertools.count())
    for i in range(draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(["Power", "ReLU", "Split", "Concat", "Eltwise", "Power"]))
        wanted = 2 if kind in ("Concat", "Eltwise") else 1
        bottoms = [draw(st.sampled_from(blobs)) for _ in range(wanted)]
        setting = draw(st.sampled_from([-1, 2, 3])) if kind == "Power" else None
        if (
            kind in ("Power", "ReLU")
            and bottoms[0] not in read.union(inputs)
            and draw(st.booleans())
        ):
            tops = bottoms
        else:
            tops = [next(names) for _ in range(2 if kind == "Split" else 1)]
            read.update(bottoms)
        layers.append((f"l{i}", kind, setting, bottoms, tops))
        blobs += [t for t in tops if t not in blobs]
    return layers, inputs


def build(layers):
    param = caffe_pb2.NetParameter()
    for name, kind, setting, bottoms, tops in layers:
        layer = param.layer.add(name=name, type=kind, bottom=bottoms, top=tops)
        if kind == "Power":
            layer.power_param.scale, layer.power_param.shift = setting, 1
        if kind == "Input":
            layer.input_param.shape.add(dim=[1, 1, 2, 2])
    return caffe.Net.from_param(param, caffe.TEST)


def both(call, expected):
    """Do the same with net and reference; both must refuse, or neither."""
    try:
        expected()
    except Refused:
        refused = True
    else:
        refused = False
    try:
        call()
    except CaffeError as error:
        assert refused, error
    else:
        assert not refused, "ran, but the reference refuses"


def run_some(net, reference, chance):
    layers = reference.layers
    first, last = sorted(chance.choices(range(len(layers)), k=2))
    both(
        lambda: net.forward(start=layers[first][0], end=layers[last][0]),
        lambda: reference.run(first, last),
    )


def fill_by_hand(net, reference, chance):
    name = chance.choice([n for n in net.blobs if n not in reference.inputs])
    values = np.full(net.blobs[name].shape, chance.randint(0, 9), np.float32)
    net.blobs[name].data[...] = values
    reference.put(name, values)


def fill_an_input(net, reference, chance):
    name = chance.choice(reference.inputs)
    values = np.array(chance.choices(range(-9, 9), k=net.blobs[name].count), np.float32)
    net.blobs[name].data[...] = reference.values[name] = values.reshape(net.blobs[name].shape)


def resize(net, reference, chance):
    name, side = chance.choice(reference.inputs), chance.choice(SIZES)
    net.blobs[name].reshape(1, 1, side, side)
    reference.shapes[name] = (1, 1, side, side)
    fill_an_input(net, reference, chance)
    reference.values = {
        name: v if name not in reference.inputs else net.blobs[name].data.copy()
        for name, v in reference.values.items()
    }
    if chance.random() < 0.5:
        both(net.reshape, reference.reshape)


STEPS = [run_some] * 3 + [fill_by_hand, fill_an_input, resize, resize]


@settings(max_examples=150)
@given(graphs(), st.randoms(use_true_random=False))
def test_stages_are_refused_or_right(graph, chance):
    layers, inputs = graph
    try:
        reference = Reference(layers, inputs)
    except Refused:  # an Eltwise of unequal channels
        return
    net = build(layers)
    for _ in range(25):
        chance.choice(STEPS)(net, reference, chance)
        for name, values in reference.values.items():
            if values is not None and name not in inputs:
                assert net.blobs[name].shape == values.shape
                np.testing.assert_array_equal(net.blobs[name].data, values, err_msg=name)
