"""Heaps of HDF5 files whose list of free blocks has no end."""

import struct

import h5py
import pytest

from caffe.errors import DataError, WeightsError
from caffe.weights.hdf5_checks import Refused
from caffe.weights.hdf5_heaps import check, check_file


@pytest.fixture
def path(tmp_path):
    """A sound file with groups of the old format."""
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["a/b/c"] = 1.0
    return tmp_path / "a.h5"


def test_sound_files(path, tmp_path):
    check_file(path)
    with h5py.File(tmp_path / "new.h5", "w", libver="latest") as f:
        f["a/b/c"] = 1.0
    check_file(tmp_path / "new.h5")


def test_a_free_block_that_leads_back_to_itself(path):
    """libhdf5 would take memory until there is none."""
    content = bytearray(path.read_bytes())
    heaps, at = 0, content.find(b"HEAP")
    while at >= 0:
        _, free, data = struct.unpack("<QQQ", content[at + 8 : at + 32])
        if free != 1:
            changed = bytearray(content)
            changed[data + free : data + free + 8] = struct.pack("<Q", free)
            with pytest.raises(Refused, match=f"heap at byte {at} has a list .* without end"):
                check(bytes(changed))
            heaps += 1
        at = content.find(b"HEAP", at + 1)
    assert heaps == 3  # of the root, a and b


@pytest.mark.parametrize(
    "content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\xff" * 30]
)
def test_what_is_left_to_the_library(content):
    check(content)


def test_a_file_cut_anywhere(path):
    content = path.read_bytes()
    for stop in range(0, len(content), 7):
        check(content[:stop])


def endless(path):
    """Let the first list of free blocks in a file lead back to itself."""
    content = bytearray(path.read_bytes())
    at = content.find(b"HEAP")
    while (found := struct.unpack("<QQQ", content[at + 8 : at + 32]))[1] == 1:
        at = content.find(b"HEAP", at + 1)
    _, free, data = found
    content[data + free : data + free + 8] = struct.pack("<Q", free)
    path.write_bytes(content)


FC = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }
layer { name: "fc" type: "InnerProduct" bottom: "x" top: "y"
        inner_product_param { num_output: 1 bias_term: false } }
"""


def test_weights_from_a_file_and_from_memory(make_net, tmp_path):
    path = tmp_path / "w.caffemodel.h5"
    with h5py.File(path, "w") as f:
        f["data/fc/0"] = [[1.0, 2.0]]
    net = make_net(FC)
    for source in (path, path.read_bytes()):
        net.params["fc"][0].data[...] = 0
        net.copy_from(source)
        assert net.params["fc"][0].data.tolist() == [[1, 2]]
    endless(path)
    for source in (path, path.read_bytes()):
        with pytest.raises(WeightsError, match="free blocks without end"):
            net.copy_from(source)


def test_rows_of_a_data_layer(make_net, tmp_path):
    path = tmp_path / "rows.h5"
    with h5py.File(path, "w") as f:
        f["data"] = [[1.0], [2.0]]
    (tmp_path / "list.txt").write_text(f"{path}\n")
    text = f'source: "{tmp_path / "list.txt"}" batch_size: 2'
    layer = f'layer {{ name: "d" type: "HDF5Data" top: "data" hdf5_data_param {{ {text} }} }}'
    assert make_net(layer).forward()["data"].tolist() == [[1], [2]]
    endless(path)
    with pytest.raises(DataError, match="free blocks without end"):
        make_net(layer)
