"""forward_incremental: what it computes, what it keeps, what it refuses. Windows by hand."""

import numpy as np
import pytest

import caffe
from caffe.engine.changes import incremental
from caffe.errors import CaffeError, StaleInput

NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: 20 dim: 20 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {
  num_output: 2 kernel_size: 3 pad: 1 weight_filler { type: "constant" value: 1 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param {
  kernel_size: 2 stride: 2 } }
layer { name: "deep" type: "Convolution" bottom: "pool" top: "deep" convolution_param {
  num_output: 2 kernel_size: 3 pad: 1 weight_filler { type: "constant" value: 1 } } }
layer { name: "up" type: "Deconvolution" bottom: "deep" top: "up" convolution_param {
  num_output: 2 kernel_size: 2 stride: 2 weight_filler { type: "constant" value: 1 } } }
layer { name: "sum" type: "Eltwise" bottom: "up" bottom: "conv" top: "sum" }
"""
DENSE = """
layer { name: "dense" type: "InnerProduct" bottom: "pool" top: "dense"
  inner_product_param { num_output: 3 weight_filler { type: "constant" value: 1 } } }
"""
WHOLE = (((0, 20), (0, 20)),)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    """A window pays here though a layer is tiny."""
    monkeypatch.setattr(incremental, "STARTING", 0)


@pytest.fixture
def nets(make_net):
    """Return the net, run once on whole numbers, and another for whole forwards."""
    net, whole = make_net(NET), make_net(NET)
    put(net, np.random.default_rng(0).integers(-3, 4, (20, 20)))
    net.forward_incremental()
    return net, whole


def put(net, values):
    net.blobs["data"].data[0, 0] = values


def agree(net, whole):
    put(whole, net.blobs["data"].data[0, 0])
    whole.forward()
    for name in net.blobs:
        np.testing.assert_array_equal(net.blobs[name].data, whole.blobs[name].data, name)


def test_one_pixel(nets):
    """Pixel (9, 10): 3 x 3 of conv, 2 x 2 of pool, 4 x 4 of deep and 8 x 8 of the rest."""
    net, whole = nets
    net.blobs["data"].data[0, 0, 9, 10] += 5
    out = net.forward_incremental()
    assert list(out) == ["sum"]
    done = net.increment
    assert done.changed == {"data": (((9, 10), (10, 11)),)}
    assert done.computed == {
        "conv": (((8, 11), (9, 12)),),
        "relu": (((8, 11), (9, 12)),),
        "pool": (((4, 6), (4, 6)),),
        "deep": (((3, 7), (3, 7)),),
        "up": (((6, 14), (6, 14)),),
        "sum": (((6, 14), (6, 14)),),
    }
    # 9 x 9 x 2, 16 x 9 x 4, and 16 positions of the bottom x 4 x 4
    assert done.multiply_adds == {
        "conv": 162, "relu": 0, "pool": 0, "deep": 576, "up": 256, "sum": 0
    }  # fmt: skip
    assert done.all_multiply_adds == 400 * 18 + 100 * 36 + 100 * 16
    assert done.share == (162 + 576 + 256) / 12400
    agree(net, whole)


def test_nothing_has_changed(nets):
    net, whole = nets
    net.forward_incremental()
    assert net.increment.changed == {"data": ()}
    assert set(net.increment.computed.values()) == {()} and net.increment.share == 0
    agree(net, whole)


def test_two_corners_are_two_windows(nets):
    net, whole = nets
    net.blobs["data"].data[0, 0, [0, 19], [0, 19]] += 1
    net.forward_incremental()
    assert set(net.increment.changed["data"]) == {((0, 1), (0, 1)), ((19, 20), (19, 20))}
    assert set(net.increment.computed["deep"]) == {((0, 2), (0, 2)), ((8, 10), (8, 10))}
    agree(net, whole)


def test_a_whole_new_frame_runs_whole(nets):
    net, whole = nets
    put(net, np.random.default_rng(1).integers(-3, 4, (20, 20)))
    net.forward_incremental()
    assert net.increment.computed["conv"] == WHOLE and net.increment.share == 1
    agree(net, whole)


def test_a_stage_that_is_skipped_gathers_its_changes(nets):
    net, whole = nets
    for row in (2, 9):
        net.blobs["data"].data[0, 0, row, 3] += 1
        net.forward_incremental(end="pool")
    before = net.blobs["deep"].data.copy()
    net.forward_incremental(start="sum")
    np.testing.assert_array_equal(net.blobs["deep"].data, before)
    net.forward_incremental(start="deep", end="up")
    (window,) = net.increment.computed["deep"]  # rows 0..2 and 4..5 of pool, and one around
    assert window == ((0, 7), (0, 4))
    net.forward_incremental(start="sum")
    agree(net, whole)


def test_views_stay_connected(nets):
    net, _ = nets
    view = net.blobs["sum"].data
    net.blobs["data"].data[0, 0, 9, 10] += 5
    before = view.copy()
    net.forward_incremental()
    assert (view != before).any()
    np.testing.assert_array_equal(view, net.blobs["sum"].data)


def test_the_caller_says_where(nets):
    """What is not named counts as unchanged, whatever it is."""
    net, whole = nets
    net.blobs["data"].data[0, 0, 4, 4] += 1
    net.blobs["data"].data[0, 0, 15, 15] += 1
    mask = np.zeros((20, 20), bool)
    mask[4, 4] = True
    for changed in (((4, 5), (4, 5)), [((4, 5), (4, 5))], mask, {"data": mask}):
        net.forward_incremental(changed=changed)
        assert net.increment.changed == {"data": (((4, 5), (4, 5)),)}
    put(whole, net.blobs["data"].data[0, 0])
    whole.blobs["data"].data[0, 0, 15, 15] -= 1
    whole.forward()
    np.testing.assert_array_equal(net.blobs["sum"].data, whole.blobs["sum"].data)
    net.forward_incremental()  # it is still found when frames are compared again
    assert net.increment.changed == {"data": (((15, 16), (15, 16)),)}
    agree(net, whole)


@pytest.mark.parametrize(
    "changed, message",
    [
        (np.zeros((3, 3), bool), r"mask for 'data' has the shape \(3, 3\): give a bool mask of"),
        (((0, 1),), "a window such as"),
        ("all", "a window such as"),
        (((0.5, 1), (0, 1)), "a window such as"),
        ({"image": ((0, 1), (0, 1))}, "changed names 'image', the inputs of the net are data"),
        ([((0, 1), (0, 1)), ((0, 1),)], "a window such as"),
    ],
)
def test_what_cannot_be_windows(nets, changed, message):
    with pytest.raises(CaffeError, match=message):
        nets[0].forward_incremental(changed=changed)


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), "1", None])
def test_what_cannot_be_a_tolerance(nets, tolerance):
    with pytest.raises(CaffeError, match="give the largest difference"):
        nets[0].forward_incremental(tolerance=tolerance)


def test_a_tolerance_compares_with_what_was_used_last(nets):
    """Steps of 1 at a tolerance of 2: used at every third one, and the blobs are of that input."""
    net, whole = nets
    start = net.blobs["data"].data.copy()
    for step in range(1, 8):
        net.blobs["data"].data[0, 0, 9, 10] += 1
        net.forward_incremental(tolerance=2)
        used = step - step % 3
        assert bool(net.increment.changed["data"]) == (step % 3 == 0)
        assert net.increment.ignored == step % 3
        assert net.increment.ignored_share == pytest.approx((step % 3 > 0) / 400)
        whole.blobs["data"].data[...] = start
        whole.blobs["data"].data[0, 0, 9, 10] += used
        whole.forward()
        np.testing.assert_array_equal(net.blobs["sum"].data, whole.blobs["sum"].data)
    assert net.blobs["data"].data[0, 0, 9, 10] == start[0, 0, 9, 10] + 7  # as the user left it


def test_nan_and_the_sign_of_zero(nets):
    net, _ = nets
    net.blobs["data"].data[0, 0, 9, 10] = np.nan
    net.forward_incremental()
    assert net.increment.changed["data"] == (((9, 10), (10, 11)),)
    for tolerance in (0, 1):
        net.forward_incremental(tolerance=tolerance)
        assert net.increment.changed["data"] == ()  # the same NaN
    net.blobs["data"].data[0, 0, 9, 10] = 0
    net.forward_incremental()
    net.blobs["data"].data[0, 0, 9, 10] = -0.0
    net.forward_incremental()
    assert net.increment.changed["data"] == (((9, 10), (10, 11)),)


def test_weights_that_change(nets):
    net, whole = nets
    for n in nets:
        n.params["deep"][0].data[0] = 3
    net.forward_incremental()
    assert net.increment.computed["conv"] == () and net.increment.computed["pool"] == ()
    assert net.increment.computed["deep"] == (((0, 10), (0, 10)),)
    agree(net, whole)


def test_weights_written_through_a_view_that_was_kept(nets):
    net, whole = nets
    view = net.params["conv"][1].data
    net.forward_incremental()
    view[0] = whole.params["conv"][1].data[0] = 4
    net.forward_incremental()
    assert net.increment.computed["conv"] == WHOLE
    agree(net, whole)


def test_a_blob_written_by_hand(nets):
    """As in forward: its readers take it, the layer that makes it computes it again."""
    net, whole = nets
    net.blobs["pool"].data[...] = 7
    net.forward_incremental(start="deep")
    assert (net.blobs["deep"].data[0, 0, 1:-1, 1:-1] == 18 * 7).all()
    net.forward_incremental()
    assert net.increment.computed["pool"] == (((0, 10), (0, 10)),)
    agree(net, whole)


def test_after_a_forward_and_a_reshape(nets):
    net, whole = nets
    net.blobs["data"].data[0, 0, 3, 3] += 1
    net.forward()
    net.blobs["data"].data[0, 0, 5, 5] += 1
    net.forward_incremental()
    agree(net, whole)
    for n in nets:
        n.blobs["data"].reshape(1, 1, 24, 16)
    put(net, 2)
    net.forward_incremental()
    agree(net, whole)


def test_an_in_place_layer_alone(make_net):
    """As in forward it works on its own result, and then nothing is kept of it."""
    text = NET.replace('"ReLU"', '"Power" power_param { scale: 3 }')
    net, whole = make_net(text), make_net(text)
    for n in (net, whole):
        put(n, 1)
    for span in ({}, {"start": "relu", "end": "relu"}, {"end": "conv"}, {"start": "relu"}, {}):
        net.forward_incremental(**span)
        whole.forward(**span)
        for name in net.blobs:
            np.testing.assert_array_equal(net.blobs[name].data, whole.blobs[name].data, name)


def test_what_cannot_be_windowed_runs_whole_if_its_bottom_changed(make_net):
    net = make_net(NET + DENSE)
    net.forward_incremental()
    net.blobs["data"].data[0, 0, 9, 10] = 5
    net.forward_incremental()
    assert net.increment.computed["dense"] == ((),)
    assert net.increment.multiply_adds["dense"] == 3 * 200
    net.forward_incremental()
    assert net.increment.computed["dense"] == ()


def test_layers_of_backward_run_whole(make_net):
    net = make_net("force_backward: true " + NET)
    net.forward_incremental()
    net.blobs["data"].data[0, 0, 9, 10] = 5
    net.forward_incremental()
    assert net.increment.computed["conv"] == WHOLE
    net.blobs["sum"].diff[...] = 1
    net.backward()
    assert net.blobs["data"].diff.any()


def test_callbacks_see_whole_layers(nets):
    net, whole = nets
    seen = []
    net.after_forward(seen.append)
    net.blobs["data"].data[0, 0, 9, 10] += 5
    net.forward_incremental()
    assert seen == list(range(7)) and net.increment.share == 1
    agree(net, whole)


def test_an_input_that_a_layer_overwrites(make_net):
    text = NET.replace(
        'layer { name: "conv" ',
        'layer { name: "twice" type: "Power" bottom: "data" top: "data" power_param { scale: 2 } }'
        'layer { name: "conv" ',
    )
    net = make_net(text)
    for _ in range(3):
        put(net, 1)
        net.forward_incremental()
        assert (net.blobs["conv"].data[0, 0, 1:-1, 1:-1] == 18).all()
        assert net.increment.share == 1


def test_stale_inputs_are_refused_as_in_forward(make_net):
    net = make_net(NET)
    with pytest.raises(StaleInput, match="'pool' has not been computed"):
        net.forward_incremental(start="deep")
    net.forward_incremental()
    net.blobs["data"].reshape(1, 1, 24, 16)
    with pytest.raises(StaleInput, match="which has shape"):
        net.forward_incremental(start="deep")


def test_an_interruption_loses_nothing(nets, monkeypatch):
    net, whole = nets
    put(net, np.arange(400).reshape(20, 20) % 7)
    net.blobs["data"].data[0, 0, 9, 10] += 5
    run = incremental.Incremental._run_windows

    def interrupted(self, group, region):
        if 4 in group:
            raise KeyboardInterrupt
        run(self, group, region)

    net.forward_incremental()
    net.blobs["data"].data[0, 0, 9, 10] += 5
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(incremental.Incremental, "_run_windows", interrupted)
        net.forward_incremental()
    net.forward_incremental()
    agree(net, whole)


def test_in_bfloat16(make_net):
    caffe.set_precision("bfloat16")
    net, whole = make_net(NET), make_net(NET)
    rng = np.random.default_rng(3)
    put(net, rng.integers(-1, 2, (20, 20)))
    for _ in range(4):
        net.forward_incremental()
        agree(net, whole)
        net.blobs["data"].data[0, 0, rng.integers(20), rng.integers(20)] += 1


def test_inputs_by_name_and_other_blobs(nets):
    net, _ = nets
    out = net.forward_incremental(blobs=["pool"], data=np.ones((1, 1, 20, 20)), end="deep")
    assert set(out) == {"pool", "deep"}
    with pytest.raises(CaffeError, match="no blob 'nothing'"):
        net.forward_incremental(blobs=["nothing"])
    with pytest.raises(CaffeError, match="no layer of that name"):
        net.forward_incremental(start="nothing")


def test_multiply_adds_of_a_net(nets):
    net, _ = nets
    assert sum(net.multiply_adds().values()) == 12400
    assert net.multiply_adds(((9, 10), (10, 11)))["deep"] == 576
    assert set(net.multiply_adds({}).values()) == {0}


def test_no_drift_over_1000_frames(make_net):
    """Noise in random rectangles; at the end no blob is further off than after the first frames."""
    net, whole = make_net(NET), make_net(NET)
    rng, errors = np.random.default_rng(5), []
    for n in (net, whole):
        for layer in ("conv", "deep", "up"):
            values = np.random.default_rng(6).normal(size=n.params[layer][0].shape)
            n.params[layer][0].data[...] = values
    for frame in range(1000):
        (a, b), (c, d) = (sorted(rng.integers(0, 21, 2)) for _ in range(2))
        part = net.blobs["data"].data[0, 0, a:b, c:d]
        part[...] = rng.normal(0, 50, part.shape)
        net.forward_incremental()
        if frame % 100 == 99:
            whole.blobs["data"].data[...] = net.blobs["data"].data
            wanted = whole.forward()["sum"]
            errors.append(np.abs(net.blobs["sum"].data - wanted).max() / np.abs(wanted).max())
    assert max(errors) <= 1e-6
