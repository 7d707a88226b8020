"""What users pass to a Net: shapes as NumPy takes them, and the fix for those it does not."""

import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, ShapeMismatch
from caffe.net_arguments import fill
from tests.caffe.bridge_nets import data

NET = (
    data(1, 3, 6, 8) + 'layer { name: "c" type: "Convolution" bottom: "data" top: "c" '
    "convolution_param { num_output: 2 kernel_size: 3 } }\n"
    + 'layer { name: "p" type: "Power" bottom: "c" top: "p" power_param { scale: 2 } }\n'
)


@pytest.fixture
def net(make_net):
    return make_net("force_backward: true " + NET)


@pytest.mark.parametrize(
    "given, blob",
    [
        ((1, 1, 3, 6, 8), (1, 3, 6, 8)),
        ((1, 1, 1, 5), (1, 5)),
        ((1, 2, 3), (2, 3)),
        ((1, 1, 1, 5), (5,)),
        ((1, 1), ()),
        ((1,), ()),
        ((4, 1), (4, 3)),
        ((), ()),
    ],
)
def test_leading_ones_are_dropped_as_by_numpy(given, blob):
    values, target = np.random.default_rng(0).random(given), np.zeros(blob)
    wanted = np.zeros(blob)
    wanted[...] = values
    fill("x", target, values, "input 'x'", resizable=True)
    np.testing.assert_array_equal(target, wanted)


def test_leading_ones_of_inputs_and_diffs(net):
    values = np.random.default_rng(0).random((1, 1, 3, 6, 8))
    np.testing.assert_array_equal(
        net.forward(data=values)["p"].copy(), net.forward(data=values[0])["p"]
    )
    ones = np.ones((1, 1, 1, 2, 4, 6))
    np.testing.assert_array_equal(
        net.backward(p=ones)["data"].copy(), net.backward(p=ones[0, 0])["data"]
    )


BATCHED = "height, width, channels: give array.transpose(0, 3, 1, 2)"
ONE = "one image in the order height, width, channels: give array.transpose(2, 0, 1)[np.newaxis]"


@pytest.mark.parametrize(
    "blob, given, fix",
    [
        ((1, 3, 6, 8), (1, 6, 8, 3), BATCHED),
        ((1, 3, 6, 8), (6, 8, 3), ONE),
        ((1, 3, 6, 8), (3, 6, 8), "one image: give array[np.newaxis], a batch of one"),
        ((1, 1, 6, 8), (6, 8, 1), ONE),
        ((1, 1, 6, 8), (6, 8), "one image: give array[np.newaxis, np.newaxis]"),
        ((5, 5), (5,), None),  # one row for all, as NumPy would
        ((1, 7), (7,), "give array[np.newaxis], a batch of one"),
        ((4,), (4, 1, 1, 1), "give array.reshape(4,)"),
        ((4, 1, 1, 1), (4,), "give array.reshape(4, 1, 1, 1)"),
    ],
)
def test_fixes_that_are_followed(blob, given, fix):
    """The array that the message asks for is taken."""
    array, target = np.random.default_rng(0).random(given), np.zeros(blob)
    if fix is None:
        fill("x", target, array, "input 'x'", resizable=True)
        return
    with pytest.raises(ShapeMismatch) as caught:
        fill("x", target, array, "input 'x'", resizable=True)
    message = str(caught.value)
    assert str(given) in message and message.endswith(fix)
    change = message[message.index("give array") + len("give ") :].removesuffix(", a batch of one")
    fill("x", target, eval(change, {"array": array, "np": np}), "input 'x'", resizable=True)


@pytest.mark.parametrize(
    "given, words",
    [
        ((480, 640, 3), [ONE, "and call net.blobs['data'].reshape(1, 3, 480, 640) first"]),
        ((4, 48, 64, 3), [BATCHED, "and call net.blobs['data'].reshape(4, 3, 48, 64) first"]),
        ((3, 48, 64), ["[np.newaxis]", "and call net.blobs['data'].reshape(1, 3, 48, 64) first"]),
        ((2, 3, 6, 8), [": call net.blobs['data'].reshape(2, 3, 6, 8) first"]),
        ((1, 4, 6, 8), [": axis 1 has 4, and the net takes 3 channels"]),
        ((7, 5), [": give an array of shape (1, 3, 6, 8)"]),
    ],
)
def test_fixes_that_need_another_shape_of_the_blob(net, given, words):
    with pytest.raises(ShapeMismatch) as caught:
        net.forward(data=np.zeros(given))
    assert str(caught.value).startswith(f"input 'data' has shape {given}, its blob (1, 3, 6, 8): ")
    assert all(word in str(caught.value) for word in words)


def test_diffs_are_not_to_be_reshaped(net):
    net.forward()
    with pytest.raises(ShapeMismatch, match=r"give an array of shape \(1, 2, 4, 6\)$"):
        net.backward(p=np.zeros((1, 2, 5, 6)))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda n: n.forward(start="p", end="c"), r"forward\(start='p', end='c'\) runs no layer"),
        (
            lambda n: n.backward(start="c", end="p"),
            r"backward\(start='c', end='p'\).*start down to",
        ),
        (lambda n: n.forward_range(2, 1), "forward of layers 2 to 1: the net has layers 0 to 2"),
        (lambda n: n._forward(0, 3), "layers 0 to 2"),
        (lambda n: n._backward(1, 2), "backward of layers 2 to 1"),
        (lambda n: n.forward_range(-1, 1), "layers 0 to 2"),
        (lambda n: n.forward(blobs="data"), r"blobs='data' is one str: give a list, \['data'\]"),
        (lambda n: n.forward("data"), r"blobs='data' is one str"),
        (lambda n: n.forward(blobs=[1]), r"blobs=\[1\] must be a list of names"),
        (lambda n: n.forward(blobs=3), "blobs=3 must be a list of names"),
        (lambda n: n.backward(diffs="data"), r"diffs='data' is one str"),
        (lambda n: n.forward_all(blobs="c", data=[]), "blobs='c' is one str"),
        (lambda n: n.forward_backward_all(diffs="c", data=[]), "diffs='c' is one str"),
        (lambda n: n.forward(strat="c"), "'strat': did you mean the keyword 'start'"),
        (lambda n: n.forward(data=1, to="c"), r"\['data', 'to'\], the net has \['data'\]"),
        (lambda n: n.backward(dif=["c"]), "'dif': did you mean the keyword 'diffs'"),
        (lambda n: n.forward(data=n.blobs["data"]), "is a Blob: give its .data"),
        (lambda n: n.share_with("other"), "share_with takes a Net, not str"),
    ],
)
def test_calls_that_would_do_nothing_or_something_else(net, call, words):
    net.forward()
    before = net.blobs["p"].data.copy()
    with pytest.raises(CaffeError, match=words):
        call(net)
    np.testing.assert_array_equal(net.blobs["p"].data, before)


def test_a_range_of_one_layer_runs(net):
    net.forward()
    assert list(net.forward(start="p", end="p")) == ["p"]
    assert list(net.backward(start="p", end="p")) == ["c"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(stages="deploy"), r"stages='deploy' is one str: give a list, \['deploy'\]"),
        (dict(stages=[3]), r"stages=\[3\] must be a list of names"),
        (dict(level="2"), "level must be a whole number, is '2'"),
        (dict(level=2**40), "level must be"),
        (dict(level=None), "level must be"),
    ],
)
def test_states_of_another_kind(write, arguments, words):
    with pytest.raises(CaffeError, match=words):
        caffe.Net(write(NET), caffe.TEST, **arguments)
    with pytest.raises(CaffeError, match=words):
        caffe.Net.from_param(caffe.proto.caffe_pb2.NetParameter(), caffe.TEST, **arguments)


def test_stages_may_be_any_iterable(make_net):
    text = NET + power_of_stage("deploy")
    for stages in (["deploy"], ("deploy",), {"deploy"}, iter(["deploy"])):
        assert "q" in make_net(text, stages=stages)._layer_names
    assert "q" not in make_net(text, stages=[])._layer_names


def power_of_stage(stage):
    return (
        f'layer {{ name: "q" type: "Power" bottom: "p" top: "q" include {{ stage: "{stage}" }} }}'
    )
