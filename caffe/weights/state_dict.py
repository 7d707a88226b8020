"""A net's weights under PyTorch's names: `Net.state_dict` and `Net.load_state_dict`.

    layer type                      blob 0         blob 1        blob 2
    Convolution Deconvolution       weight         bias
    InnerProduct Embed              weight         bias
    Scale                           weight         bias          (two bottoms: only bias, blob 0)
    Bias                            bias
    PReLU                           weight
    BatchNorm                       running_mean   running_var   scale_factor
    any other, Python               0              1             2 ...

Keys are `layer.name`, such as `conv1_1.weight`. Tensors have the shapes of torch's modules. These
are Caffe's, except for InnerProduct with `transpose`, whose weight is num_output x inputs here too.

BatchNorm keeps sums in Caffe and means in PyTorch: running_mean and running_var are blobs 0 and 1
divided by blob 2, scale_factor is blob 2. Files that PyTorch writes have no scale_factor. Blob 2
then becomes 1 / (1 - moving_average_fraction), the value that it converges to over many batches, so
training continues as with PyTorch's moving average. num_batches_tracked is ignored.
Source of the names: torch.nn's modules.
"""

import os
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from caffe.blobs import single
from caffe.blobs.blob import Blob
from caffe.blobs.holders import LayerOfNet, NetWithWeights
from caffe.errors import ShapeMismatch, WeightsError
from caffe.weights import torch_file
from caffe.weights.all_or_none import put_all
from caffe.weights.files import PathLike, check_file, likely_cause
from caffe.weights.torch_file import TooMuch

NAMES: dict[str, tuple[str, ...]] = {
    "Convolution": ("weight", "bias"),
    "Deconvolution": ("weight", "bias"),
    "InnerProduct": ("weight", "bias"),
    "Embed": ("weight", "bias"),
    "Scale": ("weight", "bias"),
    "Bias": ("bias",),
    "PReLU": ("weight",),
    "BatchNorm": ("running_mean", "running_var", "scale_factor"),
}
IGNORED = "num_batches_tracked"


class Loaded(NamedTuple):
    """What `load` found on one side only, as torch.nn.Module.load_state_dict returns it."""

    missing_keys: list[str]
    unexpected_keys: list[str]


@dataclass
class Entry:
    """A learned blob under its key; `k` is its index among the layer's blobs."""

    key: str
    layer: LayerOfNet
    k: int
    blob: Blob

    def tensor(self) -> torch.Tensor:
        """Return the blob's memory as a tensor, in the shape that torch's module has."""
        return as_torch(self.layer, self.k, torch.from_numpy(self.blob.data))


def names(layer: LayerOfNet) -> tuple[str, ...]:
    """Return the names of a layer's learned blobs, at least as many as it has; () if numbered."""
    known = NAMES.get(layer.spec.type, ())
    return known[1:] if layer.spec.type == "Scale" and len(layer.spec.bottom) > 1 else known


def as_torch(layer: LayerOfNet, k: int, tensor: torch.Tensor) -> torch.Tensor:
    """Return a view of blob `k` of a layer in the shape of torch's module, or the reverse."""
    transposed = layer.spec.type == "InnerProduct" and layer.spec.inner_product_param.transpose
    return tensor.t() if transposed and k == 0 else tensor


def entries(net: NetWithWeights) -> list[Entry]:
    """Return the Entry of each blob of each layer; a shared blob appears once per layer."""
    layers = {layer.name: layer for layer in net._graph.layers}
    return [
        Entry(f"{name}.{dict(enumerate(names(layers[name]))).get(k, k)}", layers[name], k, blob)
        for name, blobs in net.params.items()
        for k, blob in enumerate(blobs)
    ]


def state_dict(net: NetWithWeights) -> OrderedDict[str, torch.Tensor]:
    """Return the weights of a net under PyTorch's names.

    Parameters
    ----------
    net : Net

    Returns
    -------
    OrderedDict of str to torch.Tensor
        The weights' own memory, on the CPU, except for the means and variances of BatchNorm, which
        are computed.
    """
    tensors = OrderedDict((e.key, e.tensor()) for e in entries(net))
    for name, layer in net.layer_dict.items():
        if layer.type == "BatchNorm":
            scale = tensors[f"{name}.scale_factor"]
            factor = torch.where(scale == 0, 0, 1 / scale)  # as BatchNorm itself does
            for statistic in ("running_mean", "running_var"):
                tensors[f"{name}.{statistic}"] = tensors[f"{name}.{statistic}"] * factor
    return tensors


def load(
    net: NetWithWeights, source: PathLike | Mapping[str, torch.Tensor | np.ndarray], strict: bool
) -> Loaded:
    """Copy weights under PyTorch's names into a net: all of them, or none.

    Parameters
    ----------
    net : Net
    source : path or mapping of str to torch.Tensor or ndarray
        A file of torch.save is read with `weights_only`, so it cannot run code.
    strict : bool
        Whether to refuse keys that only one side has.

    Returns
    -------
    Loaded
        The keys that `source` lacks and those that the net does not have.

    Raises
    ------
    WeightsError
        If the file is damaged, holds something else than tensors, or has other keys.
    ShapeMismatch
        If a shape differs; the message has the layer, both shapes and the likely cause.
    """
    place = "load_state_dict"
    if isinstance(source, (str, os.PathLike)):
        place, source = os.fspath(source), read(source)
    wanted = entries(net)
    given = _tensors(source, place)
    known = {e.key for e in wanted}
    unexpected = [k for k in given if k not in known and k.rpartition(".")[2] != IGNORED]
    filled = {id(e.blob) for e in wanted if e.key in given}
    missing = [
        e.key for e in wanted if id(e.blob) not in filled and not e.key.endswith(".scale_factor")
    ]
    if strict and (missing or unexpected):
        raise WeightsError(f"{place}: {_disagreement(net, missing, unexpected)}")
    pairs: list[tuple[Entry, torch.Tensor]] = []
    values: dict[int, torch.Tensor] = {}  # by id of the blob
    for e in wanted:
        if e.key in given:
            value = _fitted(e, given[e.key], place)
            if not torch.equal(values.setdefault(id(e.blob), value), value):
                raise WeightsError(
                    f"{place}: {e.key!r} differs from what another layer gives for the same "
                    "weights, which the net shares: make them equal, or leave one out"
                )
            pairs.append((e, value))
    with torch.no_grad():
        pairs = _batch_norm_sums(net, pairs)
        arrays = [as_torch(e.layer, e.k, value).numpy() for e, value in pairs]
    put_all((e.blob for e, _ in pairs), arrays)
    return Loaded(missing, unexpected)


def read(path: PathLike) -> Any:
    """Return what torch.load finds in a file; raise WeightsError unless it is all tensors."""
    check_file(path)
    try:
        with open(path, "rb") as file:
            torch_file.check(file)
            return torch.load(file, map_location="cpu", weights_only=True)
    except TooMuch as e:
        raise WeightsError(f"{path}: {e}") from None
    except pickle.UnpicklingError as e:
        raise WeightsError(
            f"{path} is not a file of tensors (torch.save(model.state_dict(), path) writes one), "
            "or it is damaged; other Python objects are not loaded, as that would run their code: "
            f"{_first_line(e)}"
        ) from None
    except Exception as e:  # a damaged file fails anywhere in torch's reader
        raise WeightsError(
            f"{path} is not a PyTorch file, or damaged: {type(e).__name__}: {_first_line(e)}: "
            "fetch it again"
        ) from None


def _first_line(error):
    """Return the first line of an exception's message, cut to 200 characters."""
    return (str(error).strip().splitlines() or [""])[0][:200]


def _tensors(source, place):
    """Return {key: tensor} of a dict of tensors or arrays; raise WeightsError for anything else."""
    if not isinstance(source, Mapping):
        raise WeightsError(
            f"{place}: holds a {type(source).__name__}, must be a dict of tensors: give what "
            "model.state_dict() returns"
        )
    for key, value in source.items():
        if isinstance(value, Mapping):
            raise WeightsError(
                f"{place}: {key!r} is a dict, not a tensor: it may be the weights in a "
                f"checkpoint: give load_state_dict(that[{key!r}])"
            )
        if not isinstance(key, str) or not isinstance(value, (torch.Tensor, np.ndarray)):
            raise WeightsError(
                f"{place}: {key!r} is a {type(value).__name__}: give tensors under names, only the "
                "weights of a checkpoint"
            )
    return dict(source)


def _disagreement(net, missing, unexpected):
    """Return which keys are on one side only, and why that may be."""

    def some(keys):
        more = f" and {len(keys) - 8} more" if len(keys) > 8 else ""
        return f"{' '.join(keys[:8])}{more}"

    parts = []
    if missing:
        parts.append(f"lacks {some(missing)}")
    if unexpected:
        parts.append(f"has {some(unexpected)}, which the net has not")
    layers = net.layer_dict
    hint = "or pass strict=False to copy what both have"
    owners = [k.rpartition(".")[0] for k in unexpected]
    if all(k.startswith("module.") for k in unexpected) and unexpected:
        hint = 'the keys begin with "module.", as DataParallel writes them: remove that'
    elif any(o in layers and layers[o].type == "BatchNorm" for o in owners):
        hint = "the weight and bias of a BatchNorm belong to the Scale layer after it: rename them"
    elif not any(o in layers for o in owners) and missing:
        first = " ".join(list(net.params)[:3])
        hint = f"names must be those of the Caffe layers ({first} ...), {hint}"
    return f"{'; '.join(parts)}: {hint}"


def _fitted(entry, value, place):
    """Return `value` as a float32 tensor of the entry's shape; raise if it does not fit.

    The weights of a convolution and of an inner product fit each other if they have the same
    outputs and as many inputs. So do shapes that differ only in leading ones (older files).
    """
    subject = f"{place}: layer {entry.layer.name!r}, {entry.key}"
    try:
        value = torch.as_tensor(value)
    except TypeError:
        value = torch.empty(0, dtype=torch.bool)
    if not value.is_floating_point() or value.layout != torch.strided or value.is_meta:
        raise WeightsError(
            f"{subject}: must be a dense tensor of floating-point numbers, is {value.dtype} "
            f"{value.device if value.is_meta else value.layout}"
        )
    mine, theirs = tuple(entry.tensor().shape), tuple(value.shape)
    if not _alike(mine, theirs):
        raise ShapeMismatch(
            f"{subject}: shape {theirs} is given, {mine} in the net: {likely_cause(mine, theirs)}"
        )
    fitted = value.detach().to("cpu", torch.float32).reshape(mine)
    if value.dtype == torch.float64:
        single.warn_of_infinite(fitted.numpy(), subject)
    return fitted


def _alike(mine, theirs):
    """Tell whether weights of one shape mean the same when reshaped to the other."""
    if mine == theirs or _trimmed(mine) == _trimmed(theirs):
        return True
    few, many = sorted((mine, theirs), key=len)
    return len(few) == 2 < len(many) and few == (many[0], int(np.prod(many[1:])))


def _trimmed(shape):
    """Return a shape without leading ones."""
    first = next((i for i, d in enumerate(shape) if d != 1), len(shape))
    return shape[first:]


def _batch_norm_sums(net, pairs):
    """Return the pairs (Entry, value), those of BatchNorm converted from means to Caffe's sums."""
    given = {e.key: (e, value) for e, value in pairs}
    own = {e.key: e for e in entries(net)}
    current = state_dict(net)  # a statistic that is not given keeps its value
    for name, layer in net.layer_dict.items():
        keys = mean, variance, factor = [f"{name}.{s}" for s in NAMES["BatchNorm"]]
        if layer.type != "BatchNorm" or not any(key in given for key in keys):
            continue
        fraction = own[mean].layer.spec.batch_norm_param.moving_average_fraction
        limit = torch.tensor([1 / (1 - fraction) if fraction < 1 else 1.0])
        scale = given[factor][1] if factor in given else limit
        for key in (mean, variance):
            given[key] = own[key], (given[key][1] if key in given else current[key]) * scale
        given[factor] = own[factor], scale
    return list(given.values())
