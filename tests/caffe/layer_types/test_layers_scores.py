"""Accuracy and ArgMax by counting; shapes and fillers of DummyData."""

import numpy as np
import pytest

import caffe
from caffe.errors import LabelRange, LayerError, ShapeMismatch


def accuracy(scores, labels, axis, top_k, ignore):
    """Return accuracy and accuracy per class; equal scores rank above that of the label."""
    scores = np.moveaxis(scores, axis, -1)
    correct, count = np.zeros(scores.shape[-1]), np.zeros(scores.shape[-1])
    for place, label in np.ndenumerate(labels.reshape(scores.shape[:-1]).astype(int)):
        if label != ignore:
            count[label] += 1
            better = sum(s >= scores[place][label] for s in scores[place]) - 1
            correct[label] += better < top_k
    return correct.sum() / max(1, count.sum()), correct / np.maximum(count, 1)


@pytest.mark.parametrize(
    "shapes, axis",
    [
        (((9, 4), (9,)), 1),
        (((2, 4, 3, 5), (2, 1, 3, 5)), 1),
        (((4, 6), (6,)), 0),
        (((2, 3, 4), (2, 3)), -1),
    ],
)
@pytest.mark.parametrize("top_k", [1, 2])
@pytest.mark.parametrize("ignore", [None, 2])
def test_accuracy(one_layer, shapes, axis, top_k, ignore):
    ignored = "" if ignore is None else f"ignore_label: {ignore}"
    net = one_layer(
        f'type: "Accuracy" top: "top" top: "each" accuracy_param {{ axis: {axis} '
        f"top_k: {top_k} {ignored} }}",
        *shapes,
    )
    net.blobs["in0"].data[...] = net.blobs["in0"].data.round()  # some become equal
    net.blobs["in1"].data[...] = np.random.default_rng(0).integers(0, 4, shapes[1])
    total, each = accuracy(net.blobs["in0"].data, net.blobs["in1"].data, axis, top_k, ignore)
    out = net.forward()
    assert out["top"].shape == () and out["top"] == pytest.approx(total)
    np.testing.assert_allclose(out["each"], each, rtol=1e-6)
    assert not net.backward()["in0"].any()


def test_accuracy_of_nothing_is_zero(one_layer):
    net = one_layer('type: "Accuracy" accuracy_param { ignore_label: 0 }', (2, 3), (2,))
    net.blobs["in1"].data[...] = 0
    assert net.forward()["top"] == 0


def test_accuracy_refuses(one_layer):
    with pytest.raises(ShapeMismatch, match="'layer'.*one label"):
        one_layer('type: "Accuracy"', (2, 3), (3,))
    with pytest.raises(LayerError, match="top_k is 4, there are 3"):
        one_layer('type: "Accuracy" accuracy_param { top_k: 4 }', (2, 3), (2,))
    net = one_layer('type: "Accuracy"', (2, 3), (2,))
    net.blobs["in1"].data[...] = [1, 3]
    with pytest.raises(LabelRange, match="label 3"):
        net.forward()


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("top_k", [1, 3])
@pytest.mark.parametrize("values", ["false", "true"])
def test_argmax(one_layer, axis, top_k, values):
    net = one_layer(
        f'type: "ArgMax" argmax_param {{ top_k: {top_k} out_max_val: {values} '
        f"{'' if axis is None else f'axis: {axis}'} }}",
        (3, 4, 5),
    )
    x = net.blobs["in0"].data
    x[...] = x.round()  # of equal values the later comes first
    rows = x.reshape(3, -1) if axis is None else np.moveaxis(x, axis, -1)
    order = np.lexsort((np.broadcast_to(np.arange(rows.shape[-1]), rows.shape), rows))
    places = order[..., ::-1][..., :top_k]
    largest = np.take_along_axis(rows, places, -1)
    out = net.forward()["top"]
    if axis is None:
        wanted = np.stack([places, largest] if values == "true" else [places], 1)
    else:
        wanted = np.moveaxis(largest if values == "true" else places, -1, axis)
    np.testing.assert_array_equal(out, wanted)


def test_argmax_of_images_keeps_four_axes(one_layer):
    net = one_layer('type: "ArgMax"', (2, 3, 4, 5))
    assert net.forward()["top"].shape == (2, 1, 1, 1)
    with pytest.raises(LayerError, match="top_k is 6, there are 5"):
        one_layer('type: "ArgMax" argmax_param { top_k: 6 axis: 3 }', (2, 3, 4, 5))


DUMMY = 'layer { name: "d" type: "DummyData" top: "a" top: "b" dummy_data_param { %s } }'


def test_dummy_data_shapes(make_net):
    for text, wanted in (
        ("shape { dim: 2 dim: 3 }", [(2, 3), (2, 3)]),
        ("shape { dim: 2 } shape { dim: 5 dim: 1 }", [(2,), (5, 1)]),
        ("num: 1 num: 2 channels: 3 height: 4 width: 5", [(1, 3, 4, 5), (2, 3, 4, 5)]),
    ):
        assert [b.shape for b in make_net(DUMMY % text).blobs.values()] == wanted
    for text in ("", "shape { } shape { } shape { }", "num: 1 channels: 3 height: 4"):
        with pytest.raises(LayerError, match="'d'.*give one each, or one for all"):
            make_net(DUMMY % text)
    with pytest.raises(LayerError, match="'d'.*unknown filler"):
        make_net(DUMMY % 'shape { dim: 2 } data_filler { type: "x" }').forward()


def test_dummy_data_fills_noise_each_time_and_constants_once(make_net):
    net = make_net(
        DUMMY % 'shape { dim: 9 } data_filler { type: "constant" value: 4 } '
        'data_filler { type: "gaussian" std: 1 }'
    )
    assert (net.blobs["a"].data == 4).all() and not net.blobs["b"].data.any()
    first = net.forward()["b"].copy()
    assert first.any()
    net.blobs["a"].data[...] = 7
    assert (net.forward()["b"] != first).any() and (net.blobs["a"].data == 7).all()
    caffe.set_random_seed(1)
    second = net.forward()["b"].copy()
    caffe.set_random_seed(1)
    np.testing.assert_array_equal(net.forward()["b"], second)


def test_a_stage_may_start_above_constant_dummy_data(make_net):
    net = make_net(
        'layer { name: "d" type: "DummyData" top: "a" dummy_data_param { '
        'shape { dim: 3 } } } layer { name: "p" type: "Power" bottom: "a" top: "p" '
        "power_param { shift: 1 } }"
    )
    assert (net.forward(start="p")["p"] == 1).all()
