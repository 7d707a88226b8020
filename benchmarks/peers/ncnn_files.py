"""A net as ncnn's two files: a text of layers (.param) and their weights (.bin).

The formats are ncnn's own (its wiki, "param and model file structure"): a line per layer, with its
type, name, counts of inputs and outputs, their names, and its settings as number=value. The weights
follow one another in the order of the layers; four bytes before those of a kernel say how they are
stored (0: float32). A blob that feeds several layers goes through a Split layer. Sizes are fixed.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from google.protobuf import text_format

import caffe
from caffe.proto import caffe_pb2

MAGIC = 7767517
FLOAT32 = struct.pack("<I", 0)


class Operation(NamedTuple):
    """A layer of ncnn."""

    kind: str
    name: str
    inputs: list[str]
    output: str
    settings: dict[int, int]
    arrays: Sequence[np.ndarray] = ()


def write_ncnn(definition: Path, net: caffe.Net, param: Path, weights: Path) -> None:
    """Write a net for ncnn, for the sizes that its blobs have now.

    A convolution applies the ReLU that follows it in place, as after ncnn's own optimizer.

    Parameters
    ----------
    definition : Path
        The net's prototxt, in today's format.
    net : Net
        The same net, with weights; its blobs have their sizes.
    param, weights : Path
        Files to write.

    Raises
    ------
    ValueError
        If a layer has a type or setting that is not written here.
    """
    spec = text_format.Parse(definition.read_text(), caffe_pb2.NetParameter())
    operations = _operations(spec.layer, net)
    with open(weights, "wb") as file:
        for operation in operations:
            for i, array in enumerate(operation.arrays):
                file.write(b"" if i else FLOAT32)
                file.write(np.ascontiguousarray(array, np.float32).tobytes())
    lines = _lines(operations)
    blobs = sum(int(line.split()[3]) for line in lines)
    param.write_text("\n".join([str(MAGIC), f"{len(lines)} {blobs}", *lines, ""]))


def _operations(layers, net):
    """Return the operations of a net; each writes a blob of its own, in-place layers too."""
    operations, now = [], {}  # now: name of a blob -> of its latest version
    for layer in layers:
        before = operations[-1] if operations else None
        fusible = before and before.kind.startswith("Convolution")
        if layer.type == "ReLU" and fusible and layer.bottom[0] == layer.top[0] == before.output:
            operations[-1] = before._replace(settings={**before.settings, 9: 1})
            continue
        kind, settings = _kind(layer, net)
        inputs = [now[bottom] for bottom in layer.bottom]
        if kind == "Crop":
            inputs = inputs[:1]  # the second one gave the size, which is written out
        (top,) = layer.top
        now[top] = top if top not in now else f"{top}/{layer.name}"
        arrays = [blob.data for blob in net.params.get(layer.name, ())]
        operations.append(Operation(kind, layer.name, inputs, now[top], settings, arrays))
    return operations


def _lines(operations):
    """Return the lines of the .param, with a Split after each blob that several layers read."""
    readers = Counter(blob for operation in operations for blob in operation.inputs)
    taken: Counter[str] = Counter()  # reads of a blob so far

    def read(blob):
        if readers[blob] == 1:
            return blob
        taken[blob] += 1
        return f"{blob}_split_{taken[blob] - 1}"

    lines = []
    for kind, name, inputs, output, settings, _ in operations:
        numbers = [f"{number}={value}" for number, value in settings.items()]
        blobs = [*map(read, inputs), output]
        lines.append(" ".join([kind, name, str(len(inputs)), "1", *blobs, *numbers]))
        if (count := readers[output]) > 1:
            copies = [f"{output}_split_{i}" for i in range(count)]
            lines.append(" ".join(["Split", f"split_{output}", "1", str(count), output, *copies]))
    return lines


def _kind(layer, net):
    """Return ncnn's type and settings for a Caffe layer."""
    if layer.type == "Input":
        _, channels, height, width = net.blobs[layer.top[0]].data.shape
        return "Input", {0: width, 1: height, 2: channels}
    if layer.type in ("Convolution", "Deconvolution"):
        return _convolution(layer, net)
    if layer.type == "Pooling":
        return "Pooling", _pooling(layer)
    if layer.type == "ReLU":
        return "ReLU", {}
    if layer.type == "Eltwise" and layer.eltwise_param.operation == caffe_pb2.EltwiseParameter.SUM:
        if layer.eltwise_param.coeff:
            raise _unknown(layer, "coefficients")
        return "Eltwise", {0: 1}
    if layer.type == "Crop":
        if layer.crop_param.axis != 2:
            raise _unknown(layer, f"axis {layer.crop_param.axis}")
        y, x = (list(layer.crop_param.offset) * 2)[:2] or (0, 0)
        _, channels, height, width = net.blobs[layer.top[0]].data.shape
        return "Crop", {0: x, 1: y, 2: 0, 3: width, 4: height, 5: channels}
    raise _unknown(layer, "this type")


def _convolution(layer, net):
    """Return type and settings of a convolution or deconvolution, of one group or depthwise."""
    p, weight = layer.convolution_param, net.params[layer.name][0].data
    kernel, stride, pad, dilation = (
        _square(layer, values, default)
        for values, default in ((p.kernel_size, 0), (p.stride, 1), (p.pad, 0), (p.dilation, 1))
    )
    settings = {0: p.num_output, 1: kernel, 2: dilation, 3: stride, 4: pad}
    settings |= {5: int(p.bias_term), 6: weight.size}
    if p.group == 1 and layer.type == "Convolution":
        return layer.type, settings
    if p.group != p.num_output or weight.shape[1] != 1:
        raise _unknown(layer, f"{p.group} groups with {p.num_output} outputs")
    return f"{layer.type}DepthWise", settings | {7: p.group}


def _pooling(layer):
    p = layer.pooling_param
    if p.pool != caffe_pb2.PoolingParameter.MAX or p.global_pooling or p.HasField("kernel_h"):
        raise _unknown(layer, "another pooling than MAX over a square")
    pad_mode = 0 if p.round_mode == caffe_pb2.PoolingParameter.CEIL else 1
    return {0: 0, 1: p.kernel_size, 2: p.stride, 3: p.pad, 5: pad_mode}


def _square(layer, values, default):
    """Return the one value of a repeated setting."""
    if len(set(values)) > 1:
        raise _unknown(layer, f"settings that differ by axis ({list(values)})")
    return values[0] if values else default


def _unknown(layer, what):
    return ValueError(
        f"layer {layer.name!r} ({layer.type}) has {what}, which is not written for ncnn: add it to "
        "benchmarks/peers/ncnn_files.py, or leave ncnn out"
    )
