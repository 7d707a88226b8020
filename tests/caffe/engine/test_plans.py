"""Plans against the plain path: random nets, sizes and sequences of what users do with a net."""
# ruff: noqa: B023 -- `both` calls its function at once

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import caffe
from caffe.engine import bands
from caffe.engine.kernels.choice import ncnn
from caffe.proto import caffe_pb2

TOLERANCE = 2e-5  # of a blob's largest value
pytestmark = pytest.mark.skipif(ncnn() is None, reason="needs the package ncnn")


@st.composite
def nets(draw):
    """A net of up to eight layers over an image, as a NetParameter."""
    net = caffe_pb2.NetParameter(name="random")
    sizes = [draw(st.integers(1, 2)), draw(st.sampled_from([1, 3, 8, 16]))]
    sizes += [draw(st.integers(5, 40)), draw(st.integers(5, 40))]
    data = net.layer.add(name="data", type="Input", top=["data"])
    data.input_param.shape.add(dim=sizes)
    blobs, shapes, read = ["data"], {"data": tuple(sizes)}, set()
    for k in range(draw(st.integers(2, 8))):
        bottom = draw(st.sampled_from(blobs[-2:]))
        kind = draw(
            st.sampled_from(["Convolution"] * 4 + "Pooling ReLU ReLU Dropout Power Eltwise".split())
        )
        layer = net.layer.add(name=f"l{k}", type=kind, bottom=[bottom], top=[f"b{k}"])
        shape = shapes[bottom]
        if kind == "Convolution":
            shape = _convolution(draw, layer.convolution_param, shape)
        elif kind == "Pooling":
            shape = _pooling(draw, layer.pooling_param, shape)
        elif kind == "Eltwise":
            others = [b for b in blobs if shapes[b] == shape]
            layer.bottom.append(draw(st.sampled_from(others)))
        elif kind in ("ReLU", "Dropout", "Power"):
            in_place = bottom not in read and bottom != "data" and draw(st.booleans())
            if kind == "Power":
                layer.power_param.scale, layer.power_param.shift = -0.5, 0.25
            if kind == "ReLU":
                layer.relu_param.negative_slope = draw(st.sampled_from([0, 0, 0, 0.1]))
            if in_place:
                layer.top[0] = bottom
        if min(shape[2:]) < 1:
            del net.layer[-1]
            continue
        if layer.top[0] != bottom:
            read.update(layer.bottom)
            blobs.append(layer.top[0])
        shapes[layer.top[0]] = shape
    return net


def _convolution(draw, p, shape):
    channels = shape[1]
    p.group = draw(st.sampled_from([g for g in (1, 1, 1, 2, channels) if channels % g == 0]))
    p.num_output = p.group * draw(st.sampled_from([1, 2, 3, 8, 16]))
    kernel, stride, pad, dilation = (
        [draw(st.integers(low, high)) for _ in range(2)]
        for low, high in ((1, 4), (1, 2), (0, 12), (1, 2))
    )
    if draw(st.booleans()):
        kernel, stride, dilation = [3, 3], [1, 1], [1, 1]
    p.kernel_h, p.kernel_w = kernel
    p.stride_h, p.stride_w = stride
    p.pad_h, p.pad_w = pad
    p.dilation.extend(dilation)
    p.bias_term = draw(st.booleans())
    p.weight_filler.type, p.weight_filler.std = "gaussian", 0.5
    p.bias_filler.type, p.bias_filler.std = "gaussian", 0.5
    size = [
        (n + 2 * a - (d * (k - 1) + 1)) // s + 1
        for n, k, s, a, d in zip(shape[2:], kernel, stride, pad, dilation)
    ]
    return (shape[0], p.num_output, *size)


def _pooling(draw, p, shape):
    p.pool = draw(st.sampled_from([p.MAX, p.MAX, p.AVE]))
    kernel = draw(st.integers(1, 3))
    stride, pad = draw(st.integers(1, kernel)), draw(st.sampled_from([0, 0, kernel - 1]))
    p.kernel_size, p.stride, p.pad = kernel, stride, pad
    size = []
    for n in shape[2:]:
        if n + 2 * pad < kernel:
            return (0, 0, 0, 0)
        out = -(-(n + 2 * pad - kernel) // stride) + 1
        size.append(out - 1 if pad and (out - 1) * stride >= n + pad else out)
    return (*shape[:2], *size)


def pair(param):
    """Two nets of the same weights."""
    caffe.set_random_seed(0)
    mine, plain = (caffe.Net.from_param(param, caffe.TEST) for _ in range(2))
    plain.load_state_dict(mine.state_dict())
    return mine, plain


def both(nets, do):
    """Do the same with the planned net and the plain one; return what each gives or raises."""
    results = []
    for net, kernels in zip(nets, ("ncnn", "torch")):
        caffe.set_kernels(kernels)
        try:
            results.append(do(net))
        except caffe.errors.CaffeError as e:
            results.append(type(e))
    return results


def close(mine, plain, what):
    if isinstance(plain, type):
        assert mine is plain, what
        return
    assert mine.shape == plain.shape, what
    scale = np.abs(plain).max(initial=0)
    np.testing.assert_allclose(mine, plain, rtol=0, atol=TOLERANCE * scale + 1e-6, err_msg=what)


@pytest.fixture(autouse=True)
def small_bands(monkeypatch):
    """Cut even small images into bands."""
    monkeypatch.setattr(bands, "LARGE", 2**9)
    monkeypatch.setattr(bands, "BAND", 2**12)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],  # shrinking such sequences takes minutes
)
@given(nets(), st.data())
def test_sequences_give_what_the_plain_path_gives(param, data):
    mine = pair(param)
    names, rng = [layer.name for layer in param.layer], np.random.default_rng(0)
    surgery = False
    held = []  # views taken before a forward; they must show its results
    for _ in range(data.draw(st.integers(2, 7))):
        action = data.draw(
            st.sampled_from("forward forward forward fill resize weights write read hold".split())
        )
        blob = data.draw(st.sampled_from(list(mine[0].blobs)))
        if action == "forward":
            a, b = sorted(data.draw(st.integers(0, len(names) - 1)) for _ in range(2))
            if data.draw(st.booleans()):
                a = 0
            results = both(mine, lambda net: net.forward(start=names[a], end=names[b]) and 0)
            if results == [caffe.errors.StaleInput, 0] and surgery:
                return  # it reads a blob that was skipped, and cannot be computed any more
            assert str(results[0]) == str(results[1])
        elif action == "fill":
            image = rng.normal(size=mine[0].blobs["data"].shape)
            both(mine, lambda net: net.blobs["data"].data.__setitem__(..., image))
        elif action == "resize":
            size = data.draw(st.integers(4, 24)), data.draw(st.integers(4, 24))
            both(mine, lambda net: net.blobs["data"].reshape(1, net.blobs["data"].channels, *size))
        elif action == "weights" and mine[0].params:
            layer = data.draw(st.sampled_from(list(mine[0].params)))
            noise, surgery = rng.normal(size=mine[0].params[layer][0].shape), True
            both(mine, lambda net: net.params[layer][0].data.__setitem__(..., noise))
        elif action == "write":
            noise = rng.normal(size=mine[0].blobs[blob].shape)
            both(mine, lambda net: net.blobs[blob].data.__setitem__(..., noise))
        elif action == "hold":
            views = both(mine, lambda net: net.blobs[blob].data)
            if not isinstance(views[0], type):
                held.append((blob, *views))
            else:
                assert views[0] is caffe.errors.StaleInput and surgery
        elif action == "read":
            _compare(mine, blob, surgery)
    for blob, ours, theirs in held:
        if not np.shares_memory(theirs, mine[1].blobs[blob].data):
            continue  # it was resized since
        close(ours, theirs, f"view of {blob}")
    for blob in mine[0].blobs:
        _compare(mine, blob, surgery)


def _compare(mine, blob, surgery):
    """Compare a blob, unless what it was computed from has changed since and it was not kept."""
    results = both(mine, lambda net: net.blobs[blob].data.copy())
    assert surgery or results[0] is not caffe.errors.StaleInput
    if results[0] is not caffe.errors.StaleInput:
        close(*results, blob)


NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 20 dim: 24
  } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param {
  num_output: 16 kernel_size: 3 pad: 9 weight_filler { type: "gaussian" std: 0.3 } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "conv2" type: "Convolution" bottom: "conv1" top: "conv2" convolution_param {
  num_output: 16 kernel_size: 3 pad: 1 weight_filler { type: "gaussian" std: 0.3 } } }
layer { name: "pool" type: "Pooling" bottom: "conv2" top: "pool" pooling_param {
  kernel_size: 2 stride: 2 } }
layer { name: "score" type: "Convolution" bottom: "pool" top: "score" convolution_param {
  num_output: 5 kernel_size: 1 weight_filler { type: "gaussian" std: 0.3 } } }
"""


@pytest.fixture
def net(make_net):
    caffe.set_kernels("ncnn")
    net = make_net(NET)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(1, 3, 20, 24))
    return net


def plain(net):
    """The score that PyTorch gives, layer by layer."""
    caffe.set_kernels("torch")
    score = net.forward()["score"].copy()
    caffe.set_kernels("ncnn")
    return score


def test_a_write_through_a_view_of_a_weight_is_seen(net):
    """Whether the view was taken before the weights were packed, is held, or was dropped."""
    view = net.params["conv1"][0].data
    net.forward()
    for k in range(2):
        view[k] *= -2
        close(net.forward()["score"], plain(net), f"write {k}")
    del view
    net.params["conv2"][1].data[...] = 3
    close(net.forward()["score"], plain(net), "dropped")
    tensor = net.state_dict()["conv2.weight"]
    net.forward()
    tensor[0] = 0.5
    close(net.forward()["score"], plain(net), "state_dict")


def test_weights_are_packed_once(net):
    net.forward()
    (key,) = [key for key in net._executor._planner._units if key[0] == 3]
    unit = net._executor._planner._units[key][1]
    net.params["conv2"][0].data.sum()  # read, not written
    net.forward()
    net.forward(start="conv2")
    assert net._executor._planner._units[key][1] is unit


def test_a_skipped_blob_is_refused_after_surgery_and_kept_by_name(net):
    net.forward()
    net.params["conv1"][0].data[...] += 1
    with pytest.raises(caffe.errors.StaleInput, match=r"'conv1'.*net\.keep"):
        net.blobs["conv1"].data  # noqa: B018
    net.keep = {"conv1"}
    net.forward()
    net.params["conv1"][0].data[...] += 1
    kept = net.blobs["conv1"].data
    net.params["conv1"][0].data[...] -= 1
    caffe.set_kernels("torch")
    net.forward()
    close(kept, net.blobs["conv1"].data, "conv1")
    with pytest.raises(caffe.errors.CaffeError, match="no blob 'conv9'"):
        net.keep = {"conv9"}


def test_skipped_blobs_are_those_of_the_forward_that_skipped_them(net):
    """The input has been overwritten since."""
    plain(net)
    wanted = net.blobs["conv1"].data.copy()
    net = net
    net._executor._asked.clear()
    net.forward()
    net.blobs["data"].data[...] = 0
    assert net.blobs["conv1"].synced_data.resting is not None
    close(net.blobs["conv1"].data, wanted, "conv1")


def test_an_error_leaves_blobs_half_computed(net):
    net.forward()
    plan = next(iter(net._executor._plans.values()))
    plan._steps[-1].run = lambda values: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        net.forward()
    assert net._executor.freshness.outdated("score")
    assert not net._executor.freshness.outdated("pool")


def test_names_of_kernels_are_checked():
    with pytest.raises(caffe.errors.DeviceError, match="'fast'.*auto, torch, ncnn"):
        caffe.set_kernels("fast")
