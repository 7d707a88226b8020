"""What a net costs: multiply-adds of its layers and stages, counted from shapes.

Only layers with dense weights count (Convolution, Deconvolution, InnerProduct); pooling, ReLU, sums
and crops are below a hundredth of an FCN-8s.
"""

import numpy as np

from lib.stages import FCN8S, check_stages


def multiply_adds(net):
    """{layer: multiply-adds} for all layers of the net, at the sizes its blobs have now.

    A weight of a convolution is used once per output position, of a deconvolution once per input
    position. The weight blob holds the inputs of one group only, so that grouping is counted.
    """
    return {
        name: _layer_macs(net, name, layer.type)
        for name, layer in zip(net._layer_names, net.layers, strict=True)
    }


def stage_cost(net, stages=FCN8S):
    """{stage name: multiply-adds of its layers}, at the sizes the blobs of the net have now.

    Raises ValueError where the net lacks a layer that a stage names.
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
    positions_of = {
        "Convolution": net.top_names,
        "Deconvolution": net.bottom_names,
        "InnerProduct": None,
    }
    if kind not in positions_of:
        return 0
    weights = int(np.prod(net.params[name][0].data.shape))
    if kind == "InnerProduct":
        top = net.blobs[net.top_names[name][0]].data
        return top.size // net.params[name][0].data.shape[0] * weights
    # one layer may take several blobs with the same weights
    return sum(
        _positions(net.blobs[blob].data.shape) * weights for blob in positions_of[kind][name]
    )


def _positions(shape):
    """Places in a batch that a kernel is put at: images times height times width."""
    return shape[0] * int(np.prod(shape[2:]))
