r"""Definitions as editors and Windows leave them: read if they can mean one thing, else with a fix."""

import logging
import time

import pytest

from caffe.definition.prototxt import PrototxtError, read_net
from caffe.proto import caffe_pb2

LAYER = 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }\n'
CHINESE = "# \u6570\u636e\u5c42 {\n"


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "net.prototxt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_net(path)

    return read


@pytest.mark.parametrize(
    "content",
    [
        LAYER.encode("utf-8-sig"),
        LAYER.replace(" ", "\r\n").encode(),
        LAYER.replace(" ", "\u00a0").encode(),
        CHINESE.encode("gbk") + LAYER.encode(),
        f"{LAYER.strip()} # caf\u00e9 \u201c\u201d".encode("cp1252"),
        f"# \u201cdon\u2019t\u201d\n{LAYER}".encode(),
        f"# don't {{ \"\n{LAYER}".encode(),
    ],
)
def test_what_is_read(read, caplog, content):
    assert [layer.name for layer in read(content).layer] == ["r"]
    assert not caplog.records


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", [LAYER, CHINESE + LAYER])
def test_other_unicode_is_read_with_a_warning(read, caplog, encoding, text):
    with caplog.at_level(logging.WARNING, "caffe"):
        assert read(text.encode(encoding)).layer[0].name == "r"
    (record,) = caplog.records
    assert "net.prototxt is UTF-" in record.getMessage()


def test_quotes_inside_text_are_text(read):
    assert read(LAYER.replace("r", "\u201cr\u201d", 1).replace("laye\u201cr\u201d", "layer")).layer
    net = read('name: "say \u201cx\u201d, \u2018y\u2019"' + LAYER)
    assert net.name == "say \u201cx\u201d, \u2018y\u2019"


QUOTE = "stands in place of . here; use plain quotes"
REFUSED = {  # content: (line, column, words)
    LAYER + 'layer { name: \u201cc\u201d type: "ReLU" }': (2, 15, QUOTE),
    LAYER + 'layer { name: "c\u201d type: "ReLU" }': (2, 17, "begins with . and ends with \u201d"),
    LAYER + 'name: "c\u201d': (2, 9, "begins with . and ends with \u201d: use plain quotes"),
    "name: \u2018c\u2019": (1, 7, QUOTE),
    "name: `c`": (1, 7, QUOTE),
    "name: \uff02c\uff02": (1, 7, QUOTE),
    'name\uff1a "c"': (1, 5, "fullwidth colon.* in place of : here; use the plain sign"),
    "input_dim: \u22121": (1, 12, "minus sign.* in place of - here"),
    "layer { relu_param { negative_slope: 1e\u20133 } }": (1, 40, "en dash"),
    f"{LAYER}\ufeff{LAYER}": (2, 1, "U.FEFF .*remove it"),
    "l\u0430yer { }": (1, 2, "cyrillic small letter a.* in ASCII"),
    LAYER + "\x1a": (2, 1, "U.001A .*remove it"),
    'name: "a" }\n# \u201c': (1, 11, "closes nothing"),
    LAYER.encode("utf-16")[:-1]: (None, None, "this is UTF-16, cut or damaged: save it as UTF-8"),
    LAYER.replace('"r"', '"\u6570"').encode("gbk"): (1, 16, "byte 0xca is not UTF-8"),
    r'name: "\xff"': (1, 13, "is not UTF-8"),
    "// a comment\n" + LAYER: (1, 1, "a comment begins with #"),
    LAYER + "<<<<<<< HEAD\n": (2, 1, "a merge of two versions"),
    "layer { relu_param { negative_slope: 0,1 } }": (1, 40, "a decimal point, not a comma"),
    'layer { include { phase: "TRAIN" } }': (1, 26, "write TRAIN without quotes"),
    "layer { type: INNER_PRODUCT }": (1, 15, 'write "InnerProduct"'),
    "layer { data_param { source: a/b.lmdb } }": (1, 30, 'write "a/b.lmdb"'),
}


@pytest.mark.parametrize("content", REFUSED)
def test_what_is_refused(read, content):
    line, column, words = REFUSED[content]
    with pytest.raises(PrototxtError, match=words) as caught:
        read(content)
    assert (caught.value.line, caught.value.column) == (line, column)


def source(string):
    return f"layer {{ hdf5_data_param {{\n  source: {string} }} }}"


@pytest.mark.parametrize(
    "string, path",
    [
        (r'"C:\\users\\x.txt"', r"C:\users\x.txt"),
        ('"C:/users/x.txt"', "C:/users/x.txt"),
        (r'"D:\caffe\8x"', r"D:\caffe\8x"),  # no \\ of these begins an escape
        (r'"E:\ImageNet\list.txt"', r"E:\ImageNet\list.txt"),
        (r"'it\'s'", "it's"),
        (r'"a\tb"', "a\tb"),
        (r'"\303\251"', "\u00e9"),
    ],
)
def test_paths_that_are_read(read, string, path):
    assert read(source(string)).layer[0].hdf5_data_param.source == path


@pytest.mark.parametrize(
    "string, escape",
    [
        (r'"C:\users\x.txt"', r"\u"),
        (r'"C:\Users\me"', r"\U"),
        (r'"C:\xyz"', r"\x"),
        (r'"C:\temp\new.txt"', r"\t"),  # a tab and a line end to Caffe
        (r'"data\train\list.txt"', r"\t"),  # \l is nothing, so \t is no tab either
        (r'"\\server\share\x"', r"\x"),
        (r'"C:\101"', r"\101"),
        (r"'C:\Users'", r"\U"),
        (r'"C:\data\" batch_size: 1', r"\""),
    ],
)
def test_paths_with_escapes(read, string, escape):
    with pytest.raises(PrototxtError) as caught:
        read(source(string))
    assert (caught.value.line, caught.value.column) == (2, 11)
    assert f"in {string}" in str(caught.value)
    assert f" {escape} begins an escape: write / in paths, or \\\\ for each \\" in str(caught.value)


@pytest.mark.parametrize(
    "content, words",
    [
        ('item {\n  name: "background"\n  label: 0\n}', "label map .SSD's"),
        ("# classes\nitem { id: 1 }", "label map"),
        ("<!DOCTYPE html>\n<html>", "web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1", "run git lfs pull"),
        ('{"layer": []}', "JSON"),
        ("[net]\nbatch=1", "Darknet"),
        ("import caffe\nn = 1", "Python program"),
        ("from caffe import layers as L\n", "Python program"),
        ("node {\n}", "another framework"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"PK\x03\x04\0", "zip archive or a PyTorch file"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"\x0a\x03net\xa2\x06\x00\0", "looks like a .caffemodel"),
    ],
)
def test_other_kinds_of_file(read, content, words):
    with pytest.raises(PrototxtError, match=f"this (is|looks).*{words}|{words}"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        'name: "' + r"\"" * 300_000,
        ("'\"" * 300_000),
        'name: "' + "\u201c" * 300_000,
        "# " + "\u6570" * 300_000 + "\nx",
        'name: "' + "\u201d " * 300_000 + '" x',
        r'name: "' + r"\d\t" * 300_000 + '"',
        "\n" * 300_000 + "x",
        b"#\xff" * 300_000,
    ],
)
def test_nothing_takes_long(read, content):
    start = time.process_time()
    with pytest.raises(PrototxtError) as caught:
        read(content)
    assert time.process_time() - start < 20 and len(str(caught.value)) < 1500


def test_what_protobuf_writes_has_no_bad_path(read):
    net = caffe_pb2.NetParameter(name="C:\\temp\\new \x00\x01\u201c\n'\"\\", layer=[{}])
    assert read(str(net)).name == net.name
