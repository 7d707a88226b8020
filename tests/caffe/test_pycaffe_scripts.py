"""Details that scripts written for BVLC pycaffe 1.0 rely on."""

import gc
import os
import sys
import types

import numpy as np
import pytest

import caffe
from caffe.blobs.blob import BlobVec
from tests.caffe.bridge_nets import data

NET = """
name: "script" force_backward: true
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  num: 4 num: 4 channels: 2 channels: 1 height: 5 height: 1 width: 3 width: 1
  data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 2 pad: 1 weight_filler { type: "xavier" } }
  param { lr_mult: 1 } param { lr_mult: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "score"
  inner_product_param { num_output: 7 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
"""
SOLVER = (
    "test_iter: 2 test_interval: 5 base_lr: 0.05 momentum: 0.9 max_iter: 12 "
    'lr_policy: "inv" gamma: 0.01 power: 0.5 snapshot_after_train: false '
    'snapshot_prefix: "snap"'
)


def fill_labels(net, classes=7):
    blob = net.blobs["label"]
    blob.data[...] = np.random.default_rng(0).integers(classes, size=blob.data.shape)


@pytest.fixture
def net(write):
    path = write(NET)
    net = caffe.Net(str(path), caffe.TRAIN)
    os.remove(path)  # it is not read again
    fill_labels(net)
    return net


@pytest.fixture
def solver(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = write(NET)
    path = write(f'net: "{net}" {SOLVER}')
    solver = caffe.SGDSolver(str(path))
    os.remove(path)
    os.remove(net)
    for each in (solver.net, *solver.test_nets):
        fill_labels(each)
    return solver


def check_readable(net):
    """Read all values of a net."""
    blobs = [*net.blobs.values(), *(b for own in net.params.values() for b in own)]
    assert np.isfinite(sum(float(b.data.sum() + b.diff.sum()) for b in blobs))


def test_labels_written_over_a_constant_stay(net):
    labels = net.blobs["label"].data.copy()
    first = net.forward()["loss"].copy()
    second = net.forward()["loss"]
    np.testing.assert_array_equal(net.blobs["label"].data, labels)
    assert labels.any() and first != second  # new random data


def test_blobs_outlive_their_net(net):
    held = list(net.blobs.values()) + list(net.params["fc"])
    view = net.params["conv"][0].data
    total = view.sum()
    del net
    gc.collect()
    assert view.sum() == total and all(np.isfinite(b.data).all() for b in held)


def test_nets_outlive_their_solver(solver):
    solver.step(1)
    nets = [solver.net, *solver.test_nets]
    assert len(nets) == 2
    del solver
    gc.collect()
    for each in nets:
        check_readable(each)
        each.forward()


def test_a_stage_forward_on_values_written_by_hand(net):
    values = np.random.default_rng(0).random(net.blobs["conv"].data.shape)
    net.blobs["conv"].data[:] = values
    out = net.forward(start="fc", end="fc")
    weight, bias = (b.data for b in net.params["fc"])
    np.testing.assert_allclose(
        out["score"], values.reshape(4, -1) @ weight.T + bias, rtol=1e-4, atol=1e-5
    )


def test_cleared_diffs_show_in_views(net):
    net.forward()
    net.backward()
    view = net.params["conv"][0].diff
    assert np.abs(view).max() > 0
    net.clear_param_diffs()
    assert (view == 0).all()


def test_names_of_tops_and_bottoms(net):
    assert dict(net.top_names) == dict(
        data=["data", "label"], conv=["conv"], fc=["score"], loss=["loss"]
    )
    assert net.bottom_names["loss"] == ["score", "label"] and net.bottom_names["data"] == []
    assert list(net.layer_dict) == list(net._layer_names) == list(net.top_names)
    assert (net.inputs, net.outputs) == ([], ["loss"])


def test_files_made_by_tempfile_are_overwritten(net, tmp_path, write):
    for save, name in ((net.save, "a"), (net.save_hdf5, "b")):
        (tmp_path / name).touch()
        save(str(tmp_path / name))
        other = caffe.Net(str(write(NET)), caffe.TEST)
        (other.copy_from if name == "a" else other.load_hdf5)(str(tmp_path / name))
        for mine, theirs in zip(net.params["fc"], other.params["fc"], strict=True):
            np.testing.assert_array_equal(mine.data, theirs.data)


def test_solve_from_the_start(solver):
    assert solver.iter == 0
    solver.solve(None)
    assert solver.iter == solver.param.max_iter == 12
    assert solver.lr == pytest.approx(0.05 * 1.12**-0.5)


def test_an_update_by_hand(solver):
    layer = solver.net.layers[1]
    view = layer.blobs[0].data[...]
    view[...] = 0
    for blobs in solver.net.params.values():
        for blob in blobs:
            blob.diff[...] = 1
    solver.apply_update()
    np.testing.assert_allclose(view, -0.05, rtol=1e-6)
    assert np.shares_memory(view, layer.blobs[0].data)


def test_snapshots_are_written_to_the_working_directory(solver):
    solver.snapshot()
    assert {"snap_iter_0.caffemodel", "snap_iter_0.solverstate"} <= set(os.listdir())


def test_shared_weights(solver, write):
    other = caffe.Net(str(write(NET)), caffe.TEST)
    solver.share_weights(other)
    solver.net.params["fc"][0].data[...] = 3
    assert (other.params["fc"][0].data == 3).all()
    assert np.shares_memory(other.params["fc"][0].data, solver.net.params["fc"][0].data)


def test_a_single_callback_runs_at_the_start(solver):
    seen = []
    solver.add_callback(lambda: seen.append(solver.iter))
    solver.step(2)
    assert seen == [0, 1]


def test_lists_of_blobs(net):
    blobs = net.params["conv"]
    assert len(blobs) == 2 and blobs[-1] is blobs[1] and list(blobs) == blobs[:]
    grown = BlobVec()
    grown.append(blobs[0])
    grown.add_blob(2, 3)
    assert [b.shape for b in grown] == [blobs[0].shape, (2, 3)] and not grown[1].data.any()


CONV = """
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 3 kernel_size: 2 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
"""
DENSE = (
    'layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" '
    'inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }'
)
SLIDING = (
    'layer { name: "fc-conv" type: "Convolution" bottom: "conv" top: "fc-conv" '
    "convolution_param { num_output: 4 kernel_size: 3 } }"
)


def test_a_classifier_made_convolutional(write, tmp_path):
    """Net surgery: the weights of a dense layer are copied, flattened, into a convolution."""
    dense = caffe.Net(str(write(data(1, 2, 4, 4) + CONV + DENSE)), caffe.TEST)
    dense.save(str(tmp_path / "dense.caffemodel"))
    sliding = caffe.Net(
        str(write(data(1, 2, 6, 7) + CONV + SLIDING)),
        str(tmp_path / "dense.caffemodel"),
        caffe.TEST,
    )
    sliding.params["fc-conv"][0].data.flat = dense.params["fc"][0].data.flat
    sliding.params["fc-conv"][1].data[...] = dense.params["fc"][1].data
    image = np.random.default_rng(0).normal(size=(2, 6, 7)).astype(np.float32)
    scores = sliding.forward_all(data=np.asarray([image]))["fc-conv"][0]
    assert scores.shape == (4, 3, 4)
    for y in range(3):
        for x in range(4):
            window = image[None, :, y : y + 4, x : x + 4]
            np.testing.assert_allclose(
                scores[:, y, x], dense.forward(data=window)["fc"][0], rtol=1e-4, atol=1e-5
            )


def test_gradient_ascent_on_the_image(make_net):
    """Deep Dream: the diff of a layer is set to its values and propagated down."""
    net = make_net("force_backward: true " + data(1, 2, 6, 7) + CONV + DENSE)
    source, goal = net.blobs["data"], net.blobs["conv"]
    source.data[0] = np.random.default_rng(0).normal(size=(2, 6, 7))
    norms = []
    for _ in range(3):
        net.forward(end="relu")
        norms.append((goal.data**2).sum())
        goal.diff[:] = goal.data
        net.backward(start="relu")
        slope = source.diff[0]
        source.data[:] += 1e-2 / np.abs(slope).mean() * slope
    assert norms[0] < norms[1] < norms[2]
    step, image = 1e-2 * slope / np.abs(slope).max(), source.data.copy()
    net.forward(end="relu")
    goal.diff[:] = goal.data
    expected = (net.backward(start="relu")["data"][0] * step).sum()
    values = []
    for sign in (1, -1):
        source.data[0] = image[0] + sign * step
        net.forward(end="relu")
        values.append((goal.data.astype(np.float64) ** 2).sum() / 2)
    assert (values[0] - values[1]) / 2 == pytest.approx(expected, rel=1e-2)


@pytest.fixture
def python_net(make_net, monkeypatch):
    """Return python_net(class, phase) -> a net of one Python layer, without bottoms."""

    def python_net(layer, phase=caffe.TEST):
        module = types.ModuleType("scripts_layers")
        module.Mine = layer
        monkeypatch.setitem(sys.modules, "scripts_layers", module)
        return make_net(
            'layer { name: "mine" type: "Python" top: "mine" python_param { '
            'module: "scripts_layers" layer: "Mine" param_str: "7" } }',
            phase,
        )

    return python_net


class Plain(caffe.Layer):
    def reshape(self, bottom, top):
        top[0].reshape()

    def forward(self, bottom, top):
        top[0].data[()] = self.phase


class GivenItsParameters(Plain):
    def __init__(self, layer_param, *args, **kwargs):
        super().__init__(layer_param, *args, **kwargs)
        self.given = layer_param.python_param.layer


class GivenNothing(Plain):
    def __init__(self):
        self.given = "nothing"


@pytest.mark.parametrize("phase", [caffe.TRAIN, caffe.TEST])
def test_a_top_that_is_one_number(python_net, phase):
    out = python_net(Plain, phase).forward()["mine"]
    assert out.shape == () and out == phase


@pytest.mark.parametrize("layer, given", [(GivenItsParameters, "Mine"), (GivenNothing, "nothing")])
def test_constructors_of_python_layers(python_net, layer, given):
    user = python_net(layer).layers[0]
    assert isinstance(user, layer) and user.given == given and len(user.blobs) == 0
    assert user.param_str == user.param_str_ == "7"


def test_an_exception_in_setup_reaches_the_constructor(python_net):
    class Failing(caffe.Layer):
        def setup(self, bottom, top):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        python_net(Failing)


def test_caffe_pb2_is_reachable_through_io():
    assert caffe.io.caffe_pb2.Datum is caffe.proto.caffe_pb2.Datum
