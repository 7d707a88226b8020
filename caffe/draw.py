"""Drawings of nets, with the package pydot and Graphviz's program `dot`.

For example:

    caffe.draw.draw_net_to_file(caffe.draw.read("net.prototxt"), "net.png", rankdir="TB")
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from caffe.definition.prototxt import read_net as read
from caffe.definition.upgrade import upgrade_net
from caffe.errors import MissingTool
from caffe.graph import included
from caffe.proto import caffe_pb2
from caffe.weights.files import PathLike

if TYPE_CHECKING:
    import pydot

__all__ = [
    "BLOB_STYLE",
    "LAYER_STYLE_DEFAULT",
    "NEURON_LAYER_STYLE",
    "choose_color_by_layertype",
    "draw_net",
    "draw_net_to_file",
    "get_edge_label",
    "get_layer_label",
    "get_layer_lr_mult",
    "get_pooling_types_dict",
    "get_pydot_graph",
    "read",
]

LAYER_STYLE_DEFAULT = {"shape": "record", "fillcolor": "#6495ED", "style": "filled"}
NEURON_LAYER_STYLE = {"shape": "record", "fillcolor": "#90EE90", "style": "filled"}
BLOB_STYLE = {"shape": "octagon", "fillcolor": "#E0E0E0", "style": "filled"}
COLORS = {
    "Convolution": "#FF5050",
    "Deconvolution": "#FF5050",
    "Pooling": "#FF9900",
    "InnerProduct": "#CC33FF",
}


def _import_pydot():
    try:
        import pydot
    except ImportError:
        raise MissingTool("caffe.draw needs the package pydot: pip install pydot") from None
    return pydot


def get_pooling_types_dict() -> dict[int, str]:
    """Return the names of the pooling methods by number."""
    return {v: k for k, v in caffe_pb2.PoolingParameter.PoolMethod.items()}


def get_edge_label(layer: caffe_pb2.LayerParameter) -> str:
    """Return the label of the edge from a layer to its top: batch size or number of outputs."""
    if layer.type == "Data":
        return f"Batch {layer.data_param.batch_size}"
    if layer.type in ("Convolution", "Deconvolution"):
        return str(layer.convolution_param.num_output)
    if layer.type == "InnerProduct":
        return str(layer.inner_product_param.num_output)
    return ""


def get_layer_lr_mult(layer: caffe_pb2.LayerParameter) -> tuple[float, float]:
    """Return the learning rate multipliers of a layer's weights and bias, 1 if not given.

    Parameters
    ----------
    layer : LayerParameter
        A Convolution, Deconvolution or InnerProduct.

    Raises
    ------
    ValueError
        If the layer is of another type, or has more than two multipliers.
    """
    if layer.type not in ("Convolution", "Deconvolution", "InnerProduct"):
        raise ValueError(f"layer {layer.name!r}: a {layer.type} has no learning rate multipliers")
    if len(layer.param) > 2:
        raise ValueError(f"layer {layer.name!r}: {len(layer.param)} param {{ }} for two blobs")
    weights, bias = ([param.lr_mult for param in layer.param] + [1.0, 1.0])[:2]
    return weights, bias


def get_layer_label(
    layer: caffe_pb2.LayerParameter, rankdir: str, display_lrm: bool = False
) -> str:
    """Return the label of a layer's box: its name, its type and how it slides.

    Parameters
    ----------
    layer : LayerParameter
    rankdir : str
        Direction of the drawing. The parts of the label are on separate lines for LR and RL, on
        one line for TB and BT.
    display_lrm : bool
        Add the learning rate multipliers of layers with weights.
    """
    separator = " " if rankdir in ("TB", "BT") else "\\n"
    param: caffe_pb2.ConvolutionParameter | caffe_pb2.PoolingParameter
    if layer.type in ("Convolution", "Deconvolution"):
        method, param = layer.type, layer.convolution_param
    elif layer.type == "Pooling":
        param = layer.pooling_param
        method = f"{get_pooling_types_dict()[param.pool]} {layer.type}"
    else:
        return separator.join([layer.name, f"({layer.type})", *_multipliers(layer, display_lrm)])
    sizes = [
        f"kernel size: {_size(param, 'kernel', 'all')}",
        f"stride: {_size(param, 'stride', 1)}",
        f"pad: {_size(param, 'pad', 0)}",
    ]
    parts = [layer.name, f"({method})", *sizes, *_multipliers(layer, display_lrm)]
    return separator.join(parts)


def _multipliers(layer, display_lrm):
    """Return the part of a label with the learning rate multipliers, if there are some."""
    if not display_lrm or layer.type not in ("Convolution", "Deconvolution", "InnerProduct"):
        return []
    return ["lr mult: {:g}, {:g}".format(*get_layer_lr_mult(layer))]


def _size(param, name, default):
    """Return a size given as {name}_h and {name}_w, once for all axes, or per axis."""
    if param.HasField(f"{name}_h") or param.HasField(f"{name}_w"):
        return f"{getattr(param, f'{name}_h')}x{getattr(param, f'{name}_w')}"
    size = getattr(param, "kernel_size" if name == "kernel" else name)
    if isinstance(size, int):  # of Pooling
        return size if size or name != "kernel" else default
    return "x".join(map(str, size)) or default


def choose_color_by_layertype(layertype: str) -> str:
    """Return the fill colour of a layer's box."""
    return COLORS.get(layertype, LAYER_STYLE_DEFAULT["fillcolor"])


def get_pydot_graph(
    caffe_net: caffe_pb2.NetParameter,
    rankdir: str,
    label_edges: bool = True,
    phase: int | None = None,
    display_lrm: bool = False,
) -> pydot.Dot:
    """Return the net as a graph: a box for each layer, an octagon for each blob.

    Parameters
    ----------
    caffe_net : NetParameter
        A net of any generation; it is not modified.
    rankdir : str
        Direction of the drawing: LR, RL, TB or BT.
    label_edges : bool
        Label the edges from layers to their tops, see `get_edge_label`.
    phase : int, optional
        Draw only the layers of ``caffe.TRAIN`` or ``caffe.TEST``.
    display_lrm : bool
        Show learning rate multipliers, see `get_layer_label`.

    Raises
    ------
    MissingTool
        If pydot is not installed.
    """
    pydot = _import_pydot()
    net = caffe_pb2.NetParameter()
    net.CopyFrom(caffe_net)
    upgrade_net(net)
    graph = pydot.Dot(_quoted(net.name or "Net"), graph_type="digraph", rankdir=rankdir)
    state = caffe_pb2.NetState()
    state.CopyFrom(net.state)
    if phase is not None:
        state.phase = phase  # type: ignore[assignment]  # enums accept their numbers
    blobs: set[str] = set()
    for i, layer in enumerate(net.layer):
        if phase is not None and not included(layer, state):
            continue
        node = _quoted(f"{i} {layer.name}")  # a name may occur twice, once per phase
        in_place = len(layer.top) == 1 and layer.top == layer.bottom
        style = (
            NEURON_LAYER_STYLE
            if in_place
            else LAYER_STYLE_DEFAULT | {"fillcolor": choose_color_by_layertype(layer.type)}
        )
        label = get_layer_label(layer, rankdir, display_lrm)
        graph.add_node(pydot.Node(node, label=_quoted(label), **style))
        for blob in layer.bottom:
            graph.add_edge(pydot.Edge(_blob_node(blob), node))
        label = get_edge_label(layer) if label_edges else ""
        for blob in layer.top:
            graph.add_edge(pydot.Edge(node, _blob_node(blob), label=_quoted(label)))
        blobs.update(layer.bottom, layer.top)
    for blob in sorted(blobs):
        graph.add_node(pydot.Node(_blob_node(blob), label=_quoted(blob), **BLOB_STYLE))
    return graph


def _blob_node(name):
    return _quoted(f"blob {name}")


def _quoted(text):
    r"""Return `text` in quotes, with the special characters of labels escaped, but not \n."""
    text = re.sub(r"\\(?!n)", r"\\\\", text)
    for character in '{}|<>"':
        text = text.replace(character, "\\" + character)
    return f'"{text}"'


def draw_net(
    caffe_net: caffe_pb2.NetParameter,
    rankdir: str,
    ext: str = "png",
    phase: int | None = None,
    display_lrm: bool = False,
) -> bytes:
    """Return a drawing of the net.

    Parameters
    ----------
    caffe_net, rankdir, phase, display_lrm
        See `get_pydot_graph`.
    ext : str
        Format: png, pdf, svg or another one of Graphviz; raw for the graph in dot's language.

    Returns
    -------
    bytes
        Content of a file in that format.

    Raises
    ------
    MissingTool
        If pydot or dot is not installed.
    """
    graph = get_pydot_graph(caffe_net, rankdir, phase=phase, display_lrm=display_lrm)
    if ext == "raw":
        return graph.to_string().encode()
    try:
        return graph.create(format=ext)  # type: ignore[return-value]  # declared as str
    except FileNotFoundError:
        raise MissingTool(
            "drawing needs Graphviz: install it so that `dot` is on PATH (on Debian or Ubuntu: apt "
            "install graphviz), or draw to a .raw file"
        ) from None


def draw_net_to_file(
    caffe_net: caffe_pb2.NetParameter,
    filename: PathLike,
    rankdir: str = "LR",
    phase: int | None = None,
    display_lrm: bool = False,
) -> None:
    """Write a drawing of the net to a file.

    Parameters
    ----------
    caffe_net, rankdir, phase, display_lrm
        See `get_pydot_graph`.
    filename : path
        Its extension is the format, see `draw_net`.

    Raises
    ------
    MissingTool
        If pydot or dot is not installed.
    ValueError
        If the name has no extension.
    """
    ext = os.path.splitext(filename)[1][1:]
    if not ext:
        raise ValueError(f"{filename}: the name needs an extension that gives the format, as .png")
    drawing = draw_net(caffe_net, rankdir, ext, phase, display_lrm)
    with open(filename, "wb") as f:  # only now: if drawing fails, the file stays as it is
        f.write(drawing)
