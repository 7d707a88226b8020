"""Multiply-adds of the layers and stages of a net, counted from shapes.

Only layers with dense weights count (Convolution, Deconvolution, InnerProduct). Pooling, ReLU, sums
and crops are less than a hundredth of an FCN-8s.
"""

from collections.abc import Sequence

import numpy as np

from lib.stages import FCN8S, Net, Stage, check_stages


def multiply_adds(net: Net) -> dict[str, int]:
    """Count the multiply-adds of every layer, at the current sizes of its blobs.

    A weight of a convolution is used once per output position, of a deconvolution once per input
    position. The weight blob has the input channels of one group only, so groups are accounted
    for.

    Parameters
    ----------
    net : Net

    Returns
    -------
    dict of str to int
        By layer name.
    """
    return {
        name: _layer_macs(net, name, layer.type)
        for name, layer in zip(net._layer_names, net.layers, strict=True)
    }


def stage_cost(net: Net, stages: Sequence[Stage] = FCN8S) -> dict[str, int]:
    """Count the multiply-adds of every stage, at the current sizes of the blobs.

    Parameters
    ----------
    net : Net
    stages : sequence of Stage

    Returns
    -------
    dict of str to int
        By stage name.

    Raises
    ------
    ValueError
        If the net lacks a layer that a stage names.
    """
    check_stages(net, stages)
    names, macs = list(net._layer_names), multiply_adds(net)
    return {
        stage.name: sum(
            macs[layer] for layer in names[names.index(stage.start) : names.index(stage.end) + 1]
        )
        for stage in stages
    }


def _layer_macs(net, name, kind):
    positions_of = {"Convolution": net.top_names, "Deconvolution": net.bottom_names}
    if kind not in positions_of and kind != "InnerProduct":
        return 0
    weights = net.params[name][0].data
    if kind == "InnerProduct":
        rows = net.blobs[net.top_names[name][0]].data.size // weights.shape[0]
        return rows * weights.size
    # a layer may have several inputs and outputs with the same weights
    return sum(
        _positions(net.blobs[blob].data.shape) * weights.size for blob in positions_of[kind][name]
    )


def _positions(shape):
    """Count the positions of a kernel in a batch: images times height times width."""
    return shape[0] * int(np.prod(shape[2:]))
