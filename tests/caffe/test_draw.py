"""caffe.draw: the graph for dot, and the drawings if dot is installed."""

import shutil
import sys

import pytest
from google.protobuf import text_format

import caffe
from caffe import draw
from caffe.errors import MissingTool
from caffe.proto import caffe_pb2

NET = """name: "small"
layer { name: "data" type: "Data" top: "data" top: "label" data_param { batch_size: 64 }
  include { phase: TRAIN } }
layer { name: "data" type: "Input" top: "data" include { phase: TEST } }
layer { name: "conv/1x1" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 96 kernel_size: 11 stride: 4 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool"
  pooling_param { pool: AVE kernel_h: 3 kernel_w: 2 stride: 2 pad: 1 } }
layer { name: "ip>0" type: "InnerProduct" bottom: "pool" top: "ip:0"
  inner_product_param { num_output: 10 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip:0" bottom: "label" top: "loss" }
"""


def net_of(text=NET):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def layer(text):
    return text_format.Parse(text, caffe_pb2.LayerParameter())


def test_labels_of_layers():
    conv = layer('name: "c" type: "Convolution" convolution_param { kernel_size: 3 }')
    assert draw.get_layer_label(conv, "TB") == "c (Convolution) kernel size: 3 stride: 1 pad: 0"
    assert draw.get_layer_label(conv, "LR").split("\\n") == [
        "c",
        "(Convolution)",
        "kernel size: 3",
        "stride: 1",
        "pad: 0",
    ]
    for text, size in (
        ("kernel_size: 3 kernel_size: 5", "3x5"),
        ("kernel_h: 2 kernel_w: 7", "2x7"),
        ("", "all"),
    ):
        up = layer(f'name: "c" type: "Deconvolution" convolution_param {{ {text} }}')
        assert f"kernel size: {size} stride: 1" in draw.get_layer_label(up, "BT")
    pool = layer('name: "p" type: "Pooling" pooling_param { kernel_size: 2 stride: 3 pad: 1 }')
    assert draw.get_layer_label(pool, "TB") == "p (MAX Pooling) kernel size: 2 stride: 3 pad: 1"
    everywhere = layer('name: "p" type: "Pooling" pooling_param { global_pooling: true pool: AVE }')
    assert "AVE Pooling) kernel size: all" in draw.get_layer_label(everywhere, "TB")
    assert draw.get_layer_label(layer('name: "r" type: "ReLU"'), "TB") == "r (ReLU)"


def test_labels_of_edges_and_colours():
    labels = [draw.get_edge_label(one) for one in net_of().layer]
    assert labels == ["Batch 64", "", "96", "", "", "10", ""]
    kinds = ["Convolution", "Deconvolution", "Pooling", "InnerProduct", "Sigmoid"]
    colors = [draw.choose_color_by_layertype(kind) for kind in kinds]
    assert colors[0] == colors[1] and len(set(colors)) == 4
    assert draw.get_pooling_types_dict() == {0: "MAX", 1: "AVE", 2: "STOCHASTIC"}


@pytest.mark.parametrize("phase, layers", [(None, 7), (caffe.TRAIN, 6), (caffe.TEST, 6)])
def test_graph(phase, layers):
    pytest.importorskip("pydot")
    net = net_of()
    graph = draw.get_pydot_graph(net, "LR", phase=phase)
    assert net == net_of()  # not modified
    shapes = [node.get_shape() for node in graph.get_nodes()]
    assert (shapes.count("record"), shapes.count("octagon")) == (layers, 6)
    names = {node.get_name() for node in graph.get_nodes()}
    assert {
        end for e in graph.get_edges() for end in (e.get_source(), e.get_destination())
    } <= names
    labels = {node.get_label(): node.get("fillcolor") for node in graph.get_nodes()}
    assert labels['"relu\\n(ReLU)"'] == draw.NEURON_LAYER_STYLE["fillcolor"]
    assert '"ip\\>0\\n(InnerProduct)"' in labels and '"ip:0"' in labels
    assert any(e.get_label() == '"96"' for e in graph.get_edges())
    bare = draw.get_pydot_graph(net, "LR", label_edges=False, phase=phase)
    assert not any(e.get_label() == '"96"' for e in bare.get_edges())


def test_nets_of_the_second_generation():
    pytest.importorskip("pydot")
    old = net_of(
        'input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9 layers { '
        'name: "c" type: CONVOLUTION bottom: "data" top: "c" convolution_param { '
        "num_output: 2 kernel_size: 3 } }"
    )
    graph = draw.get_pydot_graph(old, "TB")
    assert any("c (Convolution)" in node.get_label() for node in graph.get_nodes())


def test_drawings(tmp_path):
    pytest.importorskip("pydot")
    assert draw.draw_net(net_of(), "LR", "raw").startswith(b"digraph")
    if not shutil.which("dot"):
        pytest.skip("needs Graphviz's program dot")
    assert draw.draw_net(net_of(), "LR").startswith(b"\x89PNG")
    for rankdir in ("LR", "RL", "TB", "BT"):
        name = str(tmp_path / f"{rankdir}.svg")
        draw.draw_net_to_file(net_of(), name, rankdir, caffe.TRAIN)
        assert "kernel size: 11" in open(name).read()


SPECIAL_NAMES = [
    "a\\",
    "\\",
    'say "so"',
    "{a|b}",
    "<port>",
    "a:b",
    "ä ö\n",
    "node",
    "-",
    "",
    "a\\nb",
    "&amp;",
    "\\\\",
]


@pytest.mark.parametrize("name", SPECIAL_NAMES)
def test_names_with_special_characters_of_dot(name):
    pytest.importorskip("pydot")
    if not shutil.which("dot"):
        pytest.skip("needs Graphviz's program dot")
    net = caffe_pb2.NetParameter(name=name)
    net.layer.add(name=name, type="Input", top=[name])
    net.layer.add(name=name, type="ReLU", bottom=[name], top=["other"])
    lines = draw.draw_net(net, "LR", "plain").decode().splitlines()
    kinds = [line.split(" ")[0] for line in lines]
    assert (kinds.count("node"), kinds.count("edge")) == (4, 3)


def test_all_nets_of_this_repository(root):
    pytest.importorskip("pydot")
    paths = [p for p in (root / "nets").glob("*.prototxt") if "solver" not in p.name]
    assert paths
    for path in paths:
        assert draw.draw_net(draw.read(path), "TB", "raw")


def test_missing_extension_or_package(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="extension"):
        draw.draw_net_to_file(net_of(), str(tmp_path / "picture"))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(MissingTool, match="pip install pydot"):
        draw.draw_net(net_of(), "LR")


def test_without_graphviz(monkeypatch, tmp_path):
    pytest.importorskip("pydot")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="Graphviz.*on PATH"):
        draw.draw_net(net_of(), "LR")


def test_as_draw_net_of_bvlc_calls_it(tmp_path):
    pytest.importorskip("pydot")
    net = net_of()
    net.layer[2].param.add(lr_mult=0.5)
    for shown in (False, True):
        draw.draw_net_to_file(net, tmp_path / "net.raw", "LR", None, shown)
        text = (tmp_path / "net.raw").read_text()
        assert ("lr mult: 0.5, 1" in text) == ("lr mult: 1, 1" in text) == shown
        assert draw.draw_net(net, "LR", "raw", None, shown).decode() == text
    assert draw.get_layer_label(net.layer[5], "TB", True) == "ip>0 (InnerProduct) lr mult: 1, 1"
    assert draw.get_layer_label(net.layer[4], "TB", True) == draw.get_layer_label(
        net.layer[4], "TB"
    )


def test_learning_rate_multipliers():
    text = 'name: "c" type: "Convolution"'
    for params, wanted in (
        ("", (1, 1)),
        ("param { lr_mult: 2 }", (2, 1)),
        ("param { lr_mult: 2 } param { lr_mult: 0 }", (2, 0)),
    ):
        assert draw.get_layer_lr_mult(layer(f"{text} {params}")) == wanted
    for wrong in ('name: "r" type: "ReLU"', text + 3 * " param { }"):
        with pytest.raises(ValueError, match="layer '[cr]': "):
            draw.get_layer_lr_mult(layer(wrong))


def test_a_drawing_that_fails_leaves_the_file(tmp_path, monkeypatch):
    pytest.importorskip("pydot")
    monkeypatch.setenv("PATH", "")
    (tmp_path / "net.png").write_text("old")
    with pytest.raises(MissingTool):
        draw.draw_net_to_file(net_of(), tmp_path / "net.png")
    assert (tmp_path / "net.png").read_text() == "old"
