"""A net's weights under PyTorch's names: `Net.state_dict` and `Net.load_state_dict`.

    layer type                      blob 0         blob 1        blob 2
    Convolution Deconvolution       weight         bias
    InnerProduct Embed              weight         bias
    Scale                           weight         bias          (bias alone beside two bottoms)
    Bias                            bias
    PReLU                           weight
    BatchNorm                       running_mean   running_var   scale_factor
    any other, Python               0              1             2 ...

Keys are `layer.name`, as in `conv1_1.weight`. Tensors have the shapes of torch's modules, which are
Caffe's, but for InnerProduct with `transpose`: its weight shows as num_output x inputs here too.

BatchNorm keeps sums in Caffe and means in PyTorch: running_mean and running_var are blobs 0 and 1
divided by blob 2, scale_factor is blob 2. A file without scale_factor, as PyTorch writes them, is
taken for one of many batches: blob 2 becomes 1 / (1 - moving_average_fraction), with which training
goes on as PyTorch's moving average would; num_batches_tracked is passed over.
Source of the names: torch.nn's modules.
"""

import os
import pickle
from collections import OrderedDict, namedtuple
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from caffe.blobs.blob import Blob
from caffe.errors import ShapeMismatch, WeightsError
from caffe.weights.files import cause, check_file

NAMES = {
    "Convolution": ("weight", "bias"),
    "Deconvolution": ("weight", "bias"),
    "InnerProduct": ("weight", "bias"),
    "Embed": ("weight", "bias"),
    "Scale": ("weight", "bias"),
    "Bias": ("bias",),
    "PReLU": ("weight",),
    "BatchNorm": ("running_mean", "running_var", "scale_factor"),
}
PASSED_OVER = "num_batches_tracked"
Loaded = namedtuple("Loaded", "missing_keys unexpected_keys")


@dataclass
class Entry:
    """A learned blob under its key."""

    key: str
    layer: object  # LayerType
    k: int  # which of the layer's blobs
    blob: Blob

    def tensor(self):
        """The blob's memory as a tensor, in the shape that torch's module has."""
        return as_torch(self.layer, self.k, torch.from_numpy(self.blob.data))


def names(layer):
    """Names of a LayerType's learned blobs, as many as it may have; () where they are numbered."""
    known = NAMES.get(layer.spec.type, ())
    return known[1:] if layer.spec.type == "Scale" and len(layer.spec.bottom) > 1 else known


def as_torch(layer, k, tensor):
    """A view of blob k of a layer in the shape of torch's module, or of that again as the blob."""
    turned = layer.spec.type == "InnerProduct" and layer.spec.inner_product_param.transpose
    return tensor.t() if turned and k == 0 else tensor


def entries(net):
    """[Entry] of all blobs of all layers, a shared blob once per layer."""
    layers = {layer.name: layer for layer in net._graph.layers}
    return [
        Entry(f"{name}.{dict(enumerate(names(layers[name]))).get(k, k)}", layers[name], k, blob)
        for name, blobs in net.params.items()
        for k, blob in enumerate(blobs)
    ]


def state_dict(net):
    """OrderedDict key -> tensor; see the module for the keys. On the CPU the tensors are the
    weights' own memory, but for the means and variances of BatchNorm, which are worked out.
    """
    made = OrderedDict((e.key, e.tensor()) for e in entries(net))
    for name, layer in net.layer_dict.items():
        if layer.type == "BatchNorm":
            scale = made[name + ".scale_factor"]
            by = torch.where(scale == 0, 0, 1 / scale)  # what BatchNorm itself computes
            for statistic in ("running_mean", "running_var"):
                made[f"{name}.{statistic}"] = made[f"{name}.{statistic}"] * by
    return made


def load(net, source, strict):
    """Copy `source`, a dict of tensors (or arrays) or the path of a file of torch.save, into a net.

    Of a file only tensors are read (weights_only), so that it cannot run code. strict: refuse keys
    that only one side has. Returns (missing_keys, unexpected_keys). WeightsError, or ShapeMismatch
    with layer, both shapes and likely cause; then nothing was copied.
    """
    place = "load_state_dict"
    if isinstance(source, (str, os.PathLike)):
        place, source = os.fspath(source), read(os.fspath(source))
    wanted = entries(net)
    given = _tensors(source, place)
    unexpected = [k for k in given if k not in {e.key for e in wanted}]
    found = {id(e.blob) for e in wanted if e.key in given}
    missing = [
        e.key for e in wanted if id(e.blob) not in found and not e.key.endswith(".scale_factor")
    ]
    unexpected = [k for k in unexpected if k.rpartition(".")[2] != PASSED_OVER]
    if strict and (missing or unexpected):
        raise WeightsError(f"{place}: {_disagreement(net, missing, unexpected)}")
    pairs, values = [], {}
    for e in wanted:
        if e.key in given:
            value = _fitted(e, given[e.key], place)
            if not torch.equal(values.setdefault(id(e.blob), value), value):
                raise WeightsError(
                    f"{place}: {e.key!r} differs from what another layer gives for the same "
                    "weights, which the net shares: make them equal, or leave one "
                    "out"
                )
            pairs.append((e, value))
    with torch.no_grad():
        for e, value in _sums(net, pairs):
            e.tensor().copy_(value)
    return Loaded(missing, unexpected)


def read(path):
    """What torch.load finds in `path`, tensors only; WeightsError where it finds anything else."""
    check_file(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as e:
        why = str(e).strip().splitlines()[0][:200]
        raise WeightsError(
            f"{path} is no file of tensors (torch.save(model.state_dict(), path) writes "
            "one), or it is damaged; other Python objects are not loaded, as that "
            f"would run their code: {why}"
        ) from None
    except Exception as e:  # a damaged file fails anywhere in torch's reader
        why = (str(e).strip().splitlines() or [""])[0][:200]
        raise WeightsError(
            f"{path} is no PyTorch file, or damaged: {type(e).__name__}: {why}: fetch it again"
        ) from None


def _tensors(source, place):
    """{key: tensor} of a dict of tensors or arrays; WeightsError where something else is in it."""
    if not isinstance(source, Mapping):
        raise WeightsError(
            f"{place}: holds a {type(source).__name__}, must be a dict of tensors: give what model.state_dict()"
            " returns"
        )
    made = {}
    for key, value in source.items():
        if isinstance(value, Mapping):
            raise WeightsError(
                f"{place}: {key!r} is a dict, not a tensor: it may be the weights in a "
                f"checkpoint: give load_state_dict(that[{key!r}])"
            )
        if not isinstance(key, str) or not isinstance(value, (torch.Tensor, np.ndarray)):
            raise WeightsError(
                f"{place}: {key!r} is a {type(value).__name__}: give tensors under names, only the weights of a "
                "checkpoint"
            )
        made[key] = value
    return made


def _disagreement(net, missing, unexpected):
    """Which keys are in one and not in the other, and why that may be."""

    def some(keys):
        return "{}{}".format(" ".join(keys[:8]), " and %d more" % (len(keys) - 8) * (len(keys) > 8))

    parts = []
    if missing:
        parts.append(f"lacks {some(missing)}")
    if unexpected:
        parts.append(f"has {some(unexpected)}, which the net has not")
    layers = net.layer_dict
    hint = "or pass strict=False to copy what both have"
    owners = [k.rpartition(".")[0] for k in unexpected]
    if all(k.startswith("module.") for k in unexpected) and unexpected:
        hint = 'the keys begin with "module.", as DataParallel writes them: cut that off'
    elif any(o in layers and layers[o].type == "BatchNorm" for o in owners):
        hint = "the weight and bias of a BatchNorm belong to the Scale layer after it: rename them"
    elif not any(o in layers for o in owners) and missing:
        hint = (
            "names must be those of the Caffe layers ({} ...), ".format(
                " ".join(list(net.params)[:3])
            )
            + hint
        )
    return "{}: {}".format("; ".join(parts), hint)


def _fitted(entry, value, place):
    """`value` as a float32 tensor of the entry's shape; ShapeMismatch or WeightsError if it cannot.

    A convolution's weight and an inner product's of the same outputs and as many inputs fit each
    other, and so do shapes that differ only in leading ones (older files).
    """
    where = f"{place}: layer {entry.layer.name!r}, {entry.key}"
    try:
        value = torch.as_tensor(value)
    except TypeError:
        value = torch.empty(0, dtype=torch.bool)
    if not value.is_floating_point() or value.layout != torch.strided or value.is_meta:
        raise WeightsError(
            f"{where}: must be a dense tensor of floating-point numbers, is {value.dtype} {value.device if value.is_meta else value.layout}"
        )
    mine, theirs = tuple(entry.tensor().shape), tuple(value.shape)
    if not _alike(mine, theirs):
        raise ShapeMismatch(
            f"{where}: shape {theirs} is given, {mine} in the net: {cause(mine, theirs)}"
        )
    return value.detach().to("cpu", torch.float32).reshape(mine)


def _alike(mine, theirs):
    if mine == theirs or _trimmed(mine) == _trimmed(theirs):
        return True
    few, many = sorted((mine, theirs), key=len)
    return len(few) == 2 < len(many) and few == (many[0], int(np.prod(many[1:])))


def _trimmed(shape):
    """Without leading ones."""
    first = next((i for i, d in enumerate(shape) if d != 1), len(shape))
    return shape[first:]


def _sums(net, pairs):
    """The pairs (Entry, value), with those of BatchNorm as Caffe keeps them."""
    given = {e.key: (e, value) for e, value in pairs}
    own = {e.key: e for e in entries(net)}
    now = state_dict(net)  # a statistic that is not given keeps its value
    for name, layer in net.layer_dict.items():
        keys = mean, variance, factor = [f"{name}.{s}" for s in NAMES["BatchNorm"]]
        if layer.type != "BatchNorm" or not any(key in given for key in keys):
            continue
        fraction = own[mean].layer.spec.batch_norm_param.moving_average_fraction
        steady = torch.tensor([1 / (1 - fraction) if fraction < 1 else 1.0])
        scale = given[factor][1] if factor in given else steady
        for key in (mean, variance):
            given[key] = own[key], (given[key][1] if key in given else now[key]) * scale
        given[factor] = own[factor], scale
    return list(given.values())
