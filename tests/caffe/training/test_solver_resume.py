"""Resuming from snapshots is exact: six solvers, both formats, any iteration; states from Caffe."""

import logging

import h5py
import numpy as np
import pytest

import caffe
from caffe.proto import caffe_pb2
from tests.caffe.training.small_solver import SETTINGS, weights
from tests.caffe.training.solver_oracle import LAYER, net_of

FORMATS = ["BINARYPROTO", "HDF5"]
MULT = dict(lr_weight=1, lr_bias=2, decay_weight=1, decay_bias=0)
NORMED = net_of(**MULT).replace('bottom: "x" top: "fc"', 'bottom: "bn" top: "fc"')
NORMED = NORMED.replace(
    'layer { name: "fc"',
    'layer { name: "bn" type: "BatchNorm" bottom: "x" top: "bn" }\nlayer { name: "fc"',
    1,
)
# rates that change at iterations 2, 3 and 5, or in every iteration; gradients of several passes
POLICIES = [
    'lr_policy: "multistep" gamma: 0.5 stepvalue: 2 stepvalue: 3 stepvalue: 5 weight_decay: 0.001',
    'lr_policy: "poly" power: 0.9 max_iter: 20 iter_size: 3 clip_gradients: 0.5',
    'lr_policy: "step" gamma: 0.7 stepsize: 2 iter_size: 2 weight_decay: 0.01 '
    'regularization_type: "L1"',
]


@pytest.fixture
def make(tmp_path, monkeypatch, write):
    """Return make(parameters) -> a solver whose data come from a Python layer."""
    (tmp_path / "cycling_rows.py").write_text(LAYER)
    monkeypatch.syspath_prepend(tmp_path)

    def make(parameters, net=NORMED):
        solver = caffe.get_solver(
            write(
                f'net: "{write(net)}" snapshot_prefix: "{tmp_path}/snap" base_lr: 0.05 {parameters}'
            )
        )
        solver.net.params["fc"][0].data[...] = np.linspace(-1, 1, 15).reshape(3, 5)
        return solver

    return make


def rule_settings(kind):
    return f'type: "{kind}" ' + " ".join(f"{k}: {v}" for k, v in SETTINGS[kind].items())


def assert_same(mine, theirs):
    """Compare weights, histories, iteration and rate of two solvers bit for bit."""
    assert mine.iter == theirs.iter and mine.lr == theirs.lr
    for a, b in zip(weights(mine.net), weights(theirs.net), strict=True):
        np.testing.assert_array_equal(a, b)
    assert sum(bool(h.any()) for h in mine.history) >= 2  # BatchNorm's blobs have none
    for a, b in zip(mine.history, theirs.history, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("policy", range(len(POLICIES)))
def test_resuming_is_exact(make, kind, ending, policy):
    """From snapshots before, at and after steps of the learning rate."""
    text = f"{rule_settings(kind)} {POLICIES[policy]} snapshot_format: {ending}"
    whole = make(text + " snapshot: 1")
    whole.step(8)
    passes = whole.param.iter_size
    h5 = ".h5" * (ending == "HDF5")
    for at in (1, 2, 3, 6):
        other = make(text)
        other.restore(whole.param.snapshot_prefix + f"_iter_{at}.solverstate{h5}")
        assert other.iter == at
        other.net.layers[0].at = at * passes  # a state does not hold the position in the data
        other.step(8 - at)
        assert_same(other, whole)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_snapshot_during_an_iteration(make, kind, ending):
    """A snapshot from a callback, between passes or before the update, repeats the iteration."""
    text = f"{rule_settings(kind)} {POLICIES[1]} snapshot_format: {ending}"
    plain = net_of(**MULT)  # BatchNorm's statistics would have changed already
    whole, states = make(text, plain), []
    whole.net.before_forward(
        lambda *_: (
            states.append(whole.snapshot()[1])
            if whole.net.layers[0].at == 3 * 3 + 1 and not states
            else None
        )
    )
    whole.add_callback(
        lambda: None, lambda: states.append(whole.snapshot()[1]) if whole.iter == 4 else None
    )
    whole.step(8)
    assert len(states) == 2
    for at, state in zip((3, 4), states):
        other = make(text, plain)
        other.restore(state)
        assert other.iter == at
        other.net.layers[0].at = at * 3
        other.step(8 - at)
        assert_same(other, whole)


@pytest.mark.parametrize("kind", SETTINGS)
def test_both_formats_hold_the_same(make, kind):
    solver = make(f"{rule_settings(kind)} {POLICIES[0]}")
    solver.step(4)
    _, proto = solver.snapshot()
    solver.param.snapshot_format = caffe_pb2.SolverParameter.HDF5
    model, hdf5 = solver.snapshot()
    state = caffe_pb2.SolverState.FromString(open(proto, "rb").read())
    with h5py.File(hdf5) as f:
        assert f["iter"][:] == state.iter == 4 and f["current_step"][:] == state.current_step == 2
        assert f["iter"].dtype == np.int32 and f["learned_net"].dtype.kind == "S"
        assert f["learned_net"][()].decode() == model
        assert len(f["history"]) == len(state.history) == len(solver.history)
        for i, blob in enumerate(state.history):
            np.testing.assert_array_equal(np.ravel(f["history"][str(i)]), blob.data)


def test_momentum_matters(make):
    """Without the history, training differs; hence the tests above can fail."""
    whole = make(rule_settings("SGD") + " " + POLICIES[0])
    whole.step(3)
    model, state = whole.snapshot()
    whole.step(1)
    other = make(rule_settings("SGD") + " " + POLICIES[0])
    other.restore(state)
    for history in other.history:
        history.zero_()
    other.net.layers[0].at = 3
    other.step(1)
    assert (weights(other.net)[-1] != weights(whole.net)[-1]).any()


def test_resuming_with_other_stepvalues_warns(make, caplog):
    policy = 'lr_policy: "multistep" gamma: 0.5 '
    solver = make(policy + "stepvalue: 2 stepvalue: 3")
    solver.step(4)
    _, state = solver.snapshot()
    caplog.clear()
    with caplog.at_level(logging.WARNING, "caffe"):
        make(policy + "stepvalue: 2 stepvalue: 3").restore(state)
        assert not caplog.messages
        other = make(policy + "stepvalue: 9")
        other.restore(state)
    assert "had passed 2 stepvalue(s) at iteration 4" in caplog.text
    assert other.lr == pytest.approx(0.05)
    assert solver.lr == pytest.approx(0.05 / 4)


RECORDED = (
    "adadelta adagrad adam fcn_sgd_fixed nesterov sgd_exp sgd_fixed sgd_inv sgd_l1 "
    "sgd_itersize2 sgd_itersize2_input sgd_multistep sgd_sigmoid sgd_step".split()
)


@pytest.fixture
def recorded(shared, monkeypatch):
    """Return recorded(name) -> (folder, solver, feed) of a training recorded from Caffe.

    `feed(i)` fills the solver's inputs for iteration i.
    """
    folder = shared / "golden/train"
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)

    def make(name):
        solver = caffe.get_solver(f"{name}/solver.prototxt")
        x, y = np.load("x.npy"), np.load("s.npy" if name.startswith("fcn") else "y.npy")
        python = [layer for layer in solver.net.layers if isinstance(layer, caffe.Layer)]

        def feed(i):
            for layer in python:
                layer.i = 4 * solver.param.iter_size * i
            if not python:
                rows = [(4 * i + k) % 32 for k in range(4)]
                solver.net.blobs["data"].data[...] = x[rows]
                solver.net.blobs["label"].data[...] = y[rows]

        return folder / name, solver, feed

    return make


def close(mine, theirs):
    assert np.abs(mine - theirs).max() <= 1e-4 * np.abs(theirs).max() + 1e-9


@pytest.mark.parametrize("name", RECORDED)
def test_states_against_caffe(recorded, name, tmp_path):
    """Compare our state after ten iterations with the recorded one, then resume from the latter."""
    folder, solver, feed = recorded(name)
    solver.net.copy_from(folder / "init.caffemodel")
    for i in range(10):
        feed(i)
        solver.step(1)
    solver.param.snapshot_prefix = str(tmp_path / "snap")
    mine, theirs = (
        caffe_pb2.SolverState.FromString(open(path, "rb").read())
        for path in (solver.snapshot()[1], folder / "iter10.solverstate")
    )
    assert (mine.iter, mine.current_step) == (theirs.iter, theirs.current_step)
    for a, b in zip(mine.history, theirs.history, strict=True):
        assert list(a.shape.dim) == list(b.shape.dim)
        close(np.array(a.data), np.array(b.data))
    _, other, feed = recorded(name)
    other.restore(folder / "iter10.solverstate")
    other.net.copy_from(folder / "iter10.caffemodel")
    losses = []
    for i in range(10, 20):
        feed(i)
        other.step(1)
        losses.append(float(other.net.blobs["loss"].data))
    close(np.array(losses), np.load(folder / "loss.npy")[10:])
    final = caffe.Net(f"{name}/train.prototxt", caffe.TRAIN)
    final.copy_from(folder / "final.caffemodel")
    for a, b in zip(weights(other.net), weights(final), strict=True):
        close(a, b)
