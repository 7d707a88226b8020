"""A window of a layer is the same part of a whole run."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe.engine.changes import windowed
from caffe.engine.reach import place, reach_of
from caffe.errors import CaffeError
from tests.caffe.layer_types.layer_cases import CASES, layer_and_values, name_of


def parts(layer, geometry, values, params, window):
    """Return [(a window of each top, the same part of the whole top)]."""
    shapes = [tuple(v.shape) for v in values]
    reach = reach_of(layer, geometry, shapes)
    bottoms = [torch.tensor(v, dtype=torch.float32) for v in values]
    learned = [torch.tensor(p, dtype=torch.float32) for p in params]
    with torch.no_grad():
        tops = layer.forward(geometry, bottoms, learned)
        found = windowed.run(layer, geometry, reach, bottoms, learned, window)
    return list(zip(found, (top[place(window)] for top in tops), strict=True))


def windowable(case):
    layer, geometry, values, _ = layer_and_values(*case)
    return reach_of(layer, geometry, [tuple(np.shape(v)) for v in values]) is not None


@pytest.mark.parametrize("case", [c for c in CASES if windowable(c)], ids=name_of)
def test_every_window_of_every_type(case):
    layer, geometry, values, params = layer_and_values(*case)
    values = [np.asarray(v) for v in values]
    size = geometry.tops[0][2:]
    spans = [[(b, e) for b in range(n) for e in range(b + 1, n + 1)] for n in size]
    for k in range(max(map(len, spans))):  # each span of each axis, with one of the others
        window = tuple(s[k % len(s)] for s in spans)
        for found, wanted in parts(layer, geometry, values, params, window):
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_the_types_that_can_be_windowed():
    """What an incremental forward promises: these must not fall back to whole runs."""
    found = {case[0] for case in CASES if windowable(case)}
    assert found >= set(
        "Convolution Deconvolution Pooling ReLU PReLU ELU Sigmoid TanH Power Exp Log AbsVal BNLL "
        "Clip Swish Eltwise Concat Slice Crop Scale Bias Split Softmax LRN Tile Im2col".split()
    )


@st.composite
def sliding(draw):
    kind = draw(st.sampled_from(["Convolution", "Deconvolution", "Im2col", "MAX", "AVE"]))
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    shape = (draw(st.integers(1, 2)), 2, draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    if kind in ("MAX", "AVE"):
        pad = draw(st.integers(0, kernel - 1))
        options = (
            f"pooling_param {{ pool: {kind} kernel_size: {kernel} stride: {stride} pad: {pad} }}"
        )
        return "Pooling", options, [shape]
    pad, dilation = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    group = draw(st.sampled_from([1, 2]))
    return (
        kind,
        f"convolution_param {{ num_output: 2 kernel_size: {kernel} stride: {stride} pad: {pad} "
        f"dilation: {dilation} group: {group} }}",
        [shape],
    )


@settings(max_examples=400, deadline=None)
@given(sliding(), st.data())
def test_random_windows_that_a_change_reaches(case, data):
    try:
        layer, geometry, values, params = layer_and_values(*case)
    except CaffeError:
        return
    params = [np.round(4 * np.asarray(p)) for p in params]  # whole numbers: sums are exact
    values = [np.round(4 * np.asarray(v)) for v in values]
    spans = []
    for n in case[2][0][2:]:
        begin = data.draw(st.integers(0, n - 1))
        spans.append((begin, data.draw(st.integers(begin + 1, n))))
    reached = reach_of(layer, geometry, case[2]).reached(tuple(spans))
    if reached is None:
        return
    for found, wanted in parts(layer, geometry, values, params, reached):
        if "AVE" in case[1]:  # the mean is scaled after rounding
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("case", [c for c in CASES if windowable(c)], ids=name_of)
def test_exact_layers_are_bit_equal(case):
    layer, geometry, values, params = layer_and_values(*case)
    if windowed.is_exact(layer):
        window = tuple((n // 2, n) for n in geometry.tops[0][2:])
        values = [np.asarray(v) for v in values]
        for found, wanted in parts(layer, geometry, values, params, window):
            np.testing.assert_array_equal(found, wanted)
    else:
        inexact = "Convolution Deconvolution BNLL ELU Sigmoid TanH Swish Exp Log Power Softmax LRN"
        assert layer.spec.type in inexact.split()
