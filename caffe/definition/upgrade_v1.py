"""Upgrade of the second layer format (2014), `layers { type: CONVOLUTION blobs_lr: 1 }`.

Source: BVLC Caffe, upgrade_proto.cpp.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from caffe.proto import caffe_pb2

# Types whose name is not the old one with its words capitalised (INNER_PRODUCT: InnerProduct).
SPELLED_OTHERWISE = {
    "ABSVAL": "AbsVal",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "LRN": "LRN",
    "MVN": "MVN",
    "NONE": "",
    "RELU": "ReLU",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "TANH": "TanH",
}
# Fields with the same name and meaning in both messages.
CARRIED = [
    field.name
    for field in caffe_pb2.V1LayerParameter.DESCRIPTOR.fields
    if field.name in caffe_pb2.LayerParameter.DESCRIPTOR.fields_by_name
    and field.name not in ("type", "param")
]


def upgrade_v1_layer(old: caffe_pb2.V1LayerParameter) -> caffe_pb2.LayerParameter:
    """Return the LayerParameter equivalent to `old`."""
    layer = caffe_pb2.LayerParameter()
    for field, value in old.ListFields():
        if field.name in CARRIED:
            copy_field(layer, field, value)
    if old.HasField("type"):
        layer.type = layer_type(caffe_pb2.V1LayerParameter.LayerType.Name(old.type))
    upgrade_param_specs(layer, old.blobs_lr, old.weight_decay, old.param, old.blob_share_mode)
    return layer


def layer_type(v1_name: str) -> str:
    """Return the current name of a layer type: Convolution for CONVOLUTION."""
    capitalised = "".join(word.capitalize() for word in v1_name.split("_"))
    return SPELLED_OTHERWISE.get(v1_name, capitalised)


def upgrade_param_specs(
    layer: caffe_pb2.LayerParameter,
    blobs_lr: Sequence[float],
    weight_decay: Sequence[float],
    names: Sequence[str] = (),
    share_modes: Sequence[int] = (),
) -> None:
    """Turn lists with one entry per learned blob into the `param` groups of `layer`."""
    for field, values in (
        ("lr_mult", blobs_lr),
        ("decay_mult", weight_decay),
        ("name", names),
        ("share_mode", share_modes),
    ):
        for i, value in enumerate(values):
            if i == len(layer.param):
                layer.param.add()
            setattr(layer.param[i], field, value)


def copy_field(message: Message, field: FieldDescriptor, value: Any) -> None:
    """Set the field of `message` that has the name and the kind of `field` to `value`."""
    if field.is_repeated:
        getattr(message, field.name).extend(value)
    elif field.message_type:
        getattr(message, field.name).CopyFrom(value)
    else:
        setattr(message, field.name, value)
