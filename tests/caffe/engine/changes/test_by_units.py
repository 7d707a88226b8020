"""Incremental forwards by ncnn's units against whole forwards by the same."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import caffe
from caffe import layers as L
from caffe import params as P
from caffe.engine.changes import incremental
from caffe.engine.changes.by_units import TILES, cut
from caffe.engine.kernels.choice import ncnn
from caffe.engine.packed import Packed
from caffe.engine.reach import Need

pytestmark = pytest.mark.skipif(ncnn() is None, reason="ncnn is not installed")

FILL = {"weight_filler": {"type": "gaussian", "std": 0.1}, "bias_filler": {"type": "gaussian"}}


def fcn(rng, batch=1):
    """Return the NetParameter of a small FCN with random sizes, padding and kernels."""
    channels = [int(rng.choice([8, 16, 24, 32])) for _ in range(5)]
    size = rng.integers(30, 70, 2).tolist()
    n = caffe.NetSpec()
    n.data = L.Input(shape={"dim": [batch, 3, *size]})
    pad = int(rng.choice([0, 1, 5, 20]))
    kernel = int(rng.choice([1, 3, 3, 5]))
    n.conv1 = L.Convolution(n.data, num_output=channels[0], kernel_size=3, pad=pad, **FILL)
    n.relu1 = L.ReLU(n.conv1, in_place=True)
    n.conv2 = L.Convolution(n.conv1, num_output=channels[1], kernel_size=3, pad=1, **FILL)
    n.relu2 = L.ReLU(n.conv2, in_place=True)
    n.pool = L.Pooling(n.conv2, pool=P.Pooling.MAX, kernel_size=2, stride=2)
    n.conv3 = L.Convolution(
        n.pool, num_output=channels[2], kernel_size=kernel, pad=kernel // 2, **FILL
    )
    n.relu3 = L.ReLU(n.conv3, in_place=True)
    n.drop3 = L.Dropout(n.conv3, in_place=True)
    n.conv4 = L.Convolution(
        n.conv3, num_output=channels[3], kernel_size=3, dilation=2, pad=2, **FILL
    )
    n.pool4 = L.Pooling(n.conv4, pool=P.Pooling.MAX, kernel_size=3, stride=2)
    n.score4 = L.Convolution(n.pool4, num_output=5, kernel_size=1, **FILL)
    n.up = L.Deconvolution(
        n.score4, convolution_param={"num_output": 5, "kernel_size": 4, "stride": 2, **FILL}
    )
    n.score3 = L.Convolution(n.conv3, num_output=5, kernel_size=1, **FILL)
    n.crop = L.Crop(n.up, n.score3, crop_param={"offset": 0})
    n.score = L.Eltwise(n.crop, n.score3)
    return n.to_proto()


def pair(rng, batch=1):
    """Return two nets with the same weights."""
    param = fcn(rng, batch)
    nets = [caffe.Net.from_param(param, caffe.TEST) for _ in range(2)]
    nets[1].share_with(nets[0])
    return nets


def change(net, rng):
    data = net.blobs["data"].data
    for _ in range(rng.integers(0, 3)):
        (a, b), (c, d) = (sorted(rng.integers(0, n + 1, 2)) for n in data.shape[2:])
        data[..., a:b, c:d] = rng.normal(size=data[..., a:b, c:d].shape)


def check(net, whole, exact):
    for name, blob in net.blobs.items():
        wanted = whole.blobs[name].data
        if exact:
            np.testing.assert_array_equal(blob.data, wanted, err_msg=name)
        else:
            error = np.abs(blob.data - wanted).max()
            assert error <= 2e-5 * np.abs(wanted).max(), name


@pytest.fixture(autouse=True)
def by_ncnn(monkeypatch):
    """Use ncnn for every convolution, and small windows as such."""
    monkeypatch.setattr(incremental, "STARTING", 20_000)
    caffe.set_kernels("ncnn")
    yield
    caffe.set_kernels("auto")


PROPERTY = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


STAGES = (("conv1", "pool"), ("conv3", "drop3"), ("conv4", "score4"), ("up", "score"))


@PROPERTY
@given(st.integers(0, 2**32 - 1))
def test_random_windows_and_ranges(seed):
    """Blobs are compared at the end, as reading them takes them out of ncnn's order."""
    rng = np.random.default_rng(seed)
    net, whole = pair(rng, int(rng.integers(1, 3)))
    names = list(net._layer_names)
    for step in range(4):
        change(net, rng)
        whole.blobs["data"].data[...] = net.blobs["data"].data
        span = {}
        if step and rng.random() < 0.5:
            first, last = sorted(rng.integers(0, len(names), 2))
            span = {"start": names[first], "end": names[last]}
        whole.forward(**span)
        net.forward_incremental(**span)
    whole.forward()
    net.forward_incremental()
    check(net, whole, exact=False)


@PROPERTY
@given(st.integers(0, 2**32 - 1))
def test_exact_windows_in_stages_that_a_clock_runs(seed):
    """To the last bit, as long as both run the same stages."""
    rng = np.random.default_rng(seed)
    net, whole = pair(rng, int(rng.integers(1, 3)))
    whole.keep = [name for name in whole.blobs if name != "data"]
    for step in range(5):
        change(net, rng)
        whole.blobs["data"].data[...] = net.blobs["data"].data
        for start, end in STAGES:
            if step == 0 or rng.random() < 0.7:
                whole.forward(start=start, end=end)
                net.forward_incremental(start=start, end=end, exact=True)
    check(net, whole, exact=True)


def test_windows_are_used_and_stay_packed():
    rng = np.random.default_rng(4)
    net, whole = pair(rng)
    net.forward_incremental()
    net.blobs["data"].data[:, :, 14:17, 15:19] = 1
    whole.blobs["data"].data[...] = net.blobs["data"].data
    net.forward_incremental()
    assert 0 < net.increment.share < 0.5
    packed = [n for n, b in net.blobs.items() if isinstance(b.synced_data.resting, Packed)]
    assert set(packed) >= {"conv1", "conv2", "conv3", "conv4", "score4"}
    whole.forward()
    check(net, whole, exact=False)


def test_exact_windows_lie_on_the_grid_of_tiles():
    rng = np.random.default_rng(4)
    net, _ = pair(rng)
    net.forward_incremental(exact=True)
    net.blobs["data"].data[:, :, 14:17, 15:19] = 1
    net.forward_incremental(exact=True)
    frame = net.blobs["conv2"].synced_data.resting.window
    (window,) = net.increment.computed["conv2"]
    for (begin, end), (low, high) in zip(window, frame):
        assert (begin - low) % TILES == 0
        assert (end - low) % TILES == 0 or end == high


def test_reading_blobs_in_between_changes_nothing():
    rng = np.random.default_rng(5)
    net, whole = pair(rng)
    for _ in range(4):
        change(net, rng)
        whole.blobs["data"].data[...] = net.blobs["data"].data
        net.forward_incremental()
        whole.forward()
        check(net, whole, exact=False)


def test_what_a_plan_relies_on_is_not_overwritten():
    """A forward of a range keeps what it read, to compute skipped blobs later."""
    rng = np.random.default_rng(6)
    net, whole = pair(rng)
    net.blobs["data"].data[...] = whole.blobs["data"].data[...] = rng.normal(
        size=net.blobs["data"].shape
    )
    for n in (net, whole):
        n.forward_incremental()
        n.forward(start="conv4")  # a plan: conv4 itself is skipped
    wanted = whole.blobs["conv4"].data.copy()
    net.blobs["data"].data[:, :, 12:20, 12:20] = 5
    net.forward_incremental(end="drop3")
    assert net.increment.share < 1
    np.testing.assert_array_equal(net.blobs["conv4"].data, wanted)


def test_cut_of_a_packed_blob():
    """Rows and columns that lie outside of the image are static, outside of the blob zero."""
    rng = np.random.default_rng(7)
    while (net := pair(rng)[0]).blobs["conv1"].shape[2] < 72:
        pass
    net.blobs["data"].data[...] = rng.normal(size=net.blobs["data"].shape)
    net.forward_incremental()
    resting = net.blobs["conv2"].synced_data.resting
    assert resting.border is not None
    values = np.pad(resting.tensor().numpy(), ((0, 0), (0, 0), (3, 3), (3, 3)))
    height, width = resting.shape[2:]
    for rows, columns in (
        (Need(0, 4, before=3), Need(10, 30)),
        (Need(20, height, after=2), Need(0, width, before=1, after=1)),
        (Need(25, 31), Need(26, 33)),
    ):
        (image,) = cut(resting, (rows, columns))
        (a, b), (c, d) = ((n.begin - n.before + 3, n.end + n.after + 3) for n in (rows, columns))
        np.testing.assert_array_equal(image.plain(), values[0, :, a:b, c:d])


def test_a_moving_camera_and_a_stop():
    """After some frames that change everything not all is kept; it is again after a stop."""
    rng = np.random.default_rng(8)
    net, whole = pair(rng)
    data = net.blobs["data"].data
    for frame in range(8):
        if frame < 5:
            data[...] = rng.normal(size=data.shape)
        else:
            data[:, :, 12:16, 12:16] = rng.normal(size=(1, 3, 4, 4))
        net.forward_incremental()
        whole.blobs["data"].data[...] = data
        wanted = whole.forward()["score"]
        assert np.abs(net.blobs["score"].data - wanted).max() <= 2e-5 * np.abs(wanted).max()
        packed = isinstance(net.blobs["conv1"].synced_data.resting, Packed)
        assert packed == (frame not in (3, 4))
        assert bool(net.increment.computed["conv1"]) and (
            (net.increment.share < 0.2) == (frame > 5)
        )


def test_nothing_drifts():
    """300 frames, then a whole forward."""
    rng = np.random.default_rng(9)
    net, whole = pair(rng)
    for _ in range(300):
        change(net, rng)
        net.forward_incremental()
    whole.blobs["data"].data[...] = net.blobs["data"].data
    whole.forward()
    check(net, whole, exact=False)
