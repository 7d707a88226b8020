"""The lines of `debug_info: true`: how large values and gradients are, layer by layer.

Each number is the mean of the absolute values of a blob. It shows where a net dies out (0 from some
layer on), explodes or turns NaN. The values are those right after the layer ran, before a later one
overwrites them in place.

Source: BVLC Caffe, the ForwardDebugInfo, BackwardDebugInfo and UpdateDebugInfo of net.
"""

import logging
from collections.abc import Iterator

import torch

from caffe.blobs import device
from caffe.blobs.learned import learns
from caffe.net import Net

log = logging.getLogger("caffe")


def forward(net: Net) -> None:
    """Run a net forward; log each layer's tops and weights."""
    graph = net._graph
    for i, layer in enumerate(graph.layers):
        net.forward_range(i, i)
        for name in graph.tops[i]:
            _say("forward", layer.name, f"top {name}", data=net.blobs[name].synced_data)
        for k, blob in enumerate(net.params.get(layer.name, ())):
            _say("forward", layer.name, f"weights {k}", data=blob.synced_data)


def backward(net: Net) -> None:
    """Run a net backward; log the gradients of each layer's bottoms and weights."""
    graph = net._graph
    for i in range(len(graph.layers) - 1, -1, -1):
        net.backward_range(i, i)
        if not graph.need[i]:
            continue
        layer = graph.layers[i]
        for name, down in zip(graph.bottoms[i], graph.down[i]):
            if down:
                _say("backward", layer.name, f"bottom {name}", diff=net.blobs[name].synced_diff)
        for k, blob in enumerate(net.params.get(layer.name, ())):
            if learns(layer, k):
                _say("backward", layer.name, f"weights {k}", diff=blob.synced_diff)
    _say_norms(net)


def update(net: Net) -> None:
    """Log the weights, and what an update has just subtracted from them."""
    for layer, k, blob in _learned(net):
        _say("update", layer, f"weights {k}", data=blob.synced_data, diff=blob.synced_diff)


def _say(what, layer, blob, **sides):
    """Log the mean absolute value of one or both sides of a blob."""
    numbers = ", ".join(f"mean |{side}| {_mean(synced):.6g}" for side, synced in sides.items())
    log.info("    %s, layer %s, %s: %s", what, layer, blob, numbers)


def _say_norms(net):
    """Log the norms over all learned weights, and over their gradients."""
    sums = torch.zeros(4, dtype=torch.float64)
    for _, _, blob in _learned(net):
        data, diff = _values(blob.synced_data), _values(blob.synced_diff)
        parts = data.abs().sum(), diff.abs().sum(), data.square().sum(), diff.square().sum()
        sums += torch.stack(parts).cpu()
    log.info(
        "    backward, all weights: L1 norm of data %.6g, of diff %.6g; "
        "L2 norm of data %.6g, of diff %.6g",
        *sums[:2].tolist(),
        *sums[2:].sqrt().tolist(),
    )


def _learned(net: Net) -> Iterator[tuple]:
    """Yield (layer name, number, Blob) of each learned blob once."""
    seen = set()
    for name, blobs in net.params.items():
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
