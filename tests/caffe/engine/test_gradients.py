"""Gradients of every layer type.

Autograd through the layer's forward is compared with finite differences in double precision; the
Net's backward in float32 is compared with that.
"""

import numpy as np
import pytest
import torch

import caffe
from caffe.layer_types import registry
from tests.caffe.layer_types.layer_cases import CASES, layer_and_values, name_of

# data sources and sinks, layers that only describe their bottoms, and user-defined layers
NO_GRADIENT = set(
    "Accuracy ArgMax Data DummyData HDF5Data HDF5Output ImageData Input MemoryData "
    "Python Silence Threshold".split()
)
ROUNDED = {"MVN", "ContrastiveLoss"}  # their gradient omits a small term, as in Caffe


def test_all_layer_types_are_covered():
    tested = {case[0] for case in CASES}
    assert set(registry) - NO_GRADIENT == tested


def traced(layer, geometry, values, params, dtype=torch.float64):
    """Return (function from the differentiable tensors to the tops, those tensors).

    Only tops with a gradient are returned.
    """
    bottoms = [
        torch.tensor(v, dtype=dtype, requires_grad=layer.takes_gradient(i))
        for i, v in enumerate(values)
    ]
    learned = [
        torch.tensor(p, dtype=dtype, requires_grad=layer.spec.type != "BatchNorm") for p in params
    ]

    def run(*_):
        caffe.set_random_seed(0)  # the same draws each time
        tops = layer.forward(geometry, bottoms, learned)[: len(geometry.tops)]
        return tuple(t for t in tops if t.requires_grad)

    return run, [t for t in bottoms + learned if t.requires_grad]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_against_finite_differences(case):
    layer, geometry, values, params = layer_and_values(*case)
    run, leaves = traced(layer, geometry, values, params)
    assert leaves
    torch.autograd.gradcheck(
        run, leaves, eps=1e-6, atol=1e-3 if case[0] in ROUNDED else 1e-6, rtol=1e-4, fast_mode=True
    )


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_nets_backward(one_layer, case):
    kind, options, shapes, *_ = case
    layer, geometry, values, params = layer_and_values(*case)
    random = kind == "Dropout" or "STOCHASTIC" in options
    run, leaves = traced(
        layer, geometry, values, params, torch.float32 if random else torch.float64
    )
    net = one_layer(f'type: "{kind}" {options}', *shapes, phase=caffe.TRAIN)
    for i, v in enumerate(values):
        net.blobs[f"in{i}"].data[...] = v
    blobs = net.params.get("layer", [])
    for blob, p in zip(blobs, params, strict=True):
        blob.data[...] = p
    tops = run()
    caffe.set_random_seed(0)
    net.forward()
    diffs = [np.random.default_rng(i).normal(size=tuple(t.shape)) for i, t in enumerate(tops)]
    for name, diff, top in zip(layer.spec.top, diffs, tops, strict=False):
        np.testing.assert_allclose(net.blobs[name].data, top.detach(), rtol=1e-4, atol=1e-5)
        net.blobs[name].diff[...] = diff
    wanted = torch.autograd.grad(
        tops, leaves, [torch.tensor(d).to(t) for d, t in zip(diffs, tops, strict=True)]
    )
    net.backward()
    mine = [net.blobs[f"in{i}"] for i in range(len(values)) if layer.takes_gradient(i)]
    mine += [] if kind == "BatchNorm" else list(blobs)
    for blob, gradient in zip(mine, wanted, strict=True):
        scale = float(gradient.abs().max())
        np.testing.assert_allclose(blob.diff, gradient, rtol=1e-3, atol=1e-4 * scale)
