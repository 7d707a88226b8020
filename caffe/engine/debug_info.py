"""The lines of `debug_info: true`: how large values and gradients are, layer by layer.

Each number is the mean of the absolute values of a blob. It shows where a net dies out (0 from some
layer on), explodes or turns NaN. The values are those right after the layer ran, before a later one
overwrites them in place. With `debug_info` in its prototxt a net shows them whenever a layer runs;
with that of a solver, its training net does at each `display`, with norms and updates, and its test
nets at each test. For its nets the solver decides alone, as in Caffe.

Source: BVLC Caffe, the ForwardDebugInfo, BackwardDebugInfo and UpdateDebugInfo of net.
"""

import logging
from collections.abc import Iterator, Mapping

import torch

from caffe.blobs import device
from caffe.blobs.blob import Blob, BlobVec
from caffe.blobs.learned import learns
from caffe.graph import Graph

log = logging.getLogger("caffe")


def say_layer(
    direction: str, graph: Graph, i: int, blobs: Mapping[str, Blob], params: Mapping[str, BlobVec]
) -> None:
    """Log the tops and weights of a layer that has run forward, or its gradients after backward.

    Parameters
    ----------
    direction : str
        "forward" or "backward".
    graph : Graph
    i : int
        Number of the layer.
    blobs : mapping of str to Blob
        The net's blobs by name.
    params : mapping of str to list of Blob
        The learned blobs by layer name.
    """
    layer = graph.layers[i]
    own = params.get(layer.name, ())
    if direction == "forward":
        for name in graph.tops[i]:
            _say("forward", layer.name, f"top {name}", data=blobs[name].synced_data)
        for k, blob in enumerate(own):
            _say("forward", layer.name, f"weights {k}", data=blob.synced_data)
    elif graph.need[i]:
        for name, down in zip(graph.bottoms[i], graph.down[i]):
            if down:
                _say("backward", layer.name, f"bottom {name}", diff=blobs[name].synced_diff)
        for k, blob in enumerate(own):
            if learns(layer, k):
                _say("backward", layer.name, f"weights {k}", diff=blob.synced_diff)


def say_update(params: Mapping[str, BlobVec]) -> None:
    """Log the weights, and what an update has just subtracted from them."""
    for layer, k, blob in _learned(params):
        _say("update", layer, f"weights {k}", data=blob.synced_data, diff=blob.synced_diff)


def say_norms(params: Mapping[str, BlobVec]) -> None:
    """Log the norms over all learned weights, and over their gradients."""
    sums = torch.zeros(4, dtype=torch.float64)
    for _, _, blob in _learned(params):
        data, diff = _values(blob.synced_data), _values(blob.synced_diff)
        parts = data.abs().sum(), diff.abs().sum(), data.square().sum(), diff.square().sum()
        sums += torch.stack(parts).cpu()
    log.info(
        "    backward, all weights: L1 norm of data %.6g, of diff %.6g; "
        "L2 norm of data %.6g, of diff %.6g",
        *sums[:2].tolist(),
        *sums[2:].sqrt().tolist(),
    )


def _say(what, layer, blob, **sides):
    """Log the mean absolute value of one or both sides of a blob."""
    numbers = ", ".join(f"mean |{side}| {_mean(synced):.6g}" for side, synced in sides.items())
    log.info("    %s, layer %s, %s: %s", what, layer, blob, numbers)


def _learned(params: Mapping[str, BlobVec]) -> Iterator[tuple]:
    """Yield (layer name, number, Blob) of each learned blob once."""
    seen = set()
    for name, blobs in params.items():
        for k, blob in enumerate(blobs):
            if id(blob) not in seen:
                seen.add(id(blob))
                yield name, k, blob


def _mean(synced):
    values = _values(synced)
    return float(values.abs().mean()) if values.numel() else 0.0


def _values(synced):
    """Return the values in float64; reading them does not change them."""
    return synced.tensor(device.device()).detach().double()
