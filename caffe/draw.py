"""Pictures of nets, through the package pydot and Graphviz's program `dot`.

caffe.draw.draw_net_to_file(caffe.draw.read('net.prototxt'), 'net.png', rankdir='TB')
"""

import os
import re

from caffe.definition.prototxt import read_net as read
from caffe.definition.upgrade import upgrade_net
from caffe.errors import MissingTool
from caffe.graph import included
from caffe.proto import caffe_pb2

LAYER_STYLE_DEFAULT = {"shape": "record", "fillcolor": "#6495ED", "style": "filled"}
NEURON_LAYER_STYLE = {"shape": "record", "fillcolor": "#90EE90", "style": "filled"}
BLOB_STYLE = {"shape": "octagon", "fillcolor": "#E0E0E0", "style": "filled"}
COLORS = {
    "Convolution": "#FF5050",
    "Deconvolution": "#FF5050",
    "Pooling": "#FF9900",
    "InnerProduct": "#CC33FF",
}

__all__ = [
    "BLOB_STYLE",
    "LAYER_STYLE_DEFAULT",
    "NEURON_LAYER_STYLE",
    "choose_color_by_layertype",
    "draw_net",
    "draw_net_to_file",
    "get_edge_label",
    "get_layer_label",
    "get_pooling_types_dict",
    "get_pydot_graph",
    "read",
]


def _pydot():
    try:
        import pydot
    except ImportError:
        raise MissingTool("caffe.draw needs the package pydot: pip install pydot") from None
    return pydot


def get_pooling_types_dict():
    """{number: name} of the pooling methods."""
    return {v: k for k, v in caffe_pb2.PoolingParameter.PoolMethod.items()}


def get_edge_label(layer):
    """What the edge from a layer to its top says: batch size, or number of outputs."""
    if layer.type == "Data":
        return "Batch %d" % layer.data_param.batch_size
    if layer.type in ("Convolution", "Deconvolution"):
        return str(layer.convolution_param.num_output)
    if layer.type == "InnerProduct":
        return str(layer.inner_product_param.num_output)
    return ""


def get_layer_label(layer, rankdir):
    """What a layer's box says: name, type and how it slides; in lines where the net is drawn from
    left to right (rankdir LR, RL), else in one.
    """
    between = " " if rankdir in ("TB", "BT") else "\\n"
    if layer.type in ("Convolution", "Deconvolution"):
        method, p = layer.type, layer.convolution_param
    elif layer.type == "Pooling":
        p = layer.pooling_param
        method = f"{get_pooling_types_dict()[p.pool]} {layer.type}"
    else:
        return f"{layer.name}{between}({layer.type})"
    sizes = [
        f"{words}: {_size(p, name, default)}"
        for words, name, default in (
            ("kernel size", "kernel", "all"),
            ("stride", "stride", 1),
            ("pad", "pad", 0),
        )
    ]
    return between.join([f"{layer.name}{between}({method})", *sizes])


def _size(param, name, default):
    """A size as text: from {name}_h and {name}_w, or one for all axes, or one each."""
    if param.HasField(name + "_h") or param.HasField(name + "_w"):
        return "%dx%d" % (getattr(param, name + "_h"), getattr(param, name + "_w"))
    given = getattr(param, "kernel_size" if name == "kernel" else name)
    if isinstance(given, int):  # of Pooling
        return given if given or name != "kernel" else default
    return "x".join(map(str, given)) or default


def choose_color_by_layertype(layertype):
    """The colour of a layer's box."""
    return COLORS.get(layertype, LAYER_STYLE_DEFAULT["fillcolor"])


def get_pydot_graph(caffe_net, rankdir, label_edges=True, phase=None):
    """The net as a pydot.Dot: a box for each layer, an octagon for each blob.

    caffe_net: a NetParameter of any generation, left as it is; rankdir: LR, RL, TB or BT; phase:
    draw only the layers of caffe.TRAIN or caffe.TEST.
    """
    pydot = _pydot()
    net = caffe_pb2.NetParameter()
    net.CopyFrom(caffe_net)
    upgrade_net(net)
    graph = pydot.Dot(_quoted(net.name or "Net"), graph_type="digraph", rankdir=rankdir)
    state = caffe_pb2.NetState()
    state.CopyFrom(net.state)
    if phase is not None:
        state.phase = phase
    blobs = set()
    for i, layer in enumerate(net.layer):
        if phase is not None and not included(layer, state):
            continue
        node = _quoted("%d %s" % (i, layer.name))  # names may come twice, one per phase
        in_place = len(layer.top) == 1 and layer.top == layer.bottom
        style = (
            NEURON_LAYER_STYLE
            if in_place
            else LAYER_STYLE_DEFAULT | {"fillcolor": choose_color_by_layertype(layer.type)}
        )
        graph.add_node(pydot.Node(node, label=_quoted(get_layer_label(layer, rankdir)), **style))
        for blob in layer.bottom:
            graph.add_edge(pydot.Edge(_blob(blob), node))
        label = get_edge_label(layer) if label_edges else ""
        for blob in layer.top:
            graph.add_edge(pydot.Edge(node, _blob(blob), label=_quoted(label)))
        blobs.update(layer.bottom, layer.top)
    for blob in sorted(blobs):
        graph.add_node(pydot.Node(_blob(blob), label=_quoted(blob), **BLOB_STYLE))
    return graph


def _blob(name):
    return _quoted("blob " + name)


def _quoted(text):
    """In quotes, without what records and quotes give a meaning to; line breaks (\\n) stay."""
    text = re.sub(r"\\(?!n)", r"\\\\", text)
    for sign in '{}|<>"':
        text = text.replace(sign, "\\" + sign)
    return f'"{text}"'


def draw_net(caffe_net, rankdir, ext="png", phase=None):
    """The picture's bytes in format `ext` (png, pdf, svg, ...; raw: the graph as text for dot).

    MissingTool where pydot or dot is not installed. Other arguments: see get_pydot_graph.
    """
    graph = get_pydot_graph(caffe_net, rankdir, phase=phase)
    if ext == "raw":
        return graph.to_string().encode()
    try:
        return graph.create(format=ext)
    except FileNotFoundError:
        raise MissingTool(
            "drawing needs Graphviz: install it so that `dot` is on PATH (on Debian "
            "or Ubuntu: apt install graphviz), or draw to a .raw file"
        ) from None


def draw_net_to_file(caffe_net, filename, rankdir="LR", phase=None):
    """Write the picture to `filename`; its extension is the format."""
    ext = os.path.splitext(filename)[1][1:]
    if not ext:
        raise ValueError(f"{filename}: the name needs an extension that says the format, as .png")
    with open(filename, "wb") as f:
        f.write(draw_net(caffe_net, rankdir, ext, phase))
