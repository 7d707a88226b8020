"""The card of a small net."""

import json

import numpy as np
import pytest


@pytest.fixture(scope="session")
def card(tmp_path_factory):
    """The card of an FCN-8s of 4 classes with a few channels and random weights."""
    caffe = pytest.importorskip("caffe")
    from nets.fcn8s import fcn8s

    folder = tmp_path_factory.mktemp("net")
    (folder / "small.prototxt").write_text(str(fcn8s(4, width=1 / 16, fc_width=32, size=(48, 64))))
    net, rng = caffe.Net(str(folder / "small.prototxt"), caffe.TEST), np.random.default_rng(0)
    for blobs in net.params.values():
        for blob in blobs:
            scale = np.sqrt(2 / max(1, blob.data[0].size))
            blob.data[...] = rng.normal(0, scale, blob.data.shape)
    net.save(str(folder / "small.caffemodel"))
    colours = {"a": [255, 0, 0], "b": [0, 255, 0], "c": [0, 0, 255], "d": [255, 255, 0]}
    entries = {"net": "small.prototxt", "weights": "small.caffemodel", "size": [48, 64]}
    entries |= {"mean": [100, 110, 120], "classes": colours}
    (folder / "small.json").write_text(json.dumps(entries))
    return folder / "small.json"
