"""What the fuzzers call with their bytes: each reads a file as a user would, and anything but a
CaffeError, or a net that loads, is a finding."""

import os
import tempfile

import h5py
import numpy as np

import caffe
from caffe.definition.prototxt import read_net, read_solver
from caffe.errors import CaffeError
from caffe.layer_types.data import images
from caffe.layer_types.data.hdf5_rows import Rows
from caffe.weights import state_dict

CaffeErrors = (CaffeError,)
NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "a/s" type: "Scale" bottom: "fc" top: "s" scale_param { bias_term: true } }
"""
FOLDER = tempfile.mkdtemp(
    prefix="clockwork-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
)


def path_of(content, name):
    """A file that holds the bytes, in memory where the system has such a folder."""
    path = os.path.join(FOLDER, name)
    with open(path, "wb") as f:
        f.write(content)
    return path


def prototxt(content):
    """Reads a net, and a solver, from text."""
    path = path_of(content, "fuzz.prototxt")
    for read in (read_net, read_solver):
        try:
            read(path)
        except CaffeErrors as error:
            assert "fuzz.prototxt" in str(error), error


SECRET = np.float32(-98765.5)  # the values of a file beside those that are read
_secret = path_of(b"", "secret.h5")
with h5py.File(_secret, "w") as _f:
    for _name, _shape in {"data/fc/0": (2, 3), "data/fc/1": (2,), "data/a/s/0": (2,)}.items():
        _f[_name] = np.full(_shape, SECRET)
    _f["data/a/s/1"] = _f["data/a/s/0"]


_net = []


def net():
    """The net that the weights targets load into, made once."""
    if not _net:
        _net.append(caffe.Net(path_of(NET.encode(), "net.prototxt"), caffe.TEST))
    return _net[0]


def weights(content):
    """Loads weights, .caffemodel or .caffemodel.h5 as the bytes say."""
    path, shapes = (
        path_of(content, "fuzz.caffemodel"),
        [b.shape for bs in net().params.values() for b in bs],
    )
    try:
        net().copy_from(path)
    except CaffeErrors as error:
        assert "fuzz.caffemodel" in str(error), error
    assert shapes == [b.shape for bs in net().params.values() for b in bs]
    assert not any((b.data == SECRET).any() for bs in net().params.values() for b in bs)


def hdf5(content):
    """Loads weights from HDF5: the signature is put in front, so that each input gets there."""
    weights(b"\x89HDF\r\n\x1a\n" + content[8:])


def rows(content):
    """Reads rows as HDF5Data does, in order and shuffled."""
    path = path_of(b"\x89HDF\r\n\x1a\n" + content[8:], "rows.h5")
    source = path_of(f"{path}\n{path}\n".encode(), "rows.txt")
    for random in (None, np.random.default_rng(0)):
        try:
            drawn = Rows(source, ["data/fc/1", "data/a/s/0"], random).draw(3)
        except CaffeErrors as error:
            assert "rows.h5" in str(error), error
            continue
        assert all(len(array) == 3 and not (array == SECRET).any() for array in drawn)


def pth(content):
    """Reads a file of torch.save."""
    try:
        state_dict.read(path_of(content, "fuzz.pth"))
    except CaffeErrors as error:
        assert "fuzz.pth" in str(error), error


def encoded(content):
    """Decodes an image."""
    try:
        image = images.decode(
            path_of(content, "fuzz.image"), "here", (True, False, None)[len(content) % 3]
        )
    except CaffeErrors as error:
        assert "here" in str(error) or "fuzz.image" in str(error), error
        return
    assert image.ndim == 3 and image.dtype == np.uint8


TARGETS = {
    "prototxt": prototxt,
    "caffemodel": weights,
    "hdf5": hdf5,
    "rows": rows,
    "pth": pth,
    "encoded": encoded,
}
