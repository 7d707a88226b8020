"""Reading definitions; errors name file, line, column and the fix."""

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe.definition.prototxt import PrototxtError, read_net, read_solver, read_text
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2

LAYER = 'layer { name: "relu" type: "ReLU" bottom: "data" top: "relu" }\n'


@pytest.fixture
def write(tmp_path):
    def write(content, name="net.prototxt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_reads_a_net(write):
    net = read_net(write('name: "tiny"  # a comment\n' + LAYER))
    assert net.name == "tiny"
    assert [layer.type for layer in net.layer] == ["ReLU"]


def test_reads_a_solver_and_its_old_type(write):
    solver = read_solver(write('net: "a.prototxt" base_lr: 0.5 solver_type: ADAGRAD'))
    assert (solver.net, solver.base_lr, solver.type) == ("a.prototxt", 0.5, "AdaGrad")
    assert not solver.HasField("solver_type")


def test_byte_order_mark_and_windows_line_ends(write):
    assert read_net(write(b"\xef\xbb\xbf" + LAYER.replace(" ", "\r\n").encode())).layer[0].name


def test_read_text_does_not_upgrade(write):
    net = read_text(write('input: "data" input_dim: 1'), caffe_pb2.NetParameter())
    assert list(net.input_dim) == [1]


BAD = {  # content: (line, column, words in the message)
    'layer {\n  nmae: "x"\n}': (2, 3, ["LayerParameter", "nmae", "mean name?"]),
    "layer { convolution_param { kernel: 3 } }": (1, 29, ["ConvolutionParameter", "kernel_size"]),
    'layer {\n  name: "x"\nlayer { }\n': (3, 1, ["close the layer above"]),
    'layer {\n  name: "{"  # {\n': (1, 7, ["never closed"]),
    'layer { name: "x" }\n}\n': (2, 1, ["closes nothing"]),
    "layer { type: Convolution }": (1, 15, ['write "Convolution"']),
    "layer { convolution_param { pad: 1.5 } }": (1, 34, ["whole number", "1.5"]),
    "layer { convolution_param { pad: -1 } }": (1, 34, ["-1", "0 or more"]),
    'layer { lrn_param { alpha: "x" } }': (1, 28, ["a number", '"x"']),
    "layer { pooling_param { pool: MAXX } }": (1, 31, ["PoolMethod", "mean MAX?"]),
    "layer { pooling_param: 3 }": (1, 24, ["between { and }"]),
    'name "x"': (1, 6, ["colon"]),
    'name: "a"\nname: "b"': (2, 7, ["name is given twice"]),
    'layers { type: "Convolution" }': (1, 16, ['layer { type: "Convolution" }']),
    "layers { type: BATCH_NORM }": (1, 16, ['layer { type: "BatchNorm" }']),
    "layers { type: POLING }": (1, 16, ["mean POOLING?"]),
    "layers { type: ROI_POOLING }": (1, 16, ["ROIPooling comes from a fork", "does not offer it"]),
    "layer { smooth_l1_loss_param { } }": (1, 9, ["SmoothL1Loss comes from a fork"]),
    "layer { norm_param { } }": (1, 9, ["norm_param; Normalize comes from a fork of Caffe, SSD's"]),
    "layer { blobs_lr: 2 }": (1, 9, ["param { lr_mult"]),
    "base_lr: 0.1": (1, 1, ["solver definition"]),
    'name: "abc\nlayer { }': (1, 7, ["quote"]),
    "layer { clip_param { min: 0 } }": (None, None, ["required", "clip_param.max"]),
    "# nothing\n": (None, None, ["empty"]),
    "": (None, None, ["empty"]),
    "layer { }\nlayers { }": (None, None, ["mixes"]),
    b'name: "a"\n# caf\xe9': (2, 6, ["0xe9", "UTF-8"]),
    b"\x0a\x03net\xa2\x06\x00": (None, None, [".caffemodel", "second"]),
    b"\x89HDF\r\n\x1a\n\0": (None, None, ["HDF5", "second"]),
}


@pytest.mark.parametrize("content", BAD)
def test_errors_name_place_and_fix(write, content):
    path = write(content)
    with pytest.raises(PrototxtError) as caught:
        read_net(path)
    line, column, words = BAD[content]
    error = caught.value
    assert isinstance(error, CaffeError) and error.__cause__ is None
    assert (error.path, error.line, error.column) == (path, line, column)
    place = f"{path}:{line}:{column}: " if line else f"{path}: "
    assert str(error).startswith(place)
    for word in words:
        assert word in str(error)


def test_the_line_is_quoted(write):
    with pytest.raises(PrototxtError, match='\n    nmae: "x"$'):
        read_net(write('layer {\n  nmae: "x"\n}'))


def test_a_net_is_not_a_solver(write):
    with pytest.raises(PrototxtError, match="net definition"):
        read_solver(write(LAYER))


def test_missing_file_names_similar_ones(write, tmp_path):
    write(LAYER, "fcn8s.prototxt")
    with pytest.raises(PrototxtError, match="did you mean fcn8s.prototxt"):
        read_net(tmp_path / "fcn8.prototxt")
    with pytest.raises(PrototxtError, match="the folder .*nowhere does not exist"):
        read_net(tmp_path / "nowhere" / "net.prototxt")


def test_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(PrototxtError, match="folder"):
        read_net(tmp_path)


@given(st.text(alphabet="{}:\"'#\n ab1<>[]\\", max_size=30) | st.binary(max_size=30))
def test_any_content_raises_only_prototxt_errors(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.prototxt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        read_net(path)
    except PrototxtError as error:
        assert str(path) in str(error)


def test_recorded_definitions_are_read(shared):
    paths = [p for p in (shared / "golden").rglob("*.prototxt") if "solver" not in p.name]
    assert paths
    for path in paths:
        net = read_net(path)
        assert net.layer and not net.layers and not net.input, path
    for path in shared.rglob("solver.prototxt"):
        assert read_solver(path).type, path


@pytest.mark.parametrize(
    "content, words",
    [
        ("#" * 2**23 + "\n", "8388608 bytes"),
        ("layer{}" * 200_001, "200000 groups"),
        ("layer<>" * 200_001, "200000 groups"),
    ],
)
def test_files_that_would_take_minutes_are_refused_unparsed(write, monkeypatch, content, words):
    monkeypatch.setattr("google.protobuf.text_format.Parse", None)
    with pytest.raises(PrototxtError, match=f"more than {words}"):
        read_net(write(content))


def test_endless_files():
    with pytest.raises(PrototxtError, match="/dev/zero: this looks like"):
        read_net("/dev/zero")


@pytest.mark.parametrize(
    "content",
    [
        "x" * 10**6 + ": 1",
        'name: "' + "a" * 10**6,
        "input_dim: " + "-" * 10**6,
        "input_dim: " + "1" * 10**6,
        "layer { " * 10**5,
        "input_dim: " + "[" * 10**5,
    ],
)
def test_messages_stay_readable(write, content):
    with pytest.raises(PrototxtError) as caught:
        read_net(write(content))
    assert caught.value.line == 1 and len(str(caught.value)) < 1500


def test_impossible_file_names():
    with pytest.raises(PrototxtError, match="no file can have this name"):
        read_net("a\0b.prototxt")


OLDER = {  # definitions of the first and second generation: (line, column, words)
    "layers {\n  type: CONVOLUTON\n}": (2, 9, ["CONVOLUTON", "layer type"]),
    'layers {\n  name: "c" type: CONVOLUTION\n  blob_lr: 1\n}': (3, 3, ["blob_lr", "blobs_lr"]),
    'layers { layer { name: "c"\n type: "conv" kernel_size: 3 } }': (2, 15, ["kernelsize"]),
    'layers { layer { name: "c" type: "conv" num_output: x } }': (1, 53, ["whole number"]),
    'layers { layer { name: "c" } \n': (1, 8, ["never closed"]),
    'input: "data"\ninput_dim: one': (2, 12, ["whole number"]),
    'input: "data"\ninput_shape { dim: 1 dimm: 2 }': (2, 22, ["dim"]),
}


@pytest.mark.parametrize("content", OLDER)
def test_errors_of_older_generations_name_the_place(write, content):
    line, column, words = OLDER[content]
    with pytest.raises(PrototxtError) as caught:
        read_net(write(content))
    assert (caught.value.line, caught.value.column) == (line, column)
    for word in words:
        assert word in str(caught.value)


texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.floats(width=32, allow_nan=False) | st.integers(-9, 9)
nets = st.builds(
    caffe_pb2.NetParameter,
    name=texts,
    force_backward=st.booleans(),
    layer=st.lists(
        st.builds(
            caffe_pb2.LayerParameter,
            name=texts,
            type=texts,
            bottom=st.lists(texts),
            loss_weight=st.lists(numbers),
            include=st.lists(
                st.builds(
                    caffe_pb2.NetStateRule, phase=st.sampled_from([0, 1]), stage=st.lists(texts)
                )
            ),
            blobs=st.lists(st.builds(caffe_pb2.BlobProto, data=st.lists(numbers)), max_size=2),
            convolution_param=st.none()
            | st.builds(
                caffe_pb2.ConvolutionParameter,
                num_output=st.integers(0, 2**32 - 1),
                pad=st.lists(st.integers(0, 9)),
                engine=st.sampled_from([0, 1, 2]),
            ),
        ),
        min_size=1,
        max_size=3,
    ),
)


@settings(max_examples=60)
@given(nets, st.booleans())
def test_text_written_by_protobuf_is_read_back(tmp_path_factory, net, one_line):
    path = tmp_path_factory.getbasetemp() / "round.prototxt"
    path.write_text(text_format.MessageToString(net, as_one_line=one_line), newline="")
    assert read_text(path, caffe_pb2.NetParameter()) == net
