"""Plans against the plain path: random nets, sizes and sequences of what users do with a net."""

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
    """Do the same with the planned net, then with the plain one; return what each gives or raises."""
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
    max_examples=int(__import__("os").environ.get("EX", 60)),
    phases=[Phase.explicit, Phase.generate],
    database=None,
    report_multiple_bugs=False,
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
