"""pycaffe's Net: constructors, attributes, forward and backward, errors."""

import copy
import pickle

import numpy as np
import pytest

import caffe
from caffe.errors import (
    CaffeError,
    DuplicateTop,
    LayerError,
    MissingBottom,
    NoCopy,
    NotAssignable,
    ShapeMismatch,
    UnknownLayerType,
)
from tests.caffe.bridge_nets import data

DATA = data(1, 2, 5, 6)


def conv(name, bottom="data", num_output=3, more="", kernel=3):
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" {more} '
        f"convolution_param {{ num_output: {num_output} kernel_size: {kernel} "
        'weight_filler { type: "gaussian" std: 1 } bias_filler { type: "constant" value: 1 } '
        "} }\n"
    )


RELU = 'layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }\n'
NET = 'name: "tiny"\n' + DATA + conv("conv") + RELU + conv("score", "conv", 2, kernel=1)


def power(name, bottom, scale, top=None, more=""):
    return (
        f'layer {{ name: "{name}" type: "Power" bottom: "{bottom}" top: "{top or name}" '
        f"power_param {{ scale: {scale} }} {more} }}\n"
    )


def test_attributes(make_net):
    net = make_net(NET)
    assert net.name == "tiny"
    assert list(net.blobs) == ["data", "conv", "score"]
    assert list(net._layer_names) == ["data", "conv", "relu", "score"]
    assert [layer.type for layer in net.layers] == ["Input", "Convolution", "ReLU", "Convolution"]
    assert list(net.params) == ["conv", "score"]
    assert [b.shape for b in net.params["conv"]] == [(3, 2, 3, 3), (3,)]
    assert (net.inputs, net.outputs) == (["data"], ["score"])
    assert net.top_names["relu"] == net.bottom_names["relu"] == ["conv"]
    assert list(net.layer_dict) == net._layer_names
    assert net.layer_dict["conv"].blobs[0] is net.params["conv"][0]
    assert net.blobs["score"].shape == (1, 2, 3, 4)
    assert dict(net.blob_loss_weights) == {"data": 0, "conv": 0, "score": 0}


def test_outputs_are_the_unread_blobs_sorted_by_name(make_net):
    net = make_net(DATA + power("z", "data", 2) + power("b", "data", 2) + power("a", "b", 2))
    assert net.outputs == ["a", "z"]


def test_all_constructor_signatures(write, tmp_path):
    path, weights = write(NET), tmp_path / "net.caffemodel"
    first = caffe.Net(str(path), caffe.TEST)
    first.save(str(weights))
    for net in (
        caffe.Net(str(path), str(weights), caffe.TEST),
        caffe.Net(path, weights, caffe.TEST),
        caffe.Net(path, caffe.TEST, weights=weights),
        caffe.Net(path, phase=caffe.TEST, weights=str(weights)),
        caffe.Net(network_file=str(path), weights=str(weights), phase=caffe.TEST),
        caffe.Net(str(path), caffe.TEST, 0, None, str(weights)),
        caffe.Net(str(path), caffe.TEST, 0, ["a"], weights),
    ):
        for mine, theirs in zip(net.params["conv"], first.params["conv"], strict=True):
            np.testing.assert_array_equal(mine.data, theirs.data)
    other = caffe.Net(path, caffe.TEST)
    assert (other.params["conv"][0].data != first.params["conv"][0].data).any()


@pytest.mark.parametrize(
    "arguments", [(), (2,), ("weights.caffemodel",), (caffe.TEST, 0, None, "", "more")]
)
def test_wrong_arguments(write, arguments):
    with pytest.raises(CaffeError, match="phase"):
        caffe.Net(write(NET), *arguments)


@pytest.mark.parametrize(
    "rule, runs",
    [
        ("include { phase: TRAIN }", {(0, 0, ""): True, (1, 0, ""): False}),
        ("include { phase: TEST }", {(1, 0, ""): True}),
        ("exclude { phase: TEST }", {(1, 0, ""): False}),
        (
            "include { min_level: 2 max_level: 3 }",
            {(1, 1, ""): False, (1, 2, ""): True, (1, 3, ""): True, (1, 4, ""): False},
        ),
        ("include { stage: 'a' stage: 'b' }", {(1, 0, "a"): False, (1, 0, "ab"): True}),
        ("include { not_stage: 'a' }", {(1, 0, "a"): False, (1, 0, "b"): True}),
        (
            "include { phase: TRAIN } include { stage: 'a' }",
            {(1, 0, "a"): True, (1, 0, "b"): False},
        ),
        (
            "exclude { phase: TRAIN } exclude { stage: 'a' }",
            {(1, 0, "a"): False, (1, 0, "b"): True},
        ),
    ],
)
def test_phase_level_and_stage_rules(make_net, rule, runs):
    for (phase, level, stages), wanted in runs.items():
        net = make_net(
            DATA + power("p", "data", 2, more=rule), phase, level=level, stages=list(stages)
        )
        assert ("p" in net._layer_names) == wanted


def test_forward_returns_outputs_and_requested_blobs(make_net):
    net = make_net(NET)
    assert list(net.forward()) == ["score"]
    out = net.forward(blobs=["conv"], end="relu")
    assert list(out) == ["conv"]
    assert list(net.forward(["data"])) == ["score", "data"]
    out["conv"][...] = 7  # the arrays are views
    assert (net.blobs["conv"].data == net.forward(start="score", blobs=["conv"])["conv"]).all()
    assert net.blobs["conv"].data.max() == 7


def test_forward_takes_inputs_by_name(make_net, write):
    net = make_net(DATA + power("p", "data", 2))
    x = np.random.default_rng(0).normal(size=(1, 2, 5, 6))
    for values in (x, x.astype(np.float32), x.tolist(), (x > 0), (x * 99).astype(np.uint8)):
        np.testing.assert_allclose(
            net.forward(data=values)["p"], 2 * np.asarray(values, np.float32)
        )


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(dota=np.zeros(3)), "dota"),
        (dict(data=np.zeros((2, 2, 5, 6))), r"\(2, 2, 5, 6\)"),
        (dict(data=0), r"give an array of shape \(1, 2, 5, 6\)"),
        (dict(data=[[["x"] * 6] * 5] * 2), "shape"),
        (dict(data=[[[["x"] * 6] * 5] * 2]), "numbers"),
        (dict(start="conw"), "conw.*conv"),
        (dict(end="nothing"), "nothing"),
        (dict(blobs=["score_"]), "score_"),
    ],
)
def test_forward_refuses(make_net, arguments, words):
    with pytest.raises(CaffeError, match=words):
        make_net(NET).forward(**arguments)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(score=np.zeros(3)), "shape"),
        (dict(conv=np.zeros((1, 3, 3, 4))), "outputs"),
        (dict(start="conw"), "conw"),
        (dict(diffs=["x"]), "'x'"),
    ],
)
def test_backward_refuses(make_net, arguments, words):
    net = make_net("force_backward: true " + NET)
    net.forward()
    with pytest.raises(CaffeError, match=words):
        net.backward(**arguments)


def test_backward_before_forward_names_the_layer(make_net):
    net = make_net("force_backward: true " + NET)
    with pytest.raises(LayerError, match="'score'.*forward"):
        net.backward()


def test_backward_returns_and_accumulates_until_cleared(make_net):
    net = make_net("force_backward: true " + NET)
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(1, 2, 5, 6))
    net.forward()
    ones = np.ones((1, 2, 3, 4))
    out = net.backward(diffs=["conv"], score=ones)
    assert list(out) == ["data", "conv"]
    once, to_data = net.params["conv"][0].diff.copy(), out["data"].copy()
    assert np.abs(once).max() > 0
    net.backward(score=ones)
    np.testing.assert_allclose(net.params["conv"][0].diff, 2 * once, rtol=1e-6)
    np.testing.assert_array_equal(net.blobs["data"].diff, to_data)  # overwritten, not added
    net.clear_param_diffs()
    assert not net.params["conv"][0].diff.any()


def test_params_diff_views_stay_valid_when_cleared(make_net):
    net = make_net("force_backward: true " + NET)
    view = net.params["score"][1].diff
    net.forward()
    net.backward(score=np.ones((1, 2, 3, 4)))
    np.testing.assert_array_equal(view, [12, 12])
    net.clear_param_diffs()
    np.testing.assert_array_equal(view, [0, 0])
    net.backward()
    np.testing.assert_array_equal(view, [12, 12])


def test_backward_in_stages_is_backward_as_a_whole(make_net):
    text = (
        "force_backward: true "
        + DATA
        + power("a", "data", 2)
        + power("b", "a", 3)
        + power("c", "a", 5)
        + 'layer { name: "s" type: "Eltwise" bottom: "b" bottom: "c" '
        'top: "s" }\n'
    )
    net = make_net(text)
    net.forward()
    diff = np.random.default_rng(0).normal(size=(1, 2, 5, 6)).astype(np.float32)
    for _ in range(2):
        net.backward(s=diff)
        np.testing.assert_allclose(net.blobs["data"].diff, 16 * diff, rtol=1e-5)
    for _ in range(2):  # in stages
        net.backward(start="s", end="c", s=diff)
        net.backward(start="b")
        np.testing.assert_allclose(net.blobs["data"].diff, 16 * diff, rtol=1e-5)
    for _ in range(2):  # from a later stage only: calls do not accumulate
        net.blobs["b"].diff[...] = diff
        net.backward(start="b")
        np.testing.assert_allclose(net.blobs["data"].diff, 6 * diff, rtol=1e-5)
    net.backward(s=diff)
    np.testing.assert_allclose(net.blobs["data"].diff, 16 * diff, rtol=1e-5)


def test_diffs_of_a_sum_do_not_share_memory(make_net):
    net = make_net(
        "force_backward: true "
        + DATA
        + power("a", "data", 1)
        + power("b", "data", 1)
        + 'layer { name: "s" type: "Eltwise" bottom: "a" bottom: "b" top: "s" }\n'
    )
    net.forward()
    net.backward(s=np.ones((1, 2, 5, 6)))
    net.blobs["a"].diff[...] = 5
    assert (net.blobs["b"].diff == 1).all() and (net.blobs["s"].diff == 1).all()


def test_the_same_bottom_twice(make_net):
    net = make_net(
        "force_backward: true " + DATA + 'layer { name: "s" type: "Eltwise" '
        'bottom: "data" bottom: "data" top: "s" }\n'
    )
    net.blobs["data"].data[...] = 3
    assert (net.forward()["s"] == 6).all()
    for _ in range(2):
        assert (net.backward(s=np.ones((1, 2, 5, 6)))["data"] == 2).all()


LABEL = 'layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 2 } } }\n'


def labelled(more=""):
    """Return a net of data, label and loss, with `more` fields of the loss layer."""
    return (
        data(2, 3)
        + LABEL
        + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" '
        f"{more} }}\n"
    )


def test_loss_weights(make_net):
    net = make_net("force_backward: true " + labelled())
    assert net.blob_loss_weights["loss"] == 1 and net.blobs["loss"].diff == 1
    assert net.forward()["loss"] == pytest.approx(np.log(3), rel=1e-6)
    plain = net.backward()["data"].copy()
    double = make_net("force_backward: true " + labelled("loss_weight: 2"))
    double.forward()
    np.testing.assert_allclose(double.backward()["data"], 2 * plain, rtol=1e-6)
    assert double.loss() == pytest.approx(2 * np.log(3), rel=1e-6)


def test_a_loss_that_is_read_keeps_its_own_weight(make_net):
    more = power("tripled", "loss", 3, more="loss_weight: 1")
    net, plain = make_net(labelled() + more, caffe.TRAIN), make_net(labelled(), caffe.TRAIN)
    for n in (net, plain):  # without weights that learn, a gradient needs force_backward
        assert not n._graph.need[2]
    net, plain = (make_net("force_backward: true " + labelled() + m) for m in (more, ""))
    plain.forward()
    wanted = 4 * plain.backward()["data"]
    net.forward()
    for _ in range(2):
        np.testing.assert_allclose(net.backward()["data"], wanted, rtol=1e-6)


def test_only_layers_that_learn_and_affect_a_loss_take_part_in_backward(make_net):
    text = (
        data(2, 3, 1, 1)
        + LABEL
        + conv("fixed", kernel=1, more="param { lr_mult: 0 } param { lr_mult: 0 }")
        + conv("learns", "fixed", kernel=1)
        + conv("unseen", "fixed", kernel=1)
        + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "learns" bottom: "label" '
        'top: "loss" }'
    )
    net = make_net(text, caffe.TRAIN)
    net.blobs["data"].data[...] = 1
    net.forward()
    net.backward()
    assert net.params["learns"][0].diff.any()
    assert not net.params["fixed"][0].diff.any() and not net.blobs["fixed"].diff.any()
    assert not net.params["unseen"][0].diff.any()


def test_propagate_down_cuts_the_gradient(make_net):
    text = (
        data(2, 3, 1, 1)
        + LABEL
        + conv("low", kernel=1)
        + conv("high", "low", kernel=1, more="propagate_down: false")
        + 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "high" bottom: "label" '
        'top: "loss" }'
    )
    net = make_net(text, caffe.TRAIN)
    net.blobs["data"].data[...] = 1
    net.forward()
    net.backward()
    assert net.params["high"][0].diff.any() and not net.params["low"][0].diff.any()
    with pytest.raises(LayerError, match="propagate_down"):
        make_net(text.replace("propagate_down: false", "propagate_down: [false, true]"))


def test_reshape_propagates_through_the_net(make_net):
    net = make_net(NET)
    net.blobs["data"].reshape(2, 2, 8, 9)
    net.reshape()
    assert net.blobs["score"].shape == (2, 2, 6, 7)
    assert net.forward()["score"].shape == (2, 2, 6, 7)


def test_missing_and_repeated_layer_names(make_net):
    """Caffe accepts them; forward(start=, end=) finds the first, and the others by number."""
    net = make_net(
        DATA
        + conv("c")
        + power("", "c", 2, top="a")
        + power("", "a", 3, top="b")
        + power("c", "b", 1, top="d")
        + power("(2)", "d", 1)
        + power(" (2)", "(2)", 1, top="e")
    )
    assert net._layer_names == ["data", "c", "", " (2)", "c (2)", "(2)", " (2) (2)"]
    net.blobs["c"].data[...] = 1
    assert (net.forward(start="", end="c (2)")["d"] == 6).all()
    assert list(net.params) == ["c"] and net.top_names[" (2)"] == ["b"]


def test_share_with(make_net):
    net, other = make_net(NET), make_net(NET)
    net.share_with(other)
    other.params["conv"][0].data[...] = 5
    assert (net.params["conv"][0].data == 5).all()
    with pytest.raises(ShapeMismatch, match="conv"):
        make_net(DATA + conv("conv", num_output=4)).share_with(other)


def shared_net(first="", second="", outputs=3):
    """Return a net of two convolutions that share weights; `first` and `second` are multipliers."""
    return (
        DATA
        + conv("a", more=f'param {{ name: "w" {first} }} param {{ name: "b" }}', num_output=outputs)
        + conv("c", more=f'param {{ name: "w" {second} }} param {{ name: "b" }}')
        + 'layer { name: "s" type: "Eltwise" bottom: "a" bottom: "c" top: "s" }'
    )


def test_weights_shared_by_name(make_net):
    net = make_net("force_backward: true " + shared_net())
    assert net.params["a"][0] is net.params["c"][0]
    net.blobs["data"].data[...] = np.random.default_rng(0).normal(size=(1, 2, 5, 6))
    net.forward()
    np.testing.assert_array_equal(net.blobs["a"].data, net.blobs["c"].data)
    net.backward(s=np.ones((1, 3, 3, 4)))
    np.testing.assert_array_equal(net.params["a"][1].diff, [24, 24, 24])  # both uses are added


def test_multipliers_of_shared_weights(make_net):
    net = make_net(shared_net("", "lr_mult: 3 decay_mult: 0"))
    assert [(w.lr_mult, w.decay_mult) for w in net._learned] == [(3, 0), (1, 1)]
    with pytest.raises(LayerError, match="'c'.*lr_mult 3 where that has 2"):
        make_net(shared_net("lr_mult: 2", "lr_mult: 3"))
    with pytest.raises(ShapeMismatch, match="'c'.*'w'.*'a'"):
        make_net(shared_net(outputs=4))


@pytest.mark.parametrize(
    "text, error, words",
    [
        (DATA + power("p", "dta", 1), MissingBottom, "'p'.*'dta'.*did you mean 'data'"),
        (DATA + power("p", "data", 1) + power("q", "data", 1, top="p"), DuplicateTop, "'q'.*'p'"),
        (
            DATA + power("c", "data", 1, top="p") + conv("c"),
            LayerError,
            "two layers are called 'c'",
        ),
        (
            DATA + conv("c", more="") + 'layer { name: "s" type: "Silence" bottom: "c" top: "x" }',
            LayerError,
            r"'s' \(Silence\): takes 0 top",
        ),
        (
            DATA + 'layer { name: "x" type: "Convlution" bottom: "data" top: "x" }',
            UnknownLayerType,
            "did you mean 'Convolution'",
        ),
        (
            DATA + 'layer { name: "x" type: "LSTM" bottom: "data" top: "x" }',
            UnknownLayerType,
            "'x'.*recurrent",
        ),
        (
            NET.replace('top: "score"', 'top: "conv"'),
            DuplicateTop,
            "Convolution cannot run in place|another layer",
        ),
        (DATA + conv("conv") + power("p", "conv", 1) + RELU, DuplicateTop, "'relu'.*'p' reads it"),
        (
            DATA + power("p", "data", 1, more="include { phase: TEST } exclude { phase: TRAIN }"),
            CaffeError,
            "'p'.*not both",
        ),
        (
            DATA + power("p", "data", 1, more="loss_weight: 1 loss_weight: 2"),
            LayerError,
            "'p'.*loss_weight",
        ),
    ],
)
def test_nets_that_cannot_be_built(make_net, text, error, words):
    with pytest.raises(error, match=words):
        make_net(text)


def test_module():
    assert caffe.__version__.startswith("1.0")
    assert (caffe.TRAIN, caffe.TEST) == (0, 1)
    types = caffe.layer_type_list()
    assert types == sorted(types) and {"Convolution", "Crop", "Python"} <= set(types)
    assert all(hasattr(caffe, name) for name in caffe.__all__)


def test_backward_without_force_backward_warns_once(make_net, caplog):
    net = make_net(NET)
    net.forward()
    for _ in range(2):
        assert not net.backward(score=np.ones((1, 2, 3, 4)))["data"].any()
    assert len(caplog.messages) == 1
    assert "'tiny'" in caplog.text and "'data'" in caplog.text
    assert "add `force_backward: true`" in caplog.text
    caplog.clear()
    net = make_net("force_backward: true " + NET)
    net.forward()
    assert net.backward(score=np.ones((1, 2, 3, 4)))["data"].any()
    net.backward(diffs=["conv"], start="score")
    assert not caplog.messages


def test_diffs_that_go_nowhere_warn(make_net, caplog):
    text = NET.replace(
        DATA,
        'layer { name: "data" type: "DummyData" top: "data" dummy_data_param { '
        "shape { dim: 1 dim: 2 dim: 5 dim: 6 } } }",
    )
    net = make_net(text)
    net.forward()
    net.backward(score=np.ones((1, 2, 3, 4)))
    assert "the diff given for 'score' goes to no layer" in caplog.text
    assert not net.params["score"][0].diff.any()


def test_no_warning_for_labels_and_training(make_net, caplog):
    """A label has no gradient, with force_backward neither."""
    net = make_net("force_backward: true " + labelled(), caffe.TRAIN)
    net.forward()
    net.backward()
    net.backward(diffs=["label"])
    net = make_net(labelled(), caffe.TRAIN)
    net.forward()
    net.backward_range()
    assert not caplog.messages


@pytest.mark.parametrize("what", ["blobs", "params", "layers", "top_names", "inputs", "name"])
def test_parts_of_a_net_cannot_be_assigned(make_net, what):
    with pytest.raises(AttributeError):
        setattr(make_net(NET), what, {})


def test_assignments_that_scripts_try(make_net):
    net, other, image = make_net(NET), make_net(NET), np.ones((1, 2, 5, 6))
    before = net.forward(data=image)["score"].copy()
    for assign, words in (
        (lambda: net.blobs.__setitem__("data", image), r"net\.blobs\['data'\]\.data\[\.\.\.\]"),
        (lambda: net.blobs.__setitem__("new", image), r"net\.blobs\['new'\]"),
        (lambda: net.params.__setitem__("conv", []), r"net\.params\['conv'\]\[0\]\.data\[\.\.\.\]"),
        (lambda: net.params["conv"].__setitem__(0, image), r"\[i\]\.data\[\.\.\.\] = array"),
        (lambda: net.params["conv"].__setitem__(0, other.params["conv"][0]), "net.share_with"),
        (lambda: net.layers[1].blobs.__setitem__(0, image), "stay in place"),
        (lambda: setattr(net.params["conv"][0], "data", image), r"write \.data\[\.\.\.\]"),
        (lambda: net.blobs["data"].__setitem__(..., image), r"write \.data\[\.\.\.\]"),
    ):
        with pytest.raises(NotAssignable, match=words):
            assign()
    with pytest.raises(AttributeError):
        net.layers[1].blobs = []
    np.testing.assert_array_equal(net.forward()["score"], before)
    net.blobs["data"].data += 1
    net.params["conv"][0].data *= 0
    assert (net.blobs["data"].data == 2).all()
    np.testing.assert_array_equal(net.forward(blobs=["conv"])["conv"], np.ones((1, 3, 3, 4)))


def test_unknown_names_list_those_there_are(make_net):
    net = make_net(NET)
    for mapping, words in (
        (net.params, "no layer with weights 'cnv'; there are conv score; did you mean 'conv'"),
        (net.blobs, "no blob 'cnv'; there are data conv score; did you mean 'conv'"),
        (net.layer_dict, "no layer 'cnv'; there are data conv relu score"),
        (net.top_names, "no layer 'cnv'"),
        (net.bottom_names, "no layer 'cnv'"),
    ):
        with pytest.raises(KeyError, match=words):
            mapping["cnv"]


def test_sharing_is_all_or_none(make_net):
    net = make_net(NET)
    other = make_net(DATA + conv("conv") + conv("score", "conv", 5, kernel=1))
    before = [b.data.copy() for blobs in net.params.values() for b in blobs]
    with pytest.raises(ShapeMismatch, match="'score'.*nothing was shared"):
        net.share_with(other)
    other.params["conv"][0].data[...] = 5
    after = [b.data for blobs in net.params.values() for b in blobs]
    for a, b in zip(after, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_interrupted_sharing_shares_nothing(make_net, monkeypatch):
    net, other, calls = make_net(NET), make_net(NET), []
    before = [b.synced_data for blobs in net.params.values() for b in blobs]

    def share_two(self, source, share=caffe.Blob.share_data):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        share(self, source)

    monkeypatch.setattr(caffe.Blob, "share_data", share_two)
    with pytest.raises(KeyboardInterrupt):
        net.share_with(other)
    after = [b.synced_data for blobs in net.params.values() for b in blobs]
    assert all(a is b for a, b in zip(after, before, strict=True))


def test_sharing_nothing_warns(make_net, caplog):
    make_net(NET).share_with(make_net(DATA + conv("c1")))
    assert "shares nothing" in caplog.text and "conv score" in caplog.text and "c1" in caplog.text
    caplog.clear()
    make_net(DATA).share_with(make_net(NET))  # there is nothing to share
    assert not caplog.messages


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_nets_are_not_copied(make_net, copied):
    net = make_net(NET)
    with pytest.raises(NoCopy, match="net 'tiny' cannot be copied.*make another.*share_with"):
        copied(net)
    other = make_net(NET)
    other.load_state_dict(pickle.loads(pickle.dumps(net.state_dict())))
    image = np.ones((1, 2, 5, 6))
    np.testing.assert_array_equal(
        net.forward(data=image)["score"], other.forward(data=image)["score"]
    )


def test_names_of_other_versions_say_what_to_use(make_net):
    net = make_net(NET)
    with pytest.raises(AttributeError, match="'preprocess': use caffe.io.Transformer"):
        net.preprocess("data", None)
    with pytest.raises(AttributeError, match="'conv1'$"):
        getattr(net, "conv1")  # noqa: B009
    assert net._set_input_arrays.__func__ is caffe.Net.set_input_arrays
