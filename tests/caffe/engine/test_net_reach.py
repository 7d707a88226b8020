"""What a change reaches in a whole net, and the multiply-adds that it costs."""

import numpy as np
import pytest

import caffe
from caffe.engine.net_reach import NetReach
from lib.cost import multiply_adds as counted_by_lib
from lib.stages import FCN8S
from nets.weights import find_net

SMALL = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 2 dim: 12 dim: 14 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 3 kernel_size: 3 pad: 1 weight_filler { type: "constant" value: 1 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param {
  pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "up" type: "Deconvolution" bottom: "pool" top: "up" convolution_param {
  num_output: 3 kernel_size: 4 stride: 2 weight_filler { type: "constant" value: 1 } } }
layer { name: "crop" type: "Crop" bottom: "up" bottom: "conv" top: "crop"
  crop_param { offset: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "crop" bottom: "conv" top: "sum" }
layer { name: "dense" type: "InnerProduct" bottom: "pool" top: "dense"
  inner_product_param {
  num_output: 5 weight_filler { type: "constant" value: 1 } } }
"""


def reach_of(net):
    executor = net._executor
    return NetReach(executor.graph, executor.blobs, executor.params, executor.geometry)


def reached_by_name(net, changed, **layers):
    reach = reach_of(net)
    found = reach.reached(changed, **layers)
    first = layers.get("first", 0)
    return {net._layer_names[first + i]: windows[0] for i, windows in enumerate(found)}


def test_through_a_net_by_hand(make_net):
    """Pixel (5, 6)."""
    net = make_net(SMALL)
    assert reached_by_name(net, {"data": ((5, 6), (6, 7))}) == {
        "data": ((5, 6), (6, 7)),
        "conv": ((4, 7), (5, 8)),
        "relu": ((4, 7), (5, 8)),
        "pool": ((2, 4), (2, 4)),
        "up": ((4, 10), (4, 10)),
        "crop": ((3, 9), (3, 9)),
        "sum": ((3, 9), (3, 9)),
        "dense": (),
    }
    assert set(reached_by_name(net, {}).values()) == {None}


def test_it_is_what_changes(make_net):
    caffe.set_kernels("torch")  # whose sums do not depend on what lies beside a window
    net = make_net(SMALL)
    rng = np.random.default_rng(0)
    net.blobs["data"].data[...] = rng.random((1, 2, 12, 14))
    net.forward()
    before = {name: blob.data.copy() for name, blob in net.blobs.items()}
    net.blobs["data"].data[:, :, 5:6, 6:7] += 1
    net.forward()
    for layer, window in reached_by_name(net, {"data": ((5, 6), (6, 7))}).items():
        name = net.top_names[layer][0]
        differs = (net.blobs[name].data != before[name]).any((0, 1))
        wanted = np.zeros_like(differs)
        wanted[tuple(slice(*span) for span in window)] = True
        np.testing.assert_array_equal(differs, wanted)


def test_a_range_of_layers(make_net):
    net = make_net(SMALL)
    found = reached_by_name(net, {"pool": ((0, 1), (0, 1))}, first=4, last=5)
    assert found == {"up": ((0, 4), (0, 4)), "crop": ((0, 3), (0, 3))}


def test_all_multiply_adds_are_those_of_lib(make_net):
    net = make_net(SMALL)
    assert reach_of(net).all_multiply_adds() == counted_by_lib(net)
    assert reach_of(net).all_multiply_adds({"data": ((0, 12), (0, 14))}) == counted_by_lib(net)


def test_multiply_adds_of_a_pixel(make_net):
    """conv: 9 positions of 9 x 2 x 3 weights; up: 16 x 3 x 3 weights, at the 2 x 2 that changed
    and, as these share tops with their neighbours, those around them; dense: all."""
    counted = reach_of(make_net(SMALL)).all_multiply_adds({"data": ((5, 6), (6, 7))})
    assert counted == {
        "data": 0, "conv": 9 * 54, "relu": 0, "pool": 0, "up": 4 * 4 * 144, "crop": 0, "sum": 0,
        "dense": 5 * 3 * 6 * 7,
    }  # fmt: skip


@pytest.fixture(scope="module")
def fcn8s():
    net = caffe.Net(str(find_net("stage-voc-fcn8s")), caffe.TEST)
    net.blobs["data"].reshape(1, 3, 500, 500)
    net.reshape()
    return net


def shares(net, changed):
    """Return the multiply-adds that a change reaches, by stage, as shares of all."""
    counted, total = reach_of(net).all_multiply_adds(changed), sum(counted_by_lib(net).values())
    names = list(net._layer_names)
    return {
        s.name: sum(counted[n] for n in names[names.index(s.start) : names.index(s.end) + 1])
        / total
        for s in FCN8S
    }


def test_counted_bounds_of_fcn8s(fcn8s):
    """A whole new frame, and a square of 5 % of the pixels, against a count made apart from this.

    69 %, the rest is the static border; 22 %, of which 18 are deep; shallow and middle 3.6 %.
    """
    frame = shares(fcn8s, {"data": ((0, 500), (0, 500))})
    assert sum(frame.values()) == pytest.approx(0.689, abs=5e-4)
    square = shares(fcn8s, {"data": ((194, 306), (194, 306))})
    assert sum(square.values()) == pytest.approx(0.217, abs=5e-4)
    assert square["shallow"] + square["middle"] == pytest.approx(0.0363, abs=1e-4)
    assert square["deep"] == pytest.approx(0.1806, abs=5e-5)


def test_the_outer_edge_meets_the_image_in_conv5(fcn8s):
    """Up to pool4 a constant surrounds what the image reaches, from conv5_1 on none does."""
    reach = reach_of(fcn8s)
    interior, found = reach.interiors(), reach.reached({"data": ((0, 500), (0, 500))})
    index = {name: i for i, name in enumerate(fcn8s._layer_names)}
    assert interior["data"] is None
    for name, image, inner in (
        ("conv1_1", (98, 600), (0, 698)),
        ("conv1_2", (97, 601), (1, 697)),
        ("pool3", (10, 78), (3, 85)),
        ("pool4", (3, 41), (3, 41)),
        ("conv5_1", (2, 42), (4, 40)),
    ):
        assert found[index[name]][0] == (image, image)
        assert interior[name] == (inner, inner)
