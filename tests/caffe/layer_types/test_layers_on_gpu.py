"""Layers on another device than the CPU: PyTorch's fake tensors know devices and shapes, no values.

A layer that mixes devices, such as by a table that it makes on the CPU, fails here as it would on a
GPU. The other device is "meta", which every PyTorch has. Layers that look at values, to check
labels or to count, are run up to that look only.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from caffe.layer_types import activations, pooling
from tests.caffe.layer_types.layer_cases import CASES, layer_and_values, name_of

ELSEWHERE = torch.device("meta")


def run(function):
    """Call a function in fake mode; True unless it stopped at a look at values."""
    with FakeTensorMode(allow_non_fake_inputs=False):
        try:
            function()
        except (DataDependentOutputException, DynamicOutputShapeException):
            return False
    return True


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_no_layer_mixes_devices(case, dtype, monkeypatch):
    layer, geometry, values, params = layer_and_values(*case)
    for module in (activations, pooling):  # this device has no random numbers of its own
        monkeypatch.setattr(module, "generator", lambda where: None)

    def forward():
        x = [torch.empty(v.shape, device=ELSEWHERE, dtype=dtype) for v in values]
        w = [torch.empty(v.shape, device=ELSEWHERE) for v in params]
        tops = layer.forward(geometry, x, w)
        assert {top.device for top in tops if top is not None} == {ELSEWHERE}

    if not run(forward):
        pytest.skip("looks at values")


def test_mixed_devices_are_noticed():
    def mixed():
        return torch.ones(2, device=ELSEWHERE) * torch.ones(2)

    with pytest.raises(RuntimeError, match="devices"):
        run(mixed)
