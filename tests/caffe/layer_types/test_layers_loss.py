"""SoftmaxWithLoss against the formula in double precision."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

import caffe
from caffe.errors import CaffeError, LabelRange, ShapeMismatch


def by_hand(x, label, axis=1, ignore=None, normalization="VALID"):
    """Return loss and gradient, summed position by position."""
    x = np.moveaxis(x.astype(np.float64), axis, -1)
    label = label.reshape(x.shape[:-1]).astype(int)
    logp, gradient, total, valid = log_softmax(x, -1), softmax(x, -1), 0.0, 0
    for place in np.ndindex(label.shape):
        if label[place] == ignore:
            gradient[place] = 0
            continue
        total -= logp[place][label[place]]
        gradient[place][label[place]] -= 1
        valid += 1
    outer = int(np.prod(x.shape[:axis]))
    by = max(1, {"VALID": valid, "FULL": label.size, "BATCH_SIZE": outer, "NONE": 1}[normalization])
    return total / by, np.moveaxis(gradient, -1, axis) / by


def loss_net(one_layer, params, scores, labels, classes=None, tops='top: "top"', axis=1):
    net = one_layer(f'type: "SoftmaxWithLoss" {tops} {params}', scores, labels)
    rng = np.random.default_rng(2)
    net.blobs["in1"].data[...] = rng.integers(0, classes or scores[axis], labels)
    return net


@pytest.mark.parametrize(
    "scores, labels, axis",
    [
        ((3, 4), (3,), 1),
        ((2, 4, 3, 5), (2, 1, 3, 5), 1),
        ((2, 4, 3, 5), (2, 3, 5), 1),
        ((4, 5), (5,), 0),
        ((2, 3, 4), (2, 3), 2),
        ((2, 3, 4), (2, 3), -1),
    ],
)
@pytest.mark.parametrize("normalization", ["VALID", "FULL", "BATCH_SIZE", "NONE"])
@pytest.mark.parametrize("ignore", [None, 2])
def test_value_and_gradient(one_layer, scores, labels, axis, normalization, ignore):
    ignored = "" if ignore is None else f"ignore_label: {ignore}"
    net = loss_net(
        one_layer,
        f"loss_param {{ normalization: {normalization} {ignored} }} "
        f"softmax_param {{ axis: {axis} }}",
        scores,
        labels,
        axis=axis,
    )
    loss, gradient = by_hand(
        net.blobs["in0"].data, net.blobs["in1"].data, axis % len(scores), ignore, normalization
    )
    assert net.blobs["top"].shape == ()
    assert net.forward()["top"] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(net.backward()["in0"], gradient, atol=1e-6)
    assert not net.blobs["in1"].diff.any()


@pytest.mark.parametrize(
    "params, normalization",
    [
        ("normalize: true", "VALID"),
        ("normalize: false", "BATCH_SIZE"),
        ("", "VALID"),
        ("normalize: false normalization: FULL", "FULL"),
    ],
)
def test_the_deprecated_field_normalize(one_layer, params, normalization):
    net = loss_net(one_layer, f"loss_param {{ {params} ignore_label: 0 }}", (2, 3, 4), (2, 4))
    loss, _ = by_hand(net.blobs["in0"].data, net.blobs["in1"].data, 1, 0, normalization)
    assert net.forward()["top"] == pytest.approx(loss, rel=1e-5)


def test_all_labels_ignored(one_layer):
    net = loss_net(one_layer, "loss_param { ignore_label: 255 }", (2, 3), (2,))
    net.blobs["in1"].data[...] = 255
    assert net.forward()["top"] == 0
    assert not net.backward()["in0"].any()


def test_loss_weight_scales_the_gradient(one_layer):
    net = loss_net(one_layer, "loss_weight: 3", (2, 3), (2,))
    _, gradient = by_hand(net.blobs["in0"].data, net.blobs["in1"].data)
    net.forward()
    np.testing.assert_allclose(net.backward()["in0"], 3 * gradient, atol=1e-6)


def test_a_second_top_is_the_softmax_and_passes_no_gradient(one_layer):
    net = loss_net(one_layer, "", (2, 3, 4), (2, 4), tops='top: "top" top: "prob"')
    loss, gradient = by_hand(net.blobs["in0"].data, net.blobs["in1"].data)
    out = net.forward()
    np.testing.assert_allclose(out["prob"], softmax(net.blobs["in0"].data, 1), atol=1e-6)
    net.blobs["prob"].diff[...] = 100
    np.testing.assert_allclose(net.backward()["in0"], gradient, atol=1e-6)
    assert out["top"] == pytest.approx(loss, rel=1e-5)


def test_a_label_whose_probability_underflows(one_layer):
    net = loss_net(one_layer, "", (1, 2), (1,))
    net.blobs["in0"].data[...] = [[0, 1000]]
    net.blobs["in1"].data[...] = 0
    assert net.forward()["top"] == pytest.approx(-np.log(np.finfo(np.float32).tiny))
    np.testing.assert_array_equal(net.backward()["in0"], [[-1, 1]])


@pytest.mark.parametrize("label", [3, -1, 255, float("nan")])
@pytest.mark.parametrize("ignore", ["", "ignore_label: 7"])
def test_labels_outside_the_classes(one_layer, label, ignore):
    net = loss_net(one_layer, f"loss_param {{ {ignore} }}", (2, 3), (2,))
    net.blobs["in1"].data[1] = label
    with pytest.raises(LabelRange, match=r"^layer 'layer' .*outside the classes 0\.\.2.*labels"):
        net.forward()
    assert issubclass(LabelRange, CaffeError)


@pytest.mark.parametrize("labels", [(3,), (2, 2, 4), (2, 4, 3), ()])
def test_labels_that_do_not_match_the_positions(one_layer, labels):
    with pytest.raises(ShapeMismatch, match="'layer'.*one label each"):
        one_layer('type: "SoftmaxWithLoss"', (2, 3, 4), labels)


def test_in_float32_at_any_precision(one_layer):
    net = loss_net(one_layer, "", (2, 300), (2,))
    net.blobs["in1"].data[...] = [257, 299]  # bfloat16 cannot represent 257
    exact = float(net.forward()["top"])
    caffe.set_precision("bfloat16")
    assert float(net.forward()["top"]) == exact
