"""A file of another kind in place of weights, a state or a mean: the error says what to give."""

import gzip
import os

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe.errors import DataError, WeightsError
from caffe.layer_types.data.transform import read_mean

NET = """
name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 } }
"""


def png(path):
    Image.new("L", (3, 3)).save(path, "PNG")


def array(path):
    with open(path, "wb") as f:
        np.save(f, np.ones((3, 4, 4)))


def mean(path):
    blob = caffe.io.array_to_blobproto(np.ones((1, 3, 4, 4)))
    blob.num, blob.channels, blob.height, blob.width = 1, 3, 4, 4
    path.write_bytes(blob.SerializeToString())


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda p: p.write_text(NET),
            "it is text, as a definition .*Net.definition, weights, phase",
        ),
        (lambda p: p.write_text("# a comment\nlayer {"), "it is text"),
        (lambda p: p.write_text('net: "x.prototxt"'), "it is text, as a definition or a solver"),
        (array, r"NumPy array \(.npy\): copy arrays into net.params"),
        (png, "it is an image"),
        (lambda p: p.write_bytes(gzip.compress(b"weights")), "packed archive: unpack it"),
        (mean, r"it looks like a mean \(.binaryproto\)"),
        (lambda p: p.write_bytes(b"PK\3\4" + bytes(99)), "load_state_dict"),
        (lambda p: p.write_bytes(b"\x80\2}q\0."), "load_state_dict"),
    ],
)
def test_in_place_of_weights(make_net, tmp_path, make, words):
    make(tmp_path / "given")
    with pytest.raises(WeightsError, match=f"given .*not a .caffemodel: .*{words}"):
        make_net(NET, weights=tmp_path / "given")


@pytest.mark.parametrize(
    "make, words",
    [
        (array, "NumPy array .*caffe.io.array_to_blobproto"),
        (lambda p: p.write_text(NET), "it is text.*name the .binaryproto"),
        (png, "it is an image"),
        (lambda p: np.savez(p.open("wb"), np.ones(3)), "NumPy file: .*array_to_blobproto"),
    ],
)
def test_in_place_of_a_mean(tmp_path, make, words):
    make(tmp_path / "given")
    with pytest.raises(DataError, match=f"given is not a .binaryproto mean: .*{words}"):
        read_mean(str(tmp_path / "given"))


def test_no_weights_at_all(make_net):
    with pytest.raises(WeightsError, match="^no weights file is named, its path is ''$"):
        make_net(NET, weights="")


def test_pipes_and_long_paths(make_net, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "x" * 5000, "/dev/zero", "a\0b", tmp_path):
        with pytest.raises(WeightsError):
            make_net(NET, weights=path)
        with pytest.raises(WeightsError):
            make_net(NET).load_state_dict(path)
        if path != "/dev/zero":
            for method in ("save", "save_hdf5"):
                with pytest.raises(WeightsError, match="cannot be written"):
                    getattr(make_net(NET), method)(path)
    with pytest.raises(WeightsError, match="cannot be written, it is not a file but a pipe"):
        make_net(NET).save("/dev/null")
