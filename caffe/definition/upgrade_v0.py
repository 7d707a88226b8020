"""Upgrade of the first layer format (2013), `layers { layer { type: "conv" kernelsize: 3 } }`.

The settings of all layer types were fields of one message; the tables here say which ones a type
read. Padding was a layer of its own, and becomes the `pad` of the convolution or pooling after it.
Source: BVLC Caffe, upgrade_proto.cpp.
"""

import logging
from collections.abc import Iterable

from caffe.definition.upgrade_v1 import copy_field, upgrade_param_specs
from caffe.proto import caffe_pb2

log = logging.getLogger("caffe")

INNER_PRODUCT = {
    "num_output": "num_output",
    "biasterm": "bias_term",
    "weight_filler": "weight_filler",
    "bias_filler": "bias_filler",
}
CONVOLUTION = INNER_PRODUCT | {
    "pad": "pad",
    "kernelsize": "kernel_size",
    "group": "group",
    "stride": "stride",
}
POOLING = {"pad": "pad", "kernelsize": "kernel_size", "stride": "stride", "pool": "pool"}
LRN = {"local_size": "local_size", "alpha": "alpha", "beta": "beta", "k": "k"}
DATA = {"source": "source", "batchsize": "batch_size", "rand_skip": "rand_skip"}
IMAGES = DATA | {"shuffle_images": "shuffle", "new_height": "new_height", "new_width": "new_width"}
WINDOWS = {
    "source": "source",
    "batchsize": "batch_size",
    "det_fg_threshold": "fg_threshold",
    "det_bg_threshold": "bg_threshold",
    "det_fg_fraction": "fg_fraction",
    "det_context_pad": "context_pad",
    "det_crop_mode": "crop_mode",
}
PREPROCESSING = {
    "scale": "scale",
    "meanfile": "mean_file",
    "cropsize": "crop_size",
    "mirror": "mirror",
}

# Old type: current type, the field with its settings, {old field: current field}.
TYPES = {
    "accuracy": ("Accuracy", None, {}),
    "bnll": ("BNLL", None, {}),
    "concat": ("Concat", "concat_param", {"concat_dim": "concat_dim"}),
    "conv": ("Convolution", "convolution_param", CONVOLUTION),
    "data": ("Data", "data_param", DATA),
    "dropout": ("Dropout", "dropout_param", {"dropout_ratio": "dropout_ratio"}),
    "euclidean_loss": ("EuclideanLoss", None, {}),
    "flatten": ("Flatten", None, {}),
    "hdf5_data": ("HDF5Data", "hdf5_data_param", {"source": "source", "batchsize": "batch_size"}),
    "hdf5_output": ("HDF5Output", None, {}),
    "im2col": ("Im2col", "convolution_param", CONVOLUTION),
    "images": ("ImageData", "image_data_param", IMAGES),
    "infogain_loss": ("InfogainLoss", "infogain_loss_param", {"source": "source"}),
    "innerproduct": ("InnerProduct", "inner_product_param", INNER_PRODUCT),
    "lrn": ("LRN", "lrn_param", LRN),
    "multinomial_logistic_loss": ("MultinomialLogisticLoss", None, {}),
    "pool": ("Pooling", "pooling_param", POOLING),
    "relu": ("ReLU", None, {}),
    "sigmoid": ("Sigmoid", None, {}),
    "softmax": ("Softmax", None, {}),
    "softmax_loss": ("SoftmaxWithLoss", None, {}),
    "split": ("Split", None, {}),
    "tanh": ("TanH", None, {}),
    "window_data": ("WindowData", "window_data_param", WINDOWS),
}
PADDED = {"Convolution": "convolution_param", "Pooling": "pooling_param"}


def upgrade_v0_layers(
    connections: Iterable[caffe_pb2.V1LayerParameter],
) -> list[caffe_pb2.LayerParameter]:
    """Return the LayerParameters equivalent to the layers of a first-format net.

    Parameters
    ----------
    connections : iterable of V1LayerParameter
        Each has the bottoms and tops of a layer, and a V0LayerParameter with all the rest.

    Returns
    -------
    list of LayerParameter
        Without the padding layers.

    Raises
    ------
    ValueError
        If a type has no successor; the message names the layer. A setting that means nothing to
        its type is ignored with a warning.
    """
    layers = []
    paddings: dict[str, tuple[str, int]] = {}  # top of a padding layer: its bottom and its pad
    for old in connections:
        if old.layer.type == "padding":
            if len(old.bottom) != 1 or len(old.top) != 1:
                raise ValueError(
                    f"layer {old.layer.name}: a padding layer takes one bottom and one top, this "
                    f"has {len(old.bottom)} and {len(old.top)}"
                )
            paddings[old.top[0]] = old.bottom[0], old.layer.pad
            continue
        layer = _upgrade_layer(old)
        _fold_padding(layer, paddings)
        for top in layer.top:  # a later blob of that name is no padding's
            paddings.pop(top, None)
        layers.append(layer)
    return layers


def _upgrade_layer(connection):
    """Return the LayerParameter of a layer other than padding, its own padding left as it is."""
    old = connection.layer
    if old.type not in TYPES:
        raise ValueError(
            f"layer {old.name}: unknown first-generation type {old.type!r}; "
            f"there are {', '.join(TYPES)}"
        )
    type_name, param, renamed = TYPES[old.type]
    layer = caffe_pb2.LayerParameter(
        name=old.name, type=type_name, bottom=connection.bottom, top=connection.top, blobs=old.blobs
    )
    for field, value in old.ListFields():
        if field.name in renamed:
            _set(getattr(layer, param), renamed[field.name], value)
        elif field.name in PREPROCESSING:
            _set(layer.transform_param, PREPROCESSING[field.name], value)
        elif field.name == "hdf5_output_param" and old.type == "hdf5_output":
            copy_field(layer, field, value)
        elif field.name not in ("name", "type", "blobs", "blobs_lr", "weight_decay"):
            log.warning(
                "layer %s: %s means nothing to type %r and is ignored",
                old.name,
                field.name,
                old.type,
            )
    upgrade_param_specs(layer, old.blobs_lr, old.weight_decay)
    return layer


def _set(settings, name, value):
    """Set a field of a parameter group; a repeated field gets the one value."""
    field = settings.DESCRIPTOR.fields_by_name[name]
    copy_field(settings, field, [value] if field.is_repeated else value)


def _fold_padding(layer, paddings):
    """Make a layer after a padding layer read the latter's bottom and pad by itself."""
    for i, bottom in enumerate(layer.bottom):
        if bottom not in paddings:
            continue
        if layer.type not in PADDED:
            raise ValueError(
                f"layer {layer.name}: only conv and pool can follow a padding layer, "
                f"not {layer.type}"
            )
        layer.bottom[i], pad = paddings[bottom]
        settings = getattr(layer, PADDED[layer.type])
        settings.ClearField("pad")
        _set(settings, "pad", pad)
