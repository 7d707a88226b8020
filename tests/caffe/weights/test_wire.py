"""Wire finds in a .caffemodel what protobuf's parser finds; hostile files are refused early."""

import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import caffe
from caffe.errors import CaffeError, WeightsError
from caffe.proto import caffe_pb2
from caffe.weights import wire
from caffe.weights.blobproto import shape_of, values
from caffe.weights.stored_blobs import StoredBlob
from caffe.weights.wire import Damaged, Wire
from tests.caffe.named_blobs import named_blobs

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 1 } } }
"""
floats = st.lists(st.floats(width=32, allow_nan=False), max_size=6)
blobs = st.builds(
    caffe_pb2.BlobProto,
    data=floats,
    diff=floats,
    double_data=floats,
    num=st.integers(0, 9),
    shape=st.none() | st.builds(caffe_pb2.BlobShape, dim=st.lists(st.integers(0, 2**40))),
)
names = st.text(st.characters(codec="utf-8"), max_size=5)
fields = dict(name=names, blobs=st.lists(blobs, max_size=2))
v0 = st.builds(caffe_pb2.V0LayerParameter, type=names, pad=st.integers(0, 9), **fields)
layers = st.lists(
    st.builds(caffe_pb2.LayerParameter, type=names, loss_weight=floats, **fields), max_size=3
)
older = st.lists(st.builds(caffe_pb2.V1LayerParameter, layer=st.none() | v0, **fields), max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.builds(caffe_pb2.NetParameter, name=names, layer=layers, layers=older))
def test_finds_what_the_parser_finds(net):
    content = net.SerializeToString(deterministic=True)
    reader = Wire(io.BytesIO(content))
    found = []
    for name, places in wire.layers(reader, len(content)):
        stored = [StoredBlob(reader, *place, 100) for place in places]
        arrays = [np.empty(blob.count, np.float32) for blob in stored]
        for blob, array in zip(stored, arrays):
            blob.into(reader, array)
        found.append((name, [(blob.shape, array.tolist()) for blob, array in zip(stored, arrays)]))
    # in the file all of `layers` (field 2) come before `layer` (field 100)
    older_first = caffe_pb2.NetParameter(layers=net.layers), caffe_pb2.NetParameter(layer=net.layer)
    assert found == [
        (name, [(shape_of(b), values(b).tolist()) for b in protos])
        for part in older_first
        for name, protos in named_blobs(part)
    ]


def unpacked(*values):
    """Return a BlobProto of one axis as written without packing: a key before each value."""
    blob = caffe_pb2.BlobProto(shape=dict(dim=[len(values)])).SerializeToString()
    return blob + b"".join(b"\x2d" + np.float32(v).tobytes() for v in values)


def in_runs(*runs):
    """Return a BlobProto whose values are packed in several runs, which protobuf allows."""
    count = sum(map(len, runs))
    return (
        b"".join(caffe_pb2.BlobProto(data=run).SerializeToString() for run in runs)
        + caffe_pb2.BlobProto(shape=dict(dim=[count])).SerializeToString()
    )


@pytest.mark.parametrize(
    "content",
    [
        unpacked(1, 2, 3),
        in_runs([1], [], [2, 3]),
        b"\x2d\0\0\x80\x3f" + in_runs([2, 3]),
        caffe_pb2.BlobProto(double_data=[1, 2, 3], shape=dict(dim=[3])).SerializeToString(),
    ],
)
def test_values_of_other_writers(content):
    expected = caffe_pb2.BlobProto.FromString(content)
    reader = Wire(io.BytesIO(content))
    blob, array = StoredBlob(reader, 0, len(content), 3), np.empty(3, np.float32)
    blob.into(reader, array)
    assert blob.shape == shape_of(expected) and array.tolist() == [1, 2, 3]


@pytest.mark.parametrize("n", [0, 1, 127, 128, 300, 2**31 - 1, 2**40])
def test_varints(n):
    message = caffe_pb2.BlobShape(dim=[n]).SerializeToString()
    [(_, _, _, begin, end)] = Wire(io.BytesIO(message)).fields(0, len(message))
    assert message[begin:end] == wire.varint(n)


LAYER = wire.head(100, 0)
HOSTILE = {  # content: what the refusal says
    "empty layers": (LAYER * 600_000, "more than"),
    "fields": (wire.head(100, 2**21) + b"\x28\x01" * 2**20, "more than"),
    "length": (wire.head(100, 2**62), "beyond the end"),
    "length of a length": (b"\xa2\x06" + b"\xff" * 11, "ten bytes"),
    "group": (b"\x0b\x0c", "unknown kind"),
    "key 0": (b"\x00\x00", "number 0"),
    "name": (wire.head(100, 70_004) + wire.head(1, 70_000) + b"a" * 70_000, "more than"),
    "cut key": (b"\xa2", "ends within"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files(make_net, tmp_path, what):
    content, words = HOSTILE[what]
    path = tmp_path / "hostile.caffemodel"
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(WeightsError, match=f"hostile.caffemodel.*{words}"):
        make_net(NET).copy_from(path)
    assert time.process_time() - start < 30


def model(blob):
    """Return a .caffemodel whose layer fc has this BlobProto (bytes) twice."""
    layer = b"\x0a\x02fc" + 2 * (wire.head(7, len(blob)) + blob)
    return wire.head(100, len(layer)) + layer


@pytest.mark.parametrize(
    "blob, words",
    [
        (caffe_pb2.BlobProto(shape=dict(dim=[2**40, 2**22])), "'fc', blob 0: shape"),
        (caffe_pb2.BlobProto(shape=dict(dim=[2, 3]), data=[1] * 5), "5 values for shape"),
        (caffe_pb2.BlobProto(shape=dict(dim=[-2, -3]), data=[1] * 6), "'fc', blob 0: shape"),
        (caffe_pb2.BlobProto(shape=dict(dim=[1] * 70_000)), "more than"),
        (unpacked(*range(20_000)), "more than"),
        (caffe_pb2.BlobProto(shape=dict(dim=[2, 3])).SerializeToString() + b"\x2a\x03abc", "short"),
    ],
)
def test_hostile_blobs(make_net, tmp_path, blob, words):
    path = tmp_path / "hostile.caffemodel"
    path.write_bytes(model(blob if isinstance(blob, bytes) else blob.SerializeToString()))
    with pytest.raises(CaffeError, match=f"hostile.caffemodel.*{words}"):
        make_net(NET).copy_from(path)


def test_a_file_shortened_while_it_is_read():
    content = caffe_pb2.BlobProto(data=[1, 2], shape=dict(dim=[2])).SerializeToString()
    blob = StoredBlob(Wire(io.BytesIO(content)), 0, len(content), 2)
    with pytest.raises(Damaged, match="shortened"):
        blob.into(Wire(io.BytesIO(content[:5])), np.empty(2, np.float32))


@given(st.data())
def test_one_byte_changed(tmp_path_factory, data):
    """The net loads the weights or raises an error with the file's name; shapes stay."""
    path = tmp_path_factory.getbasetemp() / "byte.caffemodel"
    definition = path.with_suffix(".prototxt")
    definition.write_text(NET)
    net = caffe.Net(definition, caffe.TEST)
    net.save(path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    before = [b.data.copy() for b in net.params["fc"]]
    try:
        net.copy_from(path)
    except CaffeError as error:
        assert "byte.caffemodel" in str(error)
        assert all(np.array_equal(a, b.data) for a, b in zip(before, net.params["fc"]))
    assert [b.shape for b in net.params["fc"]] == [(2, 3), (2,)]
