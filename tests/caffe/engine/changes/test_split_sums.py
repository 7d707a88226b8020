"""A convolution with a large kernel, of which the same window changes again and again."""

import numpy as np
import pytest

from caffe.engine.changes import incremental, split_sums

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 14 dim: 15 } } }
layer { name: "wide" type: "Convolution" bottom: "data" top: "wide" convolution_param {
  num_output: 5 kernel_h: 7 kernel_w: 6 weight_filler { type: "gaussian" std: 1 }
  bias_filler { type: "gaussian" std: 1 } } }
layer { name: "relu" type: "ReLU" bottom: "wide" top: "wide" }
"""


@pytest.fixture
def nets(make_net, monkeypatch):
    """Return the net, another for whole forwards, and the list of the layers that ran split."""
    monkeypatch.setattr(split_sums, "LEAST_WEIGHTS", 0)
    monkeypatch.setattr(incremental, "STARTING", 0)
    ran, run = [], split_sums.SplitSums.run

    def recorded(self, i):
        ran.append(i)
        return run(self, i)

    monkeypatch.setattr(split_sums.SplitSums, "run", recorded)
    net, whole = make_net(NET), make_net(NET)
    whole.share_with(net)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(1, 3, 14, 15))
    net.forward_incremental()
    return net, whole, ran


def change(net, rows, columns, rng):
    part = net.blobs["data"].data[:, :, slice(*rows), slice(*columns)]
    part[...] = rng.normal(size=part.shape)
    net.forward_incremental()


def agree(net, whole):
    whole.blobs["data"].data[...] = net.blobs["data"].data
    wanted = whole.forward()["wide"]
    error = np.abs(net.blobs["wide"].data - wanted).max()
    assert error <= 2e-6 * np.abs(wanted).max()


def test_a_window_that_changes_for_the_third_time(nets):
    net, whole, ran = nets
    rng = np.random.default_rng(1)
    for frame in range(1, 8):
        change(net, (6, 9), (5, 9), rng)
        agree(net, whole)
        assert len(ran) == max(0, frame - 2)


def test_a_change_elsewhere_ends_it(nets):
    net, whole, ran = nets
    rng = np.random.default_rng(2)
    for _ in range(4):
        change(net, (6, 9), (5, 9), rng)
    assert len(ran) == 2
    for _ in range(2):
        change(net, (1, 2), (12, 15), rng)
        agree(net, whole)
    assert len(ran) == 2
    for frame in range(3):  # and it begins anew
        change(net, (6, 9), (5, 9), rng)
        agree(net, whole)
        assert len(ran) == 2 + (frame > 1)


def test_a_part_of_the_window_may_change(nets):
    net, whole, ran = nets
    rng = np.random.default_rng(3)
    for _ in range(3):
        change(net, (6, 9), (5, 9), rng)
    for rows, columns in (((6, 8), (5, 9)), ((6, 9), (6, 9)), ((6, 9), (5, 9))):
        change(net, rows, columns, rng)
        agree(net, whole)
    assert len(ran) >= 2


def test_weights_and_shapes_that_change_end_it(nets):
    net, whole, ran = nets
    rng = np.random.default_rng(4)
    for _ in range(3):
        change(net, (6, 9), (5, 9), rng)
    net.params["wide"][0].data[0] += 1
    change(net, (6, 9), (5, 9), rng)
    agree(net, whole)
    for n in (net, whole):
        n.blobs["data"].reshape(1, 3, 12, 16)
    for _ in range(4):
        change(net, (6, 9), (5, 9), rng)
        agree(net, whole)
    assert len(ran) > 1


def test_nothing_drifts(nets):
    net, whole, ran = nets
    rng = np.random.default_rng(5)
    for _ in range(300):
        change(net, (6, 9), (5, 9), rng)
    agree(net, whole)
    assert len(ran) == 298


def test_exact_forwards_do_without(nets):
    net, whole, ran = nets
    for value in range(5):
        net.blobs["data"].data[:, :, 6:9, 5:9] = value
        net.forward_incremental(exact=True)
    assert not ran
    whole.blobs["data"].data[...] = net.blobs["data"].data
    np.testing.assert_array_equal(net.blobs["wide"].data, whole.forward()["wide"])


def test_random_windows(nets):
    net, whole, ran = nets
    rng = np.random.default_rng(6)
    for _ in range(60):
        size = rng.integers(1, 5, 2)
        begin = [int(rng.integers(0, n - s + 1)) for n, s in zip((14, 15), size)]
        spans = [(b, b + int(s)) for b, s in zip(begin, size)]
        for _ in range(rng.integers(1, 5)):
            change(net, *spans, rng)
            agree(net, whole)
    assert len(ran) > 10
