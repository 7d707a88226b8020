"""Windows of one layer against brute force: change pixels, see which pixels of the top differ."""

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

import caffe
from caffe.engine.reach import (
    Edge,
    Need,
    Slide,
    Spread,
    area,
    contains,
    hull,
    is_restless,
    overlap,
    reach_of,
    whole,
)
from caffe.errors import CaffeError
from caffe.layer_types import make
from caffe.proto import caffe_pb2

CHANNELS = 2


def layer_of(text, bottoms=1, tops=1, phase=caffe.TEST):
    spec = caffe_pb2.LayerParameter(name="layer")
    spec.bottom.extend(f"in{i}" for i in range(bottoms))
    spec.top.extend(f"out{i}" for i in range(tops))
    text_format.Merge(text, spec)
    return make(spec, phase)


def reach_and_run(text, *shapes, tops=1, phase=caffe.TEST):
    """Return the reach of a layer, and run(*arrays) -> its first top, with positive weights."""
    layer = layer_of(text, len(shapes), tops, phase)
    geometry = layer.geometry(list(shapes))
    params = [torch.rand(s) + 0.1 for s, _ in layer.param_shapes(list(shapes))]

    def run(*arrays):
        return layer.forward(geometry, [torch.as_tensor(a) for a in arrays], params)[0].numpy()

    return reach_of(layer, geometry, list(shapes)), run


def hull_of(mask):
    """Return the hull of the True positions of an H x W mask, None if there are none."""
    if not mask.any():
        return None
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)


def differs(a, b):
    return hull_of(((a != b) & ~(np.isnan(a) & np.isnan(b))).any((0, 1)))


@st.composite
def windowed(draw):
    """Draw (text of a layer, whether its spans are tight, shape of its bottom)."""
    kind = draw(st.sampled_from(["Convolution", "Deconvolution", "Im2col", "MAX", "AVE"]))
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    size = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    if kind in ("MAX", "AVE"):
        pad = draw(st.integers(0, kernel - 1))
        rounding = draw(st.sampled_from(["CEIL", "FLOOR"]))
        text = (
            f"type: 'Pooling' pooling_param {{ pool: {kind} kernel_size: {kernel} "
            f"stride: {stride} pad: {pad} round_mode: {rounding} }}"
        )
        return text, stride <= kernel, (1, CHANNELS, *size)
    pad, dilation = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    text = (
        f"type: '{kind}' convolution_param {{ num_output: 2 kernel_size: {kernel} "
        f"stride: {stride} pad: {pad} dilation: {dilation} bias_term: false }}"
    )
    return text, stride <= kernel and dilation == 1, (1, CHANNELS, *size)


def windows_of(draw, size):
    spans = []
    for n in size:
        begin = draw(st.integers(0, n - 1))
        spans.append((begin, draw(st.integers(begin + 1, n))))
    return tuple(spans)


def made(case):
    """Return reach_and_run of a drawn case, None if the layer refuses the size."""
    text, _, shape = case
    try:
        return reach_and_run(text, shape)
    except CaffeError:
        return None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_a_window_reaches(data):
    case = data.draw(windowed())
    parts = made(case)
    if parts is None:
        return
    reach, run = parts
    window = windows_of(data.draw, case[2][2:])
    before = np.random.default_rng(0).random(case[2]).astype(np.float32)
    after = before.copy()
    after[(..., *(slice(*span) for span in window))] += 1
    changed, reached = differs(run(before), run(after)), reach.reached(window)
    if case[1]:
        assert changed == reached
    else:
        assert changed is None or (reached and contains(reached, changed))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_a_window_needs(data):
    """Changing all that it does not need leaves it alone; changing either end of it does not."""
    case = data.draw(windowed())
    parts = made(case)
    if parts is None:
        return
    reach, run = parts
    before = np.random.default_rng(1).random(case[2]).astype(np.float32)
    result = run(before)
    window = windows_of(data.draw, result.shape[2:])
    cut = (..., *(slice(*span) for span in window))
    needs = reach.needed(window)
    inside = (..., *(slice(n.begin, n.end) for n in needs))
    other = before + 1
    other[inside] = before[inside]
    np.testing.assert_array_equal(run(other)[cut], result[cut])
    if case[1] and all(n.end > n.begin for n in needs):
        for axis, need in enumerate(needs):
            for place in (need.begin, need.end - 1):
                other = before.copy()
                line = [slice(None)] * 4
                line[2 + axis] = slice(place, place + 1)
                other[tuple(line)] += 2
                assert (run(other)[cut] != result[cut]).any()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_padding_of_a_need(data):
    """Rows that are needed, padding included, are as many as the window slides over."""
    kernel, stride, dilation = (data.draw(st.integers(1, 4)) for _ in range(3))
    axis = Slide(7, 5, kernel, stride, data.draw(st.integers(-3, 5)), dilation)
    begin = data.draw(st.integers(0, 4))
    end = data.draw(st.integers(begin + 1, 5))
    need = axis.needed((begin, end))
    assert need.before + need.end - need.begin + need.after == (
        (end - begin - 1) * stride + dilation * (kernel - 1) + 1
    )
    read = [i * stride - axis.pad + dilation * k for i in range(begin, end) for k in range(kernel)]
    assert need.before == sum(p < 0 for p in range(min(read), max(read) + 1))
    assert need.after == sum(p >= 7 for p in range(min(read), max(read) + 1))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_interior_is_one_constant(data):
    """A bottom that is 1 in its interior, noise beyond; the top is constant just in its own."""
    case = data.draw(windowed())
    parts = made(case)
    if parts is None or "Im2col" in case[0]:
        return
    reach, run = parts
    interior = windows_of(data.draw, case[2][2:])
    noise = np.random.default_rng(2).random(case[2]).astype(np.float32) + 2
    noise[(..., *(slice(*span) for span in interior))] = 1
    top = run(noise)
    spans = reach.interior(interior)
    if any(begin >= end for begin, end in spans):
        return
    values = top[(..., *(slice(*span) for span in spans))]
    first = values[:, :, :1, :1]
    np.testing.assert_allclose(values, np.broadcast_to(first, values.shape), rtol=1e-5)
    if case[1] and "Deconvolution" not in case[0] and "AVE" not in case[0]:
        rows = np.isclose(top, first, rtol=1e-5).all((0, 1))
        assert hull_of(rows) == tuple(spans)


def test_an_image_continues_as_zeros():
    """Padded with 100 zeros, the image meets no border; a blob above it does, after one layer."""
    image = Slide(500, 698, kernel=3, pad=100)
    assert image.interior(None, Edge.ZERO) == (0, 698)
    assert image.reached((0, 500)) == (98, 600)
    assert Slide(698, 698, kernel=3, pad=1).interior((0, 698), Edge.ZERO) == (1, 697)
    assert Slide(697, 349, kernel=2, stride=2).interior((1, 696), Edge.CLIP) == (1, 348)
    # pooling takes what there is of its last window, but not beyond the interior
    assert Slide(697, 349, kernel=2, stride=2).interior((0, 697), Edge.CLIP) == (0, 349)
    assert Slide(697, 349, kernel=2, stride=2).interior((0, 697), Edge.ZERO) == (0, 348)


def test_worked_by_hand():
    """3 pixels at 4..6 of 10."""
    assert Slide(10, 10, kernel=3, pad=1).reached((4, 7)) == (3, 8)
    assert Slide(10, 10, kernel=3, pad=1).needed((0, 4)) == Need(0, 5, before=1)
    assert Slide(10, 5, kernel=2, stride=2).reached((4, 7)) == (2, 4)
    assert Slide(9, 5, kernel=2, stride=2).needed((3, 5)) == Need(6, 9, after=1)
    assert Slide(10, 10, kernel=3, pad=2, dilation=2).reached((4, 7)) == (2, 9)
    assert Slide(10, 3, kernel=1, stride=4).reached((5, 7)) == (2, 2)  # between the windows
    assert Slide(10, 4, pad=-3).reached((4, 7)) == (1, 4)  # a crop from 3 on
    assert Slide(10, 4, pad=-3).needed((1, 4)) == Need(4, 7)
    assert Slide(2, 9, kernel=3, pad=4).needed((8, 9)) == Need(2, 2, after=3)
    assert Spread(10, 22, kernel=4, stride=2).reached((4, 7)) == (8, 16)
    assert Spread(10, 22, kernel=4, stride=2).needed((8, 16)) == Need(3, 8)
    assert Spread(10, 20, kernel=4, stride=2, pad=1).needed((0, 1)) == Need(0, 1)
    assert Spread(10, 30, kernel=1, stride=3).needed((1, 3)) == Need(1, 1)  # only the bias


def test_windows():
    a, b = ((0, 4), (2, 5)), ((2, 6), (3, 4))
    assert area(a) == 12 and area(None) == 0 and area(()) == 1
    assert hull(a, b) == ((0, 6), (2, 5)) and hull(None, b) == b and hull(a, None) == a
    assert overlap(a, b) == ((2, 4), (3, 4)) and overlap(a, ((4, 6), (2, 5))) is None
    assert contains(a, ((1, 4), (2, 3))) and not contains(a, b)
    assert whole((1, 3, 7, 9)) == ((0, 7), (0, 9)) and whole((1, 3)) == ()


IMAGE = (1, 2, 5, 6)


@pytest.mark.parametrize(
    "text, shapes",
    [
        ("type: 'ReLU'", [IMAGE]),
        ("type: 'PReLU'", [IMAGE]),
        ("type: 'Eltwise'", [IMAGE, IMAGE]),
        ("type: 'Concat'", [IMAGE, (1, 3, 5, 6)]),
        ("type: 'Scale' scale_param { bias_term: true }", [IMAGE]),
        ("type: 'Bias' bias_param { axis: 0 }", [IMAGE, IMAGE]),
        ("type: 'BatchNorm'", [IMAGE]),
        ("type: 'Softmax'", [IMAGE]),
        ("type: 'LRN' lrn_param { local_size: 3 }", [IMAGE]),
        ("type: 'ArgMax' argmax_param { axis: 1 }", [IMAGE]),
        ("type: 'Dropout'", [IMAGE]),
        ("type: 'Tile' tile_param { tiles: 2 }", [IMAGE]),
        ("type: 'Power' power_param { power: 2 }", [IMAGE]),
    ],
)
def test_position_by_position(text, shapes):
    reach, run = reach_and_run(text, *shapes)
    rng = np.random.default_rng(3)
    before = [rng.random(s).astype(np.float32) + 0.5 for s in shapes]
    for i in range(len(shapes)):
        after = [a.copy() for a in before]
        after[i][:, :, 1:3, 4:5] = 3 * after[i][:, ::-1, 1:3, 4:5]  # the best class too
        reached = reach.reached(((1, 3), (4, 5)))
        assert reached == ((1, 3), (4, 5)) == differs(run(*before), run(*after))
        assert i in reach.reads[0]


def test_a_slice_and_a_crop_read_bottom_0():
    reach, _ = reach_and_run("type: 'Slice'", (1, 4, 5, 6), tops=2)
    assert reach.reads == ((0,), (0,))
    reach, run = reach_and_run(
        "type: 'Crop' crop_param { offset: 1 offset: 2 }", IMAGE, (1, 2, 4, 3)
    )
    assert reach.reads == ((0,),)
    assert reach.reached(((0, 2), (0, 4))) == ((0, 1), (0, 2))
    assert reach.reached(((0, 1), (0, 6))) is None


def test_a_convolution_of_two_bottoms_reads_each_for_its_own_top():
    text = "type: 'Convolution' convolution_param { num_output: 1 kernel_size: 3 }"
    reach, _ = reach_and_run(text, IMAGE, IMAGE, tops=2)
    assert reach.reads == ((0,), (1,))


@pytest.mark.parametrize(
    "text, shapes",
    [
        ("type: 'InnerProduct' inner_product_param { num_output: 2 }", [IMAGE]),
        ("type: 'Pooling' pooling_param { global_pooling: true }", [IMAGE]),
        ("type: 'Pooling' pooling_param { kernel_size: 2 pool: STOCHASTIC }", [IMAGE]),
        ("type: 'Softmax' softmax_param { axis: 2 }", [IMAGE]),
        ("type: 'LRN' lrn_param { norm_region: WITHIN_CHANNEL }", [IMAGE]),
        ("type: 'MVN'", [IMAGE]),
        ("type: 'Concat' concat_param { axis: 3 }", [IMAGE, IMAGE]),
        ("type: 'ArgMax'", [IMAGE]),
        ("type: 'Flatten'", [IMAGE]),
        ("type: 'Reshape' reshape_param { shape { dim: 0 dim: -1 dim: 5 dim: 2 } }", [IMAGE]),
        ("type: 'Scale' scale_param { axis: 2 num_axes: 1 }", [IMAGE]),
        ("type: 'Scale' scale_param { axis: 0 }", [IMAGE, (1, 2)]),
        ("type: 'Convolution' convolution_param { num_output: 1 kernel_size: 1 axis: 2 }", [IMAGE]),
        ("type: 'Convolution' convolution_param { num_output: 1 axis: -1 }", [(1, 2)]),
        ("type: 'ReLU'", [(1, 2)]),
        ("type: 'SPP' spp_param { pyramid_height: 2 }", [IMAGE]),
    ],
)
def test_everything(text, shapes):
    assert reach_and_run(text, *shapes)[0] is None


def test_a_maximum_with_its_index_is_everything():
    """The index counts from the corner of the image, so a window cannot give it."""
    text = "type: 'Pooling' pooling_param { kernel_size: 2 stride: 2 }"
    assert reach_and_run(text, IMAGE, tops=2)[0] is None


@pytest.mark.parametrize(
    "text, phase, restless",
    [
        ("type: 'Dropout'", caffe.TRAIN, True),
        ("type: 'Dropout'", caffe.TEST, False),
        ("type: 'BatchNorm'", caffe.TRAIN, True),
        ("type: 'BatchNorm'", caffe.TEST, False),
        ("type: 'Pooling' pooling_param { kernel_size: 2 pool: STOCHASTIC }", caffe.TRAIN, True),
        ("type: 'Pooling' pooling_param { kernel_size: 2 }", caffe.TRAIN, False),
        ("type: 'ReLU'", caffe.TRAIN, False),
    ],
)
def test_what_changes_by_itself(text, phase, restless):
    layer = layer_of(text, phase=phase)
    geometry = layer.geometry([IMAGE])
    assert is_restless(layer, geometry) is restless
    assert (reach_of(layer, geometry, [IMAGE]) is None) is restless


def test_spatial_axes_may_be_one_or_three():
    text = "type: 'Convolution' convolution_param { num_output: 1 kernel_size: 3 pad: 1 }"
    assert reach_and_run(text, (1, 2, 9))[0].reached(((4, 5),)) == ((3, 6),)
    reach, _ = reach_and_run(text, (1, 2, 9, 9, 9))
    assert reach.reached(((4, 5), (0, 1), (8, 9))) == ((3, 6), (0, 2), (7, 9))
