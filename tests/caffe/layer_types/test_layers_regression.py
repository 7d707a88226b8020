"""Regression losses against their formulas in double precision."""

import numpy as np
import pytest

from caffe.errors import ShapeMismatch

SHAPE = (3, 4, 2)


def test_euclidean_loss(one_layer):
    net = one_layer('type: "EuclideanLoss" loss_weight: 2', SHAPE, (3, 8))
    a, b = net.blobs["in0"].data, net.blobs["in1"].data.reshape(SHAPE)
    assert net.forward()["top"] == pytest.approx(((a - b) ** 2).sum() / 6, rel=1e-5)
    net.backward()
    np.testing.assert_allclose(net.blobs["in0"].diff, 2 * (a - b) / 3, rtol=1e-5)
    np.testing.assert_allclose(net.blobs["in1"].diff.reshape(SHAPE), 2 * (b - a) / 3, rtol=1e-5)


@pytest.mark.parametrize(
    "params, normalizer",
    [
        ("", "BATCH_SIZE"),
        ("normalize: true", "VALID"),
        ("normalize: false", "BATCH_SIZE"),
        *((f"normalization: {n}", n) for n in ("VALID", "FULL", "BATCH_SIZE", "NONE")),
    ],
)
@pytest.mark.parametrize("ignore", [False, True])
def test_sigmoid_cross_entropy(one_layer, params, normalizer, ignore):
    net = one_layer(
        'type: "SigmoidCrossEntropyLoss" loss_param { '
        f"{params} {'ignore_label: 255' if ignore else ''} }}",
        SHAPE,
        SHAPE,
    )
    x, t = net.blobs["in0"].data, net.blobs["in1"].data
    t[...] = np.random.default_rng(0).uniform(size=SHAPE)
    keep = np.ones(SHAPE, bool)
    if ignore:
        t[0, 1], keep[0, 1] = 255, False
    s = 1 / (1 + np.exp(-x.astype(np.float64)))
    by = {"VALID": keep.sum(), "FULL": keep.size, "BATCH_SIZE": 3, "NONE": 1}[normalizer]
    terms = np.where(keep, -t * np.log(s) - (1 - t) * np.log(1 - s), 0)
    assert net.forward()["top"] == pytest.approx(terms.sum() / by, rel=1e-5)
    np.testing.assert_allclose(net.backward()["in0"], np.where(keep, s - t, 0) / by, atol=1e-6)
    assert not net.blobs["in1"].diff.any()


def test_extreme_scores(one_layer):
    net = one_layer('type: "SigmoidCrossEntropyLoss"', (1, 2), (1, 2))
    net.blobs["in0"].data[...], net.blobs["in1"].data[...] = [[-500, 500]], [[1, 1]]
    assert net.forward()["top"] == 500
    np.testing.assert_array_equal(net.backward()["in0"], [[-1, 0]])


@pytest.mark.parametrize("kind", ["EuclideanLoss", "SigmoidCrossEntropyLoss"])
def test_sizes_that_differ(one_layer, kind):
    with pytest.raises(ShapeMismatch, match="'layer'"):
        one_layer(f'type: "{kind}"', (2, 3), (2, 4))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1, 1)])
def test_contrastive_loss(one_layer, legacy, shape):
    net = one_layer(
        f'type: "ContrastiveLoss" contrastive_loss_param {{ margin: 4 legacy_version: '
        f"{str(legacy).lower()} }}",
        shape,
        shape,
        (6,),
    )
    a, b = (net.blobs[name].data.reshape(6, 5).astype(np.float64) for name in ("in0", "in1"))
    alike = np.array([0, 1, 0, 0, 1, 0])
    net.blobs["in2"].data[...] = alike
    loss, gradient = 0, np.zeros((6, 5))
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        d = np.linalg.norm(x - y)
        if alike[i]:
            loss, gradient[i] = loss + d**2, x - y
        elif legacy:
            loss += max(0, 4 - d**2)
            gradient[i] = -(x - y) * (d**2 < 4)
        else:
            loss += max(0, 4 - d) ** 2
            gradient[i] = -max(0, 4 - d) * (x - y) / (d + 1e-4)
    assert gradient[0].any() or legacy
    assert net.forward()["top"] == pytest.approx(loss / 12, rel=1e-5)
    net.backward()
    np.testing.assert_allclose(net.blobs["in0"].diff.reshape(6, 5), gradient / 6, atol=1e-6)
    np.testing.assert_allclose(net.blobs["in1"].diff.reshape(6, 5), -gradient / 6, atol=1e-6)
    assert not net.blobs["in2"].diff.any()


def test_equal_vectors(one_layer):
    net = one_layer('type: "ContrastiveLoss"', (1, 2), (1, 2), (1,))
    for name in ("in0", "in1", "in2"):
        net.blobs[name].data[...] = 0
    assert net.forward()["top"] == 0.5
    assert not net.backward()["in0"].any()  # and not nan


@pytest.mark.parametrize(
    "shapes, words",
    [
        (((3, 4), (3, 5), (3,)), "cannot be compared"),
        (((3, 4, 2), (3, 4, 2), (3,)), "N x C x 1 x 1"),
        (((3, 4), (3, 4), (4,)), "3 pairs"),
    ],
)
def test_contrastive_loss_refuses(one_layer, shapes, words):
    with pytest.raises(ShapeMismatch, match=f"'layer'.*{words}"):
        one_layer('type: "ContrastiveLoss"', *shapes)
