"""A net in NumPy with layers and blobs of its own names, whose values can be worked out by hand."""

from types import SimpleNamespace

import numpy as np


class Blob:
    def __init__(self, *shape):
        self.data = np.zeros(shape, np.float32)

    def reshape(self, *shape):
        if self.data.shape != shape:
            self.data = np.zeros(shape, np.float32)


class OwnNet:
    """image -> a (+1) -> b (in place, * 2) -> c (+ 10) -> out = b + c, layer by layer.

    `ran` lists the layers that ran. `out` has 3 channels.
    """

    layer_list = [
        ("input", [], ["image"]),
        ("first", ["image"], ["a"]),
        ("double", ["a"], ["a"]),
        ("second", ["a"], ["c"]),
        ("join", ["c", "a"], ["out"]),
    ]

    def __init__(self, size=(3, 4)):
        self.blobs = {name: Blob(1, 3, *size) for name in ("image", "a", "c", "out")}
        self._layer_names = [name for name, *_ in self.layer_list]
        self.bottom_names = {name: list(bottoms) for name, bottoms, _ in self.layer_list}
        self.top_names = {name: list(tops) for name, _, tops in self.layer_list}
        self.inputs, self.outputs = ["image"], ["out"]
        self.layers = [SimpleNamespace(type="Power") for _ in self.layer_list]
        self.params = {"first": [], "second": []}
        self.blob_loss_weights = dict.fromkeys(self.blobs, 0)
        self.ran = []

    def forward(self, start=None, end=None):
        names = self._layer_names
        first = names.index(start) if start else 0
        last = names.index(end) if end else len(names) - 1
        for name in names[first : last + 1]:
            self.ran.append(name)
            values = {key: blob.data.copy() for key, blob in self.blobs.items()}
            result = {
                "input": ("image", values["image"]),
                "first": ("a", values["image"] + 1),
                "double": ("a", values["a"] * 2),
                "second": ("c", values["a"] + 10),
                "join": ("out", self.joined(values)),
            }[name]
            self.blobs[result[0]].reshape(*result[1].shape)
            self.blobs[result[0]].data[...] = result[1]

    @staticmethod
    def joined(values):
        if values["a"].shape != values["c"].shape:
            return values["a"]
        return values["a"] + values["c"]
