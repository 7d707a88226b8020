"""Nets that a solver trains and tests, shared weights, and the state after training."""

import logging
import re

import h5py
import numpy as np
import pytest

import caffe
from caffe.errors import SolverError
from caffe.proto import caffe_pb2
from caffe.training.solver import SOLVERS
from tests.caffe.training.small_solver import BASE, NET, weights
from tests.caffe.training.solver_oracle import LAYER, batch, gradient, net_of

TESTED = "test_interval: 2 test_iter: 3 "


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Make the Python layer with the oracle's batches importable."""
    (tmp_path / "cycling_rows.py").write_text(LAYER)
    monkeypatch.syspath_prepend(tmp_path)


def solver_of(write, text):
    return caffe.get_solver(write(f"{BASE} snapshot_after_train: false {text}"))


def named(name, **layers):
    """Return a net of that name with extra layers, given as name -> include or exclude rule."""
    extra = "".join(
        f'layer {{ name: "{k}" type: "Silence" bottom: "low" {v} }}' for k, v in layers.items()
    )
    return f'name: "{name}" {NET} {extra}'


def test_test_nets_in_their_order(write):
    """The order is test_net_param, test_net, then the net itself for the remaining test_iter."""
    solver = solver_of(
        write,
        f'net: "{write(named("own"))}" test_net: "{write(named("file"))}" '
        f"test_net_param {{ {named('inline')} }} " + "test_interval: 1 " + "test_iter: 1 " * 4,
    )
    assert [n.name for n in solver.test_nets] == ["inline", "file", "own", "own"]
    assert solver.net.name == "own"
    solver = solver_of(
        write,
        f"train_net_param {{ {named('train')} }} "
        f'test_net: "{write(named("a"))}" test_net: "{write(named("b"))}" '
        "test_interval: 1 test_iter: 1 test_iter: 1",
    )
    assert [solver.net.name] + [n.name for n in solver.test_nets] == ["train", "a", "b"]


def test_states_select_layers(write):
    net = (
        named(
            "n",
            train="include { phase: TRAIN }",
            test="include { phase: TEST }",
            deep="include { min_level: 2 }",
            x='include { stage: "x" }',
            y='include { stage: "y" }',
            not_x='exclude { stage: "x" }',
        )
        + 'state { stage: "y" }'
    )
    solver = solver_of(
        write,
        f'net: "{write(net)}" train_state {{ level: 2 }} '
        "test_interval: 1 test_iter: 1 test_iter: 1 "
        'test_state { stage: "x" } test_state { level: 3 phase: TRAIN }',
    )

    def layers(n):
        return [x for x in n._layer_names if x not in ("data", "label", "low", "score", "loss")]

    assert layers(solver.net) == ["train", "deep", "y", "not_x"]
    assert layers(solver.test_nets[0]) == ["test", "x", "y"]
    assert layers(solver.test_nets[1]) == ["train", "deep", "y", "not_x"]


def test_test_outputs_are_means_over_batches_at_the_present_weights(rows, write, caplog):
    solver = solver_of(write, f'net: "{write(net_of())}" {TESTED} test_compute_loss: true')
    wanted, test_batches = [], iter(range(99))

    def expect():
        w, b = (blob.data.astype(float) for blob in solver.net.params["fc"])
        wanted.append(np.mean([gradient(w, b, next(test_batches))[0] for _ in range(3)]))

    real = solver.test_all
    solver.test_all = lambda: (expect(), real())
    with caplog.at_level(logging.INFO, "caffe"):
        solver.step(5)
    logged = [float(m.split("= ")[1]) for m in caplog.messages if "test loss" in m]
    assert len(logged) == 3 and len(set(logged)) == 3
    np.testing.assert_allclose(logged, wanted, rtol=1e-5)
    summed = [float(m.split("= ")[1]) for m in caplog.messages if "(loss)" in m]
    np.testing.assert_allclose(summed, wanted, rtol=1e-5)
    (net,) = solver.test_nets
    net.params["fc"][0].data[0, 0] = 77
    assert solver.net.params["fc"][0].data[0, 0] == 77
    assert solver.net.layers[0].at == 5  # testing uses no training data


def test_weights_to_start_from_reach_the_test_nets(make_solver, tmp_path):
    solver = make_solver(BASE)
    solver.net.params["low"][0].data[...] = 7
    solver.net.params["score"][0].data[...] = 5
    solver.net.save(tmp_path / "a.caffemodel")
    solver.net.save_hdf5(tmp_path / "b.caffemodel.h5")
    other = make_solver(
        BASE + f'weights: "{tmp_path}/a.caffemodel, {tmp_path}/b.caffemodel.h5" '
        "test_iter: 1 test_interval: 9"
    )
    for net in (other.net, *other.test_nets):
        assert (net.params["low"][0].data == 7).all() and (net.params["score"][0].data == 5).all()


def test_share_weights_with_another_net(make_solver):
    first, second = make_solver(BASE), make_solver(BASE)
    first.share_weights(second.net)
    first.step(2)
    for mine, theirs in zip(weights(second.net), weights(first.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_apply_update_increments_iter_and_writes_the_update_to_diff(make_solver):
    """In a user's own loop of forward, backward and apply_update."""
    text = BASE + "momentum: 0.9 weight_decay: 0.1"
    solver, other = make_solver(text), make_solver(text)
    for i in range(3):
        solver.net.clear_param_diffs()
        solver.net.forward()
        solver.net.backward()
        before = weights(solver.net)
        solver.apply_update()
        assert solver.iter == i + 1
        for old, blobs in zip(before, [b for p in solver.net.params.values() for b in p]):
            np.testing.assert_allclose(old - blobs.data, blobs.diff, rtol=1e-4, atol=1e-6)
    other.step(3)
    for mine, theirs in zip(weights(solver.net), weights(other.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(solver.history, other.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_gradients_changed_by_a_callback_are_applied(make_solver):
    plain, doubled = make_solver(BASE), make_solver(BASE)
    before = weights(plain.net)

    def double():
        for blobs in doubled.net.params.values():
            for blob in blobs:
                blob.diff[...] *= 2

    doubled.add_callback(lambda: None, double)
    for solver in (plain, doubled):
        solver.step(1)
    for old, once, twice in zip(before, weights(plain.net), weights(doubled.net), strict=True):
        np.testing.assert_allclose(twice - old, 2 * (once - old), rtol=1e-3, atol=1e-6)


def test_solve_logs_the_loss_after_the_last_update(rows, write, caplog):
    solver = solver_of(write, f'net: "{write(net_of())}" max_iter: 4 display: 2')
    with caplog.at_level(logging.INFO, "caffe"):
        solver.solve()
    assert solver.net.layers[0].at == 5  # one more forward than iterations
    w, b = (blob.data.astype(float) for blob in solver.net.params["fc"])
    logged = re.search(r"iteration 4, loss ([\d.]+)", caplog.text)
    assert float(logged[1]) == pytest.approx(gradient(w, b, 4)[0], rel=1e-3)
    x, y = batch(4)
    np.testing.assert_array_equal(solver.net.blobs["x"].data, x)
    np.testing.assert_array_equal(solver.net.blobs["y"].data, y)


def test_average_loss(rows, write, caplog):
    solver = solver_of(write, f'net: "{write(net_of())}" display: 1 average_loss: 3')
    losses = []
    solver.add_callback(lambda: None, lambda: losses.append(float(solver.net.blobs["loss"].data)))
    with caplog.at_level(logging.INFO, "caffe"):
        solver.step(5)
    logged = [float(re.search(r"loss ([\d.]+)", m)[1]) for m in caplog.messages]
    np.testing.assert_allclose(
        logged, [np.mean(losses[max(0, i - 2) : i + 1]) for i in range(5)], rtol=1e-4
    )


def test_beyond_max_iter(make_solver):
    solver = make_solver(
        'base_lr: 0.1 lr_policy: "poly" power: 0.5 max_iter: 2 snapshot_after_train: false'
    )
    assert solver.max_iter == 2
    solver.solve()
    before = weights(solver.net)
    solver.step(3)  # Caffe's rate, and hence its weights, would be NaN
    assert solver.iter == 5 and solver.lr == 0
    for mine, theirs in zip(weights(solver.net), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    solver.solve()  # no iteration is left
    assert solver.iter == 5


@pytest.mark.parametrize(
    "old, kind",
    [
        ("SGD", "SGD"),
        ("NESTEROV", "Nesterov"),
        ("ADAGRAD", "AdaGrad"),
        ("RMSPROP", "RMSProp"),
        ("ADADELTA", "AdaDelta"),
        ("ADAM", "Adam"),
    ],
)
def test_every_way_to_name_a_solver(make_solver, old, kind):
    number = caffe_pb2.SolverParameter.SolverType.Value(old)
    for text in (f"solver_type: {old}", f"solver_type: {number}", f'type: "{kind}"'):
        assert type(make_solver(BASE + text)) is SOLVERS[kind] is getattr(caffe, kind + "Solver")


def test_the_same_seed_gives_the_same_training(make_solver):
    net = NET.replace('bottom: "low" top: "score"', 'bottom: "drop" top: "score"').replace(
        'layer { name: "score"',
        'layer { name: "drop" type: "Dropout" bottom: "low" top: "drop" }\nlayer { name: "score"',
    )
    runs = []
    for seed in (1, 1, 2):
        solver = make_solver(f'base_lr: 0.1 lr_policy: "fixed" random_seed: {seed}', net)
        solver.step(3)
        runs.append(solver.net.params["low"][0].data.copy())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


@pytest.mark.parametrize(
    "text, words",
    [
        ("average_loss: 0", "average_loss is 0"),
        ('type: "RMSProp" rms_decay: 1', "rms_decay is 1"),
        ('type: "RMSProp" momentum: 0.5', "no momentum"),
        ("test_interval: 1 test_iter: 1 test_state { } test_state { }", "2 test_state for 1"),
    ],
)
def test_invalid_parameters(make_solver, text, words):
    with pytest.raises(SolverError, match=words):
        make_solver(BASE + text)


@pytest.mark.parametrize("diff", [True, False])
def test_snapshot_diff(make_solver, diff):
    """Snapshots hold the last update of the weights if snapshot_diff is set."""
    solver = make_solver(BASE + f"snapshot_diff: {str(diff).lower()}")
    solver.step(2)
    wanted = {n: [b.diff.copy() for b in blobs] for n, blobs in solver.net.params.items()}
    param = caffe_pb2.NetParameter.FromString(open(solver.snapshot()[0], "rb").read())
    solver.param.snapshot_format = caffe_pb2.SolverParameter.HDF5
    with h5py.File(solver.snapshot()[0]) as f:
        assert ("diff" in f) == diff
        for layer in param.layer:
            for i, blob in enumerate(layer.blobs):
                own = wanted[layer.name][i]
                assert len(blob.diff) == own.size * diff and len(blob.data) == own.size
                if diff:
                    np.testing.assert_array_equal(np.reshape(blob.diff, own.shape), own)
                    np.testing.assert_array_equal(f["diff"][layer.name][str(i)], own)
    other = make_solver(BASE)
    other.net.copy_from(solver.snapshot()[0])
    for mine, theirs in zip(weights(other.net), weights(solver.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)
