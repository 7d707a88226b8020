"""Lists and paths of the data layers: pipes, devices, long names, large lists; only our errors."""

import os
import resource

import numpy as np
import pytest
from PIL import Image

import caffe
from caffe.errors import DataError
from caffe.layer_types.data import files
from caffe.layer_types.data.files import read_list
from tests.caffe.children import in_child


@pytest.fixture
def path(tmp_path):
    return tmp_path / "list.txt"


@pytest.mark.parametrize(
    "content, wanted",
    [
        (b"a 1\nb 2\n", [(1, "a 1"), (2, "b 2")]),
        (b"a 1\r\n\r\n  b 2  ", [(1, "a 1"), (3, "b 2")]),
        (b"a\rb\n\rc", [(1, "a"), (2, "b"), (4, "c")]),
        (b"\xef\xbb\xbfa\n", [(1, "a")]),
        ("ü\n\u3000\nß".encode(), [(1, "ü"), (3, "ß")]),
        (b"\xff\xfe.png 3", [(1, os.fsdecode(b"\xff\xfe.png 3"))]),
        (b"\n\n\nlast", [(4, "last")]),
    ],
)
def test_lines(path, content, wanted):
    path.write_bytes(content)
    lines = read_list(str(path), "list")
    assert len(lines) == len(wanted) and list(lines) == wanted
    assert [lines[i] for i in range(len(wanted))] == wanted == lines[:]
    assert lines[-1] == wanted[-1]
    with pytest.raises(IndexError):
        lines[len(wanted)]


@pytest.mark.parametrize(
    "content, words",
    [
        (b" \r\n\t\n", "only blank lines"),
        (b"a\0", "binary file"),
        ("a 1".encode("utf-16"), "save it as UTF-8"),
        (b"a\n" + b"b" * 40_000, r"a line of 4000. bytes \(line 2\)"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_list(path, content, words):
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"list.txt.*{words}"):
        read_list(str(path), "list")


def test_a_list_of_gigabytes_is_not_read(path):
    with open(path, "wb") as f:
        f.write(b"a 1\n")
        f.truncate(2**34)  # a hole

    def refused(acknowledge):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(DataError, match="list.txt.* at most"):
            read_list(str(path), "list")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KB

    assert in_child(refused) == (0, 0)


def test_too_many_lines(path, monkeypatch):
    monkeypatch.setattr(files, "MOST_LINES", 1000)
    path.write_bytes(b"\n" * 1001)
    with pytest.raises(DataError, match="has 1001 lines, 1000 are the most"):
        read_list(str(path), "list")


def test_lines_take_little_more_memory_than_the_file(path):
    path.write_bytes(b"images/of/something 17\n" * 200_000)

    def measured(acknowledge):
        lines = read_list(str(path), "list")
        held = lines._content, lines._ends, lines._kept
        assert len(held[0]) + held[1].nbytes + held[2].nbytes < 1.8 * path.stat().st_size
        assert lines[199_999] == (200_000, "images/of/something 17")

    assert in_child(measured) == (0, 0)


LAYERS = {
    "ImageData": 'top: "data" top: "label" image_data_param { source: "PATH" batch_size: 1 }',
    "HDF5Data": 'top: "data" hdf5_data_param { source: "PATH" batch_size: 1 }',
    "Data": 'top: "data" data_param { source: "PATH" batch_size: 1 backend: LMDB }',
    "mean": 'top: "data" top: "label" image_data_param { source: "LIST" batch_size: 1 } '
    'transform_param { mean_file: "PATH" }',
    "line": 'top: "data" top: "label" image_data_param { source: "LINE" batch_size: 1 }',
    "line of HDF5Data": 'top: "data" hdf5_data_param { source: "LINE" batch_size: 1 }',
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "long", "deep", "socket", "unreal"])
def test_paths_of_no_file(make_net, tmp_path, layer, kind):
    """Nothing waits, and there is no exception but ours."""
    given = {
        "pipe": str(tmp_path / "pipe"),
        "device": "/dev/zero",
        "folder": str(tmp_path),
        "long": "x" * 5000,
        "deep": "x/" * 2500 + "y",
        "socket": str(tmp_path / "socket"),
        "unreal": "/proc/self/mem",
    }[kind]
    os.mkfifo(tmp_path / "pipe")
    os.mknod(tmp_path / "socket", 0o140666)
    (tmp_path / "list").write_text("image.png 0")
    (tmp_path / "line").write_text(f"{given} 0" if layer == "line" else given)
    text = LAYERS[layer].replace("PATH", given)
    text = text.replace("LIST", str(tmp_path / "list")).replace("LINE", str(tmp_path / "line"))
    name = layer if layer in ("HDF5Data", "Data") else "ImageData"
    name = "HDF5Data" if layer == "line of HDF5Data" else name
    with pytest.raises(DataError, match=r"layer 'd' \(") as raised:
        make_net(f'layer {{ name: "d" type: "{name}" {text} }}', caffe.TEST).forward()
    assert len(str(raised.value)) < 12_000


def test_a_shuffled_list(make_net, tmp_path):
    for i in range(6):
        Image.fromarray(np.full((2, 2), i, np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "list").write_text("".join(f"{tmp_path}/{i}.png {i}\n" for i in range(6)))
    caffe.set_random_seed(3)
    net = make_net(
        'layer { name: "d" type: "ImageData" top: "data" top: "label" image_data_param { '
        f'source: "{tmp_path}/list" batch_size: 6 shuffle: true is_color: false }} }}'
    )
    out = net.forward()
    assert sorted(out["label"]) == list(range(6)) and list(out["label"]) != list(range(6))
    np.testing.assert_array_equal(out["data"][:, 0, 0, 0], out["label"])
