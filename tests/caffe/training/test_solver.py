"""Solvers against update rules in plain NumPy; test nets, callbacks, schedules, errors."""

import logging

import numpy as np
import pytest

import caffe
from caffe.errors import CaffeError, SolverError
from caffe.proto import caffe_pb2
from caffe.training.lr_policy import rate, steps_passed
from caffe.training.solver import SOLVERS
from tests.caffe.training.small_solver import BASE, NET, SETTINGS, weights
from tests.caffe.training.solver_oracle import RULES

MULTIPLIERS = [(1, 1), (2, 0), (0.5, 1), (0, 1)]  # of the learned blobs of NET


def gradients(net):
    return [b.diff.copy() for blobs in net.params.values() for b in blobs]


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize(
    "decay", ["", "weight_decay: 0.1", 'weight_decay: 0.1 regularization_type: "L1"']
)
def test_update_rules(make_solver, kind, decay):
    rule, settings = RULES[kind], SETTINGS[kind]
    solver = make_solver(
        BASE + f'type: "{kind}" {decay} ' + " ".join(f"{k}: {v}" for k, v in settings.items())
    )
    assert type(solver).__name__ == f"{kind}Solver" and solver.type == kind
    assert type(solver) is getattr(caffe, f"{kind}Solver")
    wanted, states = [w.astype(np.float64) for w in weights(solver.net)], [{} for _ in MULTIPLIERS]
    for t in range(1, 6):
        grads = []
        solver._callbacks.clear()
        solver.add_callback(lambda: None, lambda grads=grads: grads.extend(gradients(solver.net)))
        solver.step(1)
        for i, ((lr, decays), g) in enumerate(zip(MULTIPLIERS, grads, strict=True)):
            if not lr:
                continue
            g = g.astype(np.float64)
            if decay:
                g += 0.1 * decays * (np.sign(wanted[i]) if "L1" in decay else wanted[i])
            wanted[i] = wanted[i] - rule(g, 0.1 * lr, states[i], t, settings)
        for mine, theirs in zip(weights(solver.net), wanted, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=2e-6)


POLICIES = {
    'lr_policy: "fixed"': lambda i: 2,
    'lr_policy: "step" gamma: 0.5 stepsize: 3': lambda i: 2 * 0.5 ** (i // 3),
    'lr_policy: "multistep" gamma: 0.5 stepvalue: 2 stepvalue: 7': lambda i: (
        2 * 0.5 ** ((i >= 2) + (i >= 7))
    ),
    'lr_policy: "exp" gamma: 0.9': lambda i: 2 * 0.9**i,
    'lr_policy: "inv" gamma: 0.1 power: 0.75': lambda i: 2 * (1 + 0.1 * i) ** -0.75,
    'lr_policy: "poly" power: 1.5 max_iter: 10': lambda i: 2 * max(0, 1 - i / 10) ** 1.5,
    'lr_policy: "sigmoid" gamma: -0.5 stepsize: 4': lambda i: 2 / (1 + np.exp(0.5 * (i - 4))),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_learning_rates(make_solver, policy):
    solver = make_solver("base_lr: 2 " + policy)
    for i in range(12):
        solver.iter = i
        assert solver.lr == pytest.approx(POLICIES[policy](i), rel=1e-6)


def test_steps_passed():
    p = caffe_pb2.SolverParameter(lr_policy="multistep", stepvalue=[2, 7])
    assert [steps_passed(p, i) for i in (0, 1, 2, 6, 7, 99)] == [0, 0, 1, 1, 2, 2]
    p = caffe_pb2.SolverParameter(lr_policy="step", stepsize=3)
    assert [steps_passed(p, i) for i in (0, 2, 3, 9)] == [0, 0, 1, 3]


@pytest.mark.parametrize(
    "p, words",
    [
        (dict(lr_policy="poli"), "'poli' is not known: use one of fixed"),
        (dict(), "lr_policy '' is not known"),
        (dict(lr_policy="step"), "stepsize"),
        (dict(lr_policy="poly"), "max_iter"),
        (dict(lr_policy="exp", gamma=1e30, base_lr=1), "not a finite number"),
        (dict(lr_policy="poly", max_iter=1, power=-1, base_lr=1), "not a finite number"),
    ],
)
def test_invalid_policies(p, words):
    with pytest.raises(SolverError, match=words):
        rate(caffe_pb2.SolverParameter(**p), 10**6)


def test_iter_size_averages_over_batches(make_solver):
    """The same batch twice is equivalent to that batch once."""
    once, twice = make_solver(BASE), make_solver(BASE + "iter_size: 2")
    for blob, other in zip(once.net._learned, twice.net._learned, strict=True):
        other.blob.data[...] = blob.blob.data
    for solver in (once, twice):
        solver.step(3)
    for mine, theirs in zip(weights(once.net), weights(twice.net), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_clip_gradients(make_solver):
    solver, grads = make_solver(BASE + "clip_gradients: 0.01"), []
    before = weights(solver.net)
    solver.add_callback(lambda: None, lambda: grads.extend(gradients(solver.net)))
    solver.step(1)
    norm = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in grads))
    assert norm > 0.01
    for (lr, _), w, g, after in zip(MULTIPLIERS, before, grads, weights(solver.net), strict=True):
        np.testing.assert_allclose(w - after, 0.1 * lr * g * 0.01 / norm, rtol=1e-2, atol=1e-7)
    wide = make_solver(BASE + "clip_gradients: 1000")
    wide.step(1)
    plain = make_solver(BASE)
    plain.step(1)
    for mine, theirs in zip(weights(wide.net), weights(plain.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_callbacks_run_when_pycaffe_runs_them(make_solver):
    solver, calls = make_solver(BASE), []
    solver.add_callback(
        lambda: calls.append(("start", solver.iter, weights(solver.net))),
        lambda: calls.append(("gradients", solver.iter, weights(solver.net))),
    )
    solver.step(2)
    assert [c[:2] for c in calls] == [
        ("start", 0),
        ("gradients", 0),
        ("start", 1),
        ("gradients", 1),
    ]
    np.testing.assert_array_equal(calls[0][2][0], calls[1][2][0])
    assert (calls[1][2][0] != calls[2][2][0]).any()


TESTED = (
    NET
    + """
layer { name: "only" type: "Power" bottom: "score" top: "only" power_param { scale: 2 }
  include { phase: TEST stage: "extra" } }
"""
)


def test_test_nets_share_the_weights_and_run_at_intervals(make_solver, caplog):
    solver = make_solver(
        BASE + "test_iter: 3 test_iter: 2 test_interval: 2 "
        'test_state { stage: "extra" } test_state { } ',
        TESTED,
    )
    full, plain = solver.test_nets
    assert "only" in full.blobs and "only" not in plain.blobs and "only" not in solver.net.blobs
    seen = []
    real = solver.test_all
    solver.test_all = lambda: (seen.append(solver.iter), real())
    with caplog.at_level(logging.INFO, "caffe"):
        solver.step(5)
    assert seen == [0, 2, 4]
    assert sum("test loss" in message for message in caplog.messages) == 6
    for mine, theirs in zip(weights(full), weights(solver.net), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert full.forward()["loss"] > 0


def test_without_test_initialization_the_first_test_is_later(make_solver):
    solver = make_solver(
        BASE + "test_iter: 1 test_interval: 2 test_initialization: false "
        "max_iter: 4 snapshot_after_train: false"
    )
    seen = []
    solver.test_all = lambda: seen.append(solver.iter)
    solver.solve()
    assert seen == [2, 4]


def test_display_averages_the_loss(make_solver, caplog):
    with caplog.at_level(logging.INFO, "caffe"):
        make_solver(BASE + "display: 2 average_loss: 3").step(5)
    assert [m.split(",")[0] for m in caplog.messages] == [f"iteration {i}" for i in (0, 2, 4)]


def test_train_net_and_states(make_solver):
    text = NET + ('layer { name: "extra" type: "Silence" bottom: "low" include { stage: "s" } }')
    solver = make_solver(BASE + 'train_state { stage: "s" }', text, name="train_net")
    assert "extra" in solver.net._layer_names and solver.test_nets == []


def test_a_net_written_inline(write):
    solver = caffe.get_solver(write(f"net_param {{ {NET} }} {BASE}"))
    assert list(solver.net.params) == ["low", "score"]


def test_weights_to_start_from(make_solver, tmp_path):
    solver = make_solver(BASE)
    solver.net.params["low"][0].data[...] = 7
    solver.net.save(tmp_path / "a.caffemodel")
    other = make_solver(BASE + f'weights: "{tmp_path}/a.caffemodel"')
    assert (other.net.params["low"][0].data == 7).all()


def test_random_seed_repeats_the_fillers(make_solver):
    nets = [make_solver(BASE).net for _ in range(2)]
    for mine, theirs in zip(*(weights(n) for n in nets), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_backward_after_an_update_uses_the_new_weights(make_solver):
    solver = make_solver(BASE)
    solver.step(1)
    solver.net.backward()  # autograd itself refuses tensors modified in place
    assert np.isfinite(solver.net.params["low"][0].diff).all()


def test_old_solver_types(make_solver):
    assert type(make_solver(BASE + "solver_type: NESTEROV")) is caffe.NesterovSolver
    assert set(SOLVERS) == {"SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"}


@pytest.mark.parametrize(
    "parameters, words",
    [
        (BASE + 'type: "Adaam"', "'Adaam' is not known"),
        (BASE + "iter_size: 0", "iter_size is 0"),
        (BASE + 'regularization_type: "L3"', "'L3'"),
        ('base_lr: 1 lr_policy: "x"', "lr_policy"),
        (BASE + "test_iter: 1", "test_interval"),
        (BASE + 'train_net: "b"', "net and train_net"),
        (BASE + 'test_net: "{net}" test_interval: 1', "1 test nets but 0 test_iter"),
        (BASE + "test_iter: 1 test_interval: 1 test_state { } test_state { }", "2 test_state"),
        (BASE + 'type: "AdaGrad" momentum: 0.9', "AdaGrad has no momentum"),
        (
            BASE + 'snapshot: 1 snapshot_prefix: "/nowhere/at/all"',
            "snapshot_prefix.*does not exist",
        ),
        (BASE + 'weights: "nothing.caffemodel"', "nothing.caffemodel"),
    ],
)
def test_invalid_parameters(write, parameters, words):
    net = write(NET)
    path = write(f'net: "{net}" ' + parameters.replace("{net}", str(net)))
    with pytest.raises(CaffeError, match=words):
        caffe.get_solver(path)


def test_a_solver_without_a_net(write):
    path = write(BASE)
    with pytest.raises(SolverError, match=f"{path.name}: gives no net"):
        caffe.SGDSolver(str(path))
    with pytest.raises(CaffeError, match="missing.prototxt"):
        caffe.SGDSolver(write(BASE + 'net: "missing.prototxt"'))
    with pytest.raises(CaffeError, match="nothing.prototxt"):
        caffe.get_solver("nothing.prototxt")
