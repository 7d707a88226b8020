"""What the fuzzers call with their bytes: each reads a file as a user would, and anything but a
CaffeError, or a net that loads, is a finding."""

import os
import tempfile

import caffe
from caffe.definition.prototxt import read_net, read_solver
from caffe.errors import CaffeError

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


def hdf5(content):
    """Loads weights from HDF5: the signature is put in front, so that each input gets there."""
    weights(b"\x89HDF\r\n\x1a\n" + content[8:])


TARGETS = {"prototxt": prototxt, "caffemodel": weights, "hdf5": hdf5}
