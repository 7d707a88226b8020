"""BatchNorm, MVN and LRN against their formulas in NumPy."""

import numpy as np
import pytest

import caffe
from caffe.errors import LayerError

SHAPE = (3, 4, 5, 6)


def batch_statistics(x):
    """Return mean and variance (over m, not m - 1) of each channel."""
    axes = (0, *range(2, x.ndim))
    return x.mean(axes, dtype=np.float64), x.var(axes, dtype=np.float64)


def spread(values, x):
    return values.reshape((1, -1) + (1,) * (x.ndim - 2))


@pytest.mark.parametrize("shape", [SHAPE, (7, 4)])
def test_batch_norm_in_training(one_layer, shape):
    net = one_layer('type: "BatchNorm" batch_norm_param { eps: 0.01 }', shape, phase=caffe.TRAIN)
    x = net.blobs["in0"].data
    mean, variance = batch_statistics(x)
    wanted = (x - spread(mean, x)) / np.sqrt(spread(variance, x) + 0.01)
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-5)


def test_running_statistics(one_layer):
    net = one_layer(
        'type: "BatchNorm" batch_norm_param { moving_average_fraction: 0.9 }',
        SHAPE,
        phase=caffe.TRAIN,
    )
    blobs = [b.data for b in net.params["layer"]]
    assert [b.shape for b in blobs] == [(4,), (4,), (1,)]
    for b in blobs:
        b[...] = 0
    kept, m = [np.zeros(4), np.zeros(4), np.zeros(1)], 3 * 5 * 6
    for seed in range(3):
        x = np.random.default_rng(seed).normal(seed, seed + 1, SHAPE)
        net.blobs["in0"].data[...] = x
        net.forward()
        mean, variance = batch_statistics(x)
        for k, new in zip(kept, (mean, variance * m / (m - 1), 1), strict=True):
            k[...] = 0.9 * k + new
        for mine, theirs in zip(blobs, kept, strict=True):  # earlier views stay valid
            np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_the_running_statistics_are_used_in_test(one_layer):
    net = one_layer('type: "BatchNorm"', SHAPE)
    x, (mean, variance, by) = net.blobs["in0"].data, (b.data for b in net.params["layer"])
    mean[...], variance[...], by[...] = [1, 2, 3, 4], [8, 4, 2, 1], 4
    wanted = (x - spread(mean / 4, x)) / np.sqrt(spread(variance / 4, x) + 1e-5)
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-5)
    top = np.random.default_rng(0).normal(size=SHAPE)
    np.testing.assert_allclose(
        net.backward(top=top)["in0"],
        top / np.sqrt(spread(variance / 4, x) + 1e-5),
        rtol=1e-4,
        atol=1e-6,
    )
    assert not any(b.diff.any() for b in net.params["layer"])
    by[...] = 0  # no batch seen yet: mean and variance are 0
    np.testing.assert_allclose(net.forward()["top"], x / np.sqrt(1e-5), rtol=1e-4)


@pytest.mark.parametrize("given, phase", [("true", caffe.TRAIN), ("false", caffe.TEST)])
def test_use_global_stats_overrides_the_phase(one_layer, given, phase):
    net = one_layer(
        f'type: "BatchNorm" batch_norm_param {{ use_global_stats: {given} }}', SHAPE, phase=phase
    )
    before = net.params["layer"][2].data.copy()
    net.params["layer"][1].data[...] = 1
    net.forward()
    changed = (net.params["layer"][2].data != before).any()
    assert changed == (given == "false")


def test_gradient_through_the_batchs_statistics(one_layer):
    net = one_layer('type: "BatchNorm" batch_norm_param { eps: 0.1 }', (4, 2), phase=caffe.TRAIN)
    x = net.blobs["in0"].data.astype(np.float64)
    top = np.random.default_rng(0).normal(size=(4, 2))

    def objective(x):
        mean, variance = batch_statistics(x)
        return ((x - mean) / np.sqrt(variance + 0.1) * top).sum()

    wanted = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        wanted[place] = (objective(x + step) - objective(x - step)) / 2e-5
    net.forward()
    np.testing.assert_allclose(net.backward(top=top)["in0"], wanted, atol=1e-5)


def test_statistics_are_not_learned(make_net, write):
    net = write(
        'layer { name: "in" type: "Input" top: "in" input_param { shape { dim: 4 dim: 2 } '
        '} } layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 4 '
        '} } } layer { name: "bn" type: "BatchNorm" bottom: "in" top: "in" } layer { name: '
        '"loss" type: "SoftmaxWithLoss" bottom: "in" bottom: "label" top: "loss" }'
    )
    solver = caffe.SGDSolver(write(f'net: "{net}" base_lr: 1 lr_policy: "fixed" weight_decay: 1'))
    solver.net.blobs["in"].data[...] = np.random.default_rng(0).normal(size=(4, 2))
    x = solver.net.blobs["in"].data.copy()
    solver.step(1)
    np.testing.assert_allclose(solver.net.params["bn"][0].data, x.mean(0), atol=1e-6)
    with pytest.raises(LayerError, match="'bn'.*lr_mult"):
        make_net(
            'layer { name: "in" type: "Input" top: "in" input_param { shape { dim: 4 dim: 2 } '
            '} } layer { name: "bn" type: "BatchNorm" bottom: "in" top: "bn" param { } }'
        )


def lrn(x, n, alpha, beta, k, within):
    """Return the local response normalization, window by window."""
    out, half = np.zeros_like(x, np.float64), n // 2
    for b, c, i, j in np.ndindex(x.shape):
        if within:
            seen = x[b, c, max(0, i - half) : i + half + 1, max(0, j - half) : j + half + 1]
            scale = 1 + alpha / n**2 * (seen**2).sum(dtype=np.float64)
        else:
            seen = x[b, max(0, c - half) : c + half + 1, i, j]
            scale = k + alpha / n * (seen**2).sum(dtype=np.float64)
        out[b, c, i, j] = x[b, c, i, j] * scale**-beta
    return out


@pytest.mark.parametrize(
    "params, how",
    [
        ("", (5, 1, 0.75, 1, False)),
        ("local_size: 3 alpha: 0.5 beta: 0.4 k: 2", (3, 0.5, 0.4, 2, False)),
        ("local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL k: 9", (3, 0.5, 0.75, 9, True)),
        ("local_size: 9 alpha: 2 norm_region: WITHIN_CHANNEL", (9, 2, 0.75, 1, True)),
    ],
)
def test_lrn(one_layer, check_gradients, params, how):
    net = one_layer(f'type: "LRN" lrn_param {{ {params} }}', SHAPE)
    np.testing.assert_allclose(net.forward()["top"], lrn(net.blobs["in0"].data, *how), atol=1e-5)
    check_gradients(net, step=1e-2)


def test_lrn_refuses(one_layer):
    with pytest.raises(LayerError, match="local_size is 4, must be odd"):
        one_layer('type: "LRN" lrn_param { local_size: 4 }', SHAPE)
    with pytest.raises(LayerError, match="N x C x H x W"):
        one_layer('type: "LRN"', (2, 3))


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("variance", [False, True])
@pytest.mark.parametrize("shape", [SHAPE, (3, 8, 5)])
def test_mvn(one_layer, check_gradients, across, variance, shape):
    net = one_layer(
        f'type: "MVN" mvn_param {{ across_channels: {str(across).lower()} '
        f"normalize_variance: {str(variance).lower()} eps: 0.25 }}",
        shape,
    )
    x = net.blobs["in0"].data.astype(np.float64)
    axes = tuple(range(1 if across else 2, x.ndim))
    wanted = x - x.mean(axes, keepdims=True)
    if variance:
        wanted /= x.std(axes, keepdims=True) + 0.25
    np.testing.assert_allclose(net.forward()["top"], wanted, atol=1e-5)
    if not variance:
        check_gradients(net)


@pytest.mark.parametrize("across", [False, True])
def test_gradient_of_mvn(one_layer, check_gradients, across):
    """With the default eps, which is below the resolution of finite differences."""
    net = one_layer(f'type: "MVN" mvn_param {{ across_channels: {str(across).lower()} }}', SHAPE)
    check_gradients(net)


def test_mvn_of_a_constant_is_zero_and_so_is_its_gradient(one_layer):
    net = one_layer('type: "MVN"', (1, 1, 2, 2))
    net.blobs["in0"].data[...] = 3
    assert not net.forward()["top"].any()
    assert np.isfinite(net.backward(top=np.ones((1, 1, 2, 2)))["in0"]).all()


def test_mvn_refuses(one_layer):
    with pytest.raises(LayerError, match="'layer'.*N x C x H x W"):
        one_layer('type: "MVN"', (1, 2, 3, 4, 5))


def test_the_gradient_of_mvn_is_caffes_if_eps_is_large(one_layer):
    """(dy - mean dy - y mean(y dy)) / (deviation + eps), not the exact derivative."""
    net = one_layer('type: "MVN" mvn_param { eps: 2 }', (2, 3, 5, 4))
    y = net.forward()["top"].astype(np.float64)
    dy = np.random.default_rng(0).normal(size=y.shape)
    by = net.blobs["in0"].data.std((2, 3), keepdims=True) + 2
    wanted = (dy - dy.mean((2, 3), keepdims=True) - y * (y * dy).mean((2, 3), keepdims=True)) / by
    np.testing.assert_allclose(net.backward(top=dy)["in0"], wanted, atol=1e-6)
