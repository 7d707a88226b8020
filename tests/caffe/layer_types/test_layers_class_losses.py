"""HingeLoss, MultinomialLogisticLoss and InfogainLoss, summed by hand in double precision."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

import caffe
from caffe.errors import LabelRange, LayerError, ShapeMismatch, WeightsError
from caffe.proto import caffe_pb2


@pytest.mark.parametrize("norm", ["", "norm: L1", "norm: L2"])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1, 1)])
def test_hinge_loss(one_layer, check_gradients, norm, shape):
    net = one_layer(f'type: "HingeLoss" hinge_loss_param {{ {norm} }}', shape, (4,))
    label = np.array([4, 0, 2, 2])
    net.blobs["in1"].data[...] = label
    x = net.blobs["in0"].data.reshape(4, 5).astype(np.float64)
    total, squared = 0, "L2" in norm
    for row, own in zip(x, label, strict=True):
        for k, score in enumerate(row):
            short = max(0, 1 - score if k == own else 1 + score)
            total += short**2 if squared else short
    assert net.forward()["top"] == pytest.approx(total / 4, rel=1e-5)
    check_gradients(net, skip=["in1"], step=1e-3)
    assert not net.blobs["in1"].diff.any()


def test_no_gradient_on_or_beyond_the_margin(one_layer):
    net = one_layer('type: "HingeLoss"', (1, 3), (1,))
    net.blobs["in0"].data[...], net.blobs["in1"].data[...] = [[1, -1, -1.5]], 0
    assert net.forward()["top"] == 0
    assert not net.backward()["in0"].any()


def test_multinomial_logistic_loss(one_layer):
    net = one_layer('type: "MultinomialLogisticLoss"', (3, 4), (3,))
    p = softmax(net.blobs["in0"].data, 1)
    net.blobs["in0"].data[...], net.blobs["in1"].data[...] = p, [1, 3, 0]
    own = p[range(3), [1, 3, 0]]
    assert net.forward()["top"] == pytest.approx(-np.log(own).sum() / 3, rel=1e-5)
    wanted = np.zeros((3, 4))
    wanted[range(3), [1, 3, 0]] = -1 / own / 3
    np.testing.assert_allclose(net.backward()["in0"], wanted, rtol=1e-5)


def test_a_probability_of_zero(one_layer):
    net = one_layer('type: "MultinomialLogisticLoss"', (1, 2), (1,))
    net.blobs["in0"].data[...], net.blobs["in1"].data[...] = [[0, 1]], 0
    assert net.forward()["top"] == pytest.approx(-np.log(1e-20))
    np.testing.assert_allclose(net.backward()["in0"], [[-1e20, 0]], rtol=1e-5)


@pytest.mark.parametrize("kind", ["HingeLoss", "MultinomialLogisticLoss"])
def test_one_label_each(one_layer, kind):
    for labels in ((4,), (3, 2), ()):
        with pytest.raises(ShapeMismatch, match="'layer'.*one label"):
            one_layer(f'type: "{kind}"', (3, 4), labels)
    net = one_layer(f'type: "{kind}"', (3, 4), (3,))
    net.blobs["in1"].data[...] = [0, 4, 1]
    with pytest.raises(LabelRange, match="label 4 is outside the classes 0..3"):
        net.forward()


def infogain(x, label, matrix, axis, ignore, normalization):
    """Return loss and gradient, summed position by position."""
    x = np.moveaxis(x.astype(np.float64), axis, -1)
    logp, p, gradient, total, valid = log_softmax(x, -1), softmax(x, -1), np.zeros(x.shape), 0, 0
    label = label.reshape(x.shape[:-1]).astype(int)
    for place in np.ndindex(label.shape):
        row = matrix[label[place]] if label[place] != ignore else np.zeros(len(matrix))
        valid += label[place] != ignore
        total -= (row * logp[place]).sum()
        gradient[place] = p[place] * row.sum() - row
    outer = int(np.prod(x.shape[:axis]))
    by = max(1, {"VALID": valid, "FULL": label.size, "BATCH_SIZE": outer, "NONE": 1}[normalization])
    return total / by, np.moveaxis(gradient, -1, axis) / by


@pytest.fixture
def matrix(tmp_path):
    """Return a matrix H of four classes, and the path of a file with it."""
    values = np.random.default_rng(5).uniform(size=(4, 4)).astype(np.float32)
    path = tmp_path / "h.binaryproto"
    path.write_bytes(
        caffe_pb2.BlobProto(
            num=1, channels=1, height=4, width=4, data=values.ravel()
        ).SerializeToString()
    )
    return values, path


@pytest.mark.parametrize(
    "shapes, axis", [(((3, 4), (3,)), 1), (((2, 4, 3), (2, 3)), 1), (((2, 3, 4), (2, 3)), -1)]
)
@pytest.mark.parametrize("normalization", ["VALID", "FULL", "BATCH_SIZE", "NONE"])
@pytest.mark.parametrize("ignore", [None, 2])
@pytest.mark.parametrize("third", [True, False])
def test_infogain_loss(one_layer, matrix, shapes, axis, normalization, ignore, third):
    values, path = matrix
    ignored = "" if ignore is None else f"ignore_label: {ignore}"
    source = "" if third else f'source: "{path}"'
    net = one_layer(
        f'type: "InfogainLoss" top: "top" top: "prob" infogain_loss_param {{ {source} '
        f"axis: {axis} }} loss_param {{ normalization: {normalization} {ignored} }}",
        *shapes,
        *[(4, 4)] * third,
    )
    x, label = net.blobs["in0"].data, net.blobs["in1"].data
    label[...] = np.random.default_rng(0).integers(0, 4, shapes[1])
    if third:
        net.blobs["in2"].data[...] = values
    loss, gradient = infogain(x, label, values, axis % x.ndim, ignore, normalization)
    out = net.forward()
    assert out["top"] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(out["prob"], softmax(x, axis), rtol=1e-5)
    net.blobs["prob"].diff[...] = 100  # is not propagated
    np.testing.assert_allclose(net.backward()["in0"], gradient, atol=1e-6)


def test_the_identity_makes_infogain_the_softmax_loss(one_layer):
    net = one_layer('type: "InfogainLoss"', (3, 4), (3,), (4, 4))
    other = one_layer('type: "SoftmaxWithLoss"', (3, 4), (3,))
    net.blobs["in2"].data[...] = np.eye(4)
    for n in (net, other):
        n.blobs["in1"].data[...] = [3, 0, 2]
    assert net.forward()["top"] == pytest.approx(float(other.forward()["top"]))
    np.testing.assert_allclose(net.backward()["in0"], other.backward()["in0"], atol=1e-7)


def test_a_probability_below_1e_20(one_layer):
    net = one_layer('type: "InfogainLoss"', (1, 2), (1,), (2, 2))
    net.blobs["in0"].data[...], net.blobs["in1"].data[...] = [[0, 1000]], 0
    net.blobs["in2"].data[...] = np.eye(2)
    assert net.forward()["top"] == pytest.approx(-np.log(1e-20))
    np.testing.assert_array_equal(net.backward()["in0"], [[-1, 1]])


def test_infogain_refuses(one_layer, matrix, tmp_path):
    _, path = matrix
    source = f'type: "InfogainLoss" infogain_loss_param {{ source: "{path}" }}'
    with pytest.raises(LayerError, match="'layer'.*H is missing: give infogain_loss_param.source"):
        one_layer('type: "InfogainLoss"', (3, 4), (3,))
    with pytest.raises(ShapeMismatch, match="H has shape.*5 classes need 5 x 5"):
        one_layer(source, (3, 5), (3,))
    with pytest.raises(ShapeMismatch, match="one label for each position"):
        one_layer(source, (3, 4), (2,))
    with pytest.raises(LayerError, match="use normalization"):
        one_layer(source + "loss_param { normalize: true }", (3, 4), (3,))
    with pytest.raises(WeightsError, match="gone.binaryproto: no such"):
        one_layer(source.replace(path.name, "gone.binaryproto"), (3, 4), (3,))
    (tmp_path / "bad.binaryproto").write_bytes(path.read_bytes()[:-7])
    with pytest.raises(WeightsError, match="bad.binaryproto"):
        one_layer(source.replace(path.name, "bad.binaryproto"), (3, 4), (3,))
    net = one_layer(source, (3, 4), (3,))
    net.blobs["in1"].data[...] = 9
    with pytest.raises(LabelRange, match="label 9"):
        net.forward()


SOLO = (
    'layer { name: "in" type: "Input" top: "x" top: "y" input_param { shape { dim: 2 dim: 3 } '
    'shape { dim: 2 } } } layer { name: "one" type: "SoftmaxWithLoss" bottom: "x" bottom: "y" }'
    'layer { name: "two" type: "HingeLoss" bottom: "x" bottom: "y" loss_weight: 2 }'
)


def test_losses_without_a_top(make_net):
    """As in the nets of 2013; they count as losses, not as outputs."""
    net = make_net("force_backward: true " + SOLO, caffe.TRAIN)
    assert net.outputs == [] and list(net.blobs) == ["x", "y", "(automatic)", "(automatic) two"]
    net.forward()
    first, second = (float(net.blobs[name].data) for name in list(net.blobs)[2:])
    assert first == pytest.approx(np.log(3)) and second == 3
    assert net.loss() == pytest.approx(first + 2 * second)
    net.backward()
    assert net.blobs["x"].diff.any()
