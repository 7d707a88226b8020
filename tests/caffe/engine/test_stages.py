"""Staged execution: layers that do not run keep their blobs, and no stale blob is used."""

import gc
import sys
import types
import weakref

import numpy as np
import pytest

import caffe
from caffe.errors import LabelRange, LayerError, ShapeMismatch, StaleInput

HEAD = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: 4 dim: 4 } } }
layer { name: "shallow" type: "Power" bottom: "data" top: "shallow" power_param { scale: 2 } }
layer { name: "relu" type: "ReLU" bottom: "shallow" top: "shallow" }
layer { name: "deep" type: "Power" bottom: "shallow" top: "deep" power_param { scale: 10 } }
"""
FUSE = """
layer { name: "fuse" type: "Eltwise" bottom: "shallow" bottom: "deep" top: "fuse" }
"""
POOL = """
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "up" type: "Deconvolution" bottom: "pool" top: "up"
  convolution_param { num_output: 1 kernel_size: 2 stride: 2 bias_term: false
    weight_filler { type: "constant" value: 1 } } }
layer { name: "crop" type: "Crop" bottom: "up" bottom: "data" top: "crop" }
"""


@pytest.fixture
def net(make_net):
    return make_net(HEAD + FUSE)


def put(net, value):
    net.blobs["data"].data[...] = value


def test_a_stage_that_does_not_run_keeps_its_blobs(net):
    put(net, 1)
    net.forward()
    put(net, 2)
    net.forward(end="relu")
    assert (net.blobs["shallow"].data == 4).all() and (net.blobs["deep"].data == 20).all()
    net.forward(start="fuse")
    assert (net.blobs["fuse"].data == 24).all()
    net.forward(start="deep", end="deep")
    assert (net.blobs["fuse"].data == 24).all() and (net.blobs["deep"].data == 40).all()


def test_all_stages_in_order_are_a_full_pass(net):
    put(net, 3)
    full = net.forward()["fuse"].copy()
    put(net, -1)
    net.forward()
    put(net, 3)
    for start, end in (("data", "relu"), ("deep", "deep"), ("fuse", "fuse")):
        net.forward(start=start, end=end)
    np.testing.assert_array_equal(net.blobs["fuse"].data, full)


def test_a_late_stage_may_run_before_an_early_one(net):
    """Pipelining: each stage works on the previous stage's result for an earlier frame."""
    put(net, 1)
    net.forward()
    for value in (2, 3):
        put(net, value)
        net.forward(start="deep", end="deep")
        net.forward(start="shallow", end="relu")
        net.forward(start="fuse")
        assert (net.blobs["fuse"].data == 2 * value + 20 * (value - 1)).all()


def test_the_end_is_inclusive_and_the_in_place_layer_after_it_does_not_run(net):
    put(net, -1)
    net.forward(end="shallow")
    assert (net.blobs["shallow"].data == -2).all()
    net.forward(start="relu", end="relu")
    assert (net.blobs["shallow"].data == 0).all()


def test_an_in_place_layer_run_twice_works_on_its_own_result(make_net):
    net = make_net(
        HEAD.replace('"relu" type: "ReLU"', '"relu" type: "Power" power_param { scale: 3 }')
    )
    put(net, 1)
    net.forward(end="relu")
    net.forward(start="relu", end="relu")
    assert (net.blobs["shallow"].data == 18).all()


def test_a_blob_that_feeds_several_layers_is_one_blob(net):
    put(net, 1)
    net.forward()
    net.blobs["shallow"].data[...] = 7
    net.forward(start="fuse")
    assert (net.blobs["fuse"].data == 27).all()
    net.forward(start="deep")
    assert (net.blobs["fuse"].data == 77).all()


def test_a_new_input_reaches_all_its_readers(make_net):
    """In BVLC Caffe, a stage that starts after the Split of `data` reads the previous frame."""
    net = make_net(HEAD + FUSE + POOL)
    put(net, 1)
    net.forward()
    put(net, 5)
    net.forward(start="pool", end="pool")
    assert (net.blobs["pool"].data == 5).all()


@pytest.mark.parametrize(
    "start, missing, maker",
    [("fuse", "'shallow'", "'shallow'"), ("deep", "'shallow'", "'shallow'")],
)
def test_stages_whose_inputs_were_never_computed(net, start, missing, maker):
    put(net, 1)
    with pytest.raises(
        StaleInput,
        match=f"layer '{start}'.*bottom {missing} has not been computed"
        f".*run forward from layer {maker}",
    ):
        net.forward(start=start)


def test_one_input_computed_and_one_not(net):
    put(net, 1)
    net.forward(end="relu")
    with pytest.raises(StaleInput, match="'fuse'.*'deep' has not been computed"):
        net.forward(start="fuse")


def test_a_refused_stage_changes_nothing(net):
    put(net, 1)
    net.forward()
    before = {name: blob.data.copy() for name, blob in net.blobs.items()}
    net.blobs["data"].reshape(1, 1, 5, 5)
    with pytest.raises(StaleInput):
        net.forward(start="deep")
    for name, values in before.items():
        if name != "data":
            np.testing.assert_array_equal(net.blobs[name].data, values)


@pytest.mark.parametrize("size", [(1, 1, 6, 6), (1, 1, 2, 2), (2, 1, 4, 4)])
def test_inputs_of_another_size(net, size):
    put(net, 1)
    net.forward()
    net.blobs["data"].reshape(*size)
    put(net, 1)
    with pytest.raises(
        StaleInput,
        match=r"'deep'.*computed from 'data' of shape \(1, 1, 4, 4\), "
        rf"which has shape \({', '.join(map(str, size))}\) now",
    ):
        net.forward(start="deep")
    net.forward(end="relu")
    with pytest.raises(StaleInput, match="'fuse'.*'deep' was computed"):
        net.forward(start="fuse")
    net.forward(start="deep")
    assert net.blobs["fuse"].shape == size and (net.blobs["fuse"].data == 22).all()


def test_back_to_the_size_before(net):
    """Blobs that were not cleared by the change of size are usable again."""
    put(net, 1)
    net.forward()
    net.blobs["data"].reshape(1, 1, 6, 6)
    net.blobs["data"].reshape(1, 1, 4, 4)
    net.forward(start="deep")
    assert (net.blobs["fuse"].data == 22).all()


def test_reshaping_the_net_clears_blobs(net):
    put(net, 1)
    net.forward()
    net.blobs["data"].reshape(1, 1, 6, 6)
    net.reshape()
    with pytest.raises(
        StaleInput, match="'shallow' has not been computed since the net was reshaped"
    ):
        net.forward(start="deep")


def test_back_to_the_size_before_after_reshapes_of_the_net(net):
    """Cleared blobs have not been computed, even if their old shape comes back."""
    put(net, 1)
    net.forward()
    for size in (6, 4):
        net.blobs["data"].reshape(1, 1, size, size)
        net.reshape()
    with pytest.raises(StaleInput, match="'shallow' has not been computed since"):
        net.forward(start="deep")
    net.blobs["shallow"].data[...] = 1
    assert (net.forward(start="deep", end="deep")["deep"] == 10).all()


def test_resizing_takes_effect_at_once(make_net):
    net = make_net(HEAD + FUSE + POOL)
    for size in (4, 6, 2, 7, 4):
        net.blobs["data"].reshape(1, 1, size, size)
        net.blobs["data"].data[...] = size
        if size % 2:
            out = net.forward()["crop"]
            assert out.shape == (1, 1, size, size) and (out == size).all()
        else:
            net.forward(start="pool")  # no full pass, no net.reshape()
            assert (net.blobs["pool"].data == size).all()
            assert net.blobs["crop"].shape == (1, 1, size, size)


def test_blobs_filled_by_hand_count_as_computed(net):
    net.blobs["shallow"].data[...] = 1
    net.forward(start="deep", end="deep")
    assert (net.blobs["deep"].data == 10).all()
    net.blobs["deep"].data[0, 0, 2, 2] = 5
    net.forward(start="fuse")
    assert net.blobs["fuse"].data[0, 0, 2, 2] == 6


def test_blobs_filled_by_hand_at_another_size(net):
    net.forward()
    for name in ("shallow", "deep"):
        net.blobs[name].reshape(1, 1, 2, 3)
        net.blobs[name].data[...] = 4
    assert (net.forward(start="fuse")["fuse"] == np.full((1, 1, 2, 3), 8)).all()
    net.blobs["deep"].reshape(1, 1, 3, 3)
    net.blobs["deep"].data[...] = 4
    with pytest.raises(ShapeMismatch, match=r"'fuse'.*shallow \(1, 1, 2, 3\), deep \(1, 1, 3, 3\)"):
        net.forward(start="fuse")


def test_results_are_not_views_of_the_input(make_net):
    """A Crop of whole rows, a Dropout in TEST and a Split copy their bottom.

    Otherwise the next frame would change the blobs of a stage that did not run.
    """
    net = make_net(
        HEAD
        + """
layer { name: "like" type: "Input" top: "like"
  input_param { shape { dim: 1 dim: 1 dim: 2 dim: 4 } } }
layer { name: "cut" type: "Crop" bottom: "data" bottom: "like" top: "cut"
  crop_param { offset: 1 offset: 0 } }
layer { name: "drop" type: "Dropout" bottom: "data" top: "drop" }
layer { name: "split" type: "Split" bottom: "data" top: "one" top: "two" }"""
    )
    put(net, 1)
    net.forward()
    put(net, 2)
    for name in ("cut", "drop", "one", "two"):
        assert (net.blobs[name].data == 1).all(), name
    net.blobs["one"].data[...] = 9
    assert (net.blobs["two"].data == 1).all()


def test_views_of_blobs_stay_valid(net):
    put(net, 1)
    out, data = net.forward()["fuse"], net.blobs["data"].data
    assert (out == 22).all()
    data[...] = 2
    net.forward()
    assert (out == 44).all()  # the same memory, as in pycaffe


@pytest.mark.parametrize("value", [0, 3])
def test_what_is_filled_by_hand_counts_whatever_the_values(net, value):
    """Asking for shapes or values is no filling."""
    put(net, 1)
    for blob in net.blobs.values():
        assert blob.data.shape == (1, 1, 4, 4) and not blob.data[0, 0].max() > 1
    with pytest.raises(StaleInput, match=r"fill the blob by hand \(\.data\[\.\.\.\] = values\)"):
        net.forward(start="deep")
    net.blobs["shallow"].data[...] = value
    assert (net.forward(start="deep")["fuse"] == 11 * value).all()


@pytest.mark.parametrize("value", [0, 3])
def test_a_blob_refilled_after_the_input_changed_size_counts(make_net, value):
    net = make_net(
        HEAD + 'layer { name: "all" type: "Pooling" bottom: "deep" top: "all" '
        "pooling_param { pool: AVE global_pooling: true } } "
        'layer { name: "end" type: "Power" bottom: "all" top: "end" power_param { shift: 1 } }'
    )
    put(net, 1)
    net.forward()
    net.blobs["data"].reshape(1, 1, 6, 6)
    assert net.blobs["all"].data.sum() == 20  # a look at it
    with pytest.raises(StaleInput, match="'all' was computed from 'data'"):
        net.forward(start="end")
    net.blobs["all"].data[0, 0] = value
    assert net.forward(start="end")["end"] == value + 1
    net.blobs["data"].reshape(1, 1, 5, 5)  # it has no source now
    assert net.forward(start="end")["end"] == value + 1


def test_a_view_taken_before_the_net_ran_is_no_filling_of_what_it_computed(net):
    view = net.blobs["shallow"].data
    put(net, 1)
    net.forward()
    view *= 2  # of a blob that is up to date
    net.blobs["data"].reshape(1, 1, 6, 6)
    with pytest.raises(StaleInput, match="'shallow' was computed from 'data'"):
        net.forward(start="deep")
    view[...] = 0  # of one that is not
    assert (net.forward(start="deep", end="deep")["deep"] == 0).all()


def test_blobs_of_a_net_are_freed_with_it(make_net):
    """Blobs know of their net weakly; a cycle would keep gigabytes until the next collection."""
    net = make_net(HEAD + FUSE)
    net.forward()
    gone = weakref.ref(net)
    blob = net.blobs["deep"]
    gc.disable()
    try:
        del net
        assert gone() is None
    finally:
        gc.enable()
    blob.data[...] = 1


class Failing(caffe.Layer):
    """Copies one row after the other, and fails before the second if told so."""

    failure = None

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)
        if self.failure is ValueError:
            raise ValueError

    def forward(self, bottom, top):
        for row in range(4):
            if row == 1 and self.failure is not None:
                raise self.failure
            top[0].data[0, 0, row] = bottom[0].data[0, 0, row]


@pytest.fixture
def failing_net(make_net, monkeypatch):
    module = types.ModuleType("failing_layers")
    module.Failing = Failing
    monkeypatch.setitem(sys.modules, "failing_layers", module)
    return make_net(
        HEAD + 'layer { name: "python" type: "Python" bottom: "shallow" top: "copy" '
        'python_param { module: "failing_layers" layer: "Failing" } } '
        'layer { name: "last" type: "Power" bottom: "copy" top: "last" power_param { scale: 2 } }'
    )


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("ran_before", [False, True])
def test_the_tops_of_a_layer_that_did_not_end_are_not_computed(failing_net, failure, ran_before):
    net = failing_net
    put(net, 1)
    if ran_before:
        net.forward()
    put(net, 5)
    net.layer_dict["python"].failure = failure
    with pytest.raises(failure):
        net.forward()
    with pytest.raises(StaleInput, match="'copy' is half computed: layer 'python' failed"):
        net.forward(start="last")
    assert (net.blobs["shallow"].data == 10).all()  # layers before it ended
    net.layer_dict["python"].failure = None
    assert (net.forward(start="python")["last"] == 20).all()


def test_a_half_computed_blob_may_be_filled_by_hand(failing_net):
    net = failing_net
    net.layer_dict["python"].failure = RuntimeError
    with pytest.raises(RuntimeError):
        net.forward()
    net.blobs["copy"].data[...] = 0
    assert (net.forward(start="last")["last"] == 0).all()


def test_a_layer_of_ours_that_fails_leaves_nothing_computed(make_net):
    net = make_net(
        'force_backward: true layer { name: "data" type: "Input" top: "data" top: "label" '
        "input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } } "
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" } '
        'layer { name: "twice" type: "Power" bottom: "loss" top: "twice" power_param { scale: 2 } }'
    )
    net.forward()
    net.blobs["label"].data[...] = 7
    with pytest.raises(LabelRange):
        net.forward()
    with pytest.raises(StaleInput, match="'loss' is half computed"):
        net.forward(start="twice")
    with pytest.raises(LayerError, match="'loss'.*call forward first"):
        net.backward()
    net.blobs["label"].data[...] = 1
    np.testing.assert_allclose(net.forward()["twice"], 2 * np.log(3), rtol=1e-6)
