"""A training that no longer gives numbers stops before it changes a weight."""

import logging

import numpy as np
import pytest

from caffe.errors import Diverged, SolverError
from tests.caffe.training.small_solver import BASE, SETTINGS, weights


def poison(solver, iteration, value=np.nan):
    """Let the data of one iteration hold a value that is not finite."""

    def on_start():
        solver.net.blobs["data"].data[0, 0] = value if solver.iter == iteration else 0.5

    solver.add_callback(on_start)


def state_of(solver):
    return weights(solver.net) + [h.numpy().copy() for h in solver.history]


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_turns_nan(make_solver, tmp_path, kind, value):
    text = (
        BASE
        + f'type: "{kind}" snapshot: 2 '
        + " ".join(f"{k}: {v}" for k, v in SETTINGS[kind].items())
    )
    solver, sound = make_solver(text), make_solver(text)
    poison(solver, 5, value)
    poison(sound, None)
    sound.step(5)
    words = r"iteration 5: the loss is (nan|inf): lower base_lr \(0.1\)"
    with pytest.raises(Diverged, match=words) as e:
        solver.step(9)
    assert f"the last good snapshot is {tmp_path}/snap_iter_4.solverstate" in str(e.value)
    assert solver.iter == 5
    for mine, theirs in zip(state_of(solver), state_of(sound), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    solver.restore(tmp_path / "snap_iter_4.solverstate")
    solver._callbacks.clear()
    solver.net.blobs["data"].data[...] = 0.5
    solver.step(2)
    assert solver.iter == 6


def test_it_is_both_a_solver_error_and_a_value_error():
    assert issubclass(Diverged, SolverError) and issubclass(Diverged, ValueError)


def test_without_a_snapshot(make_solver):
    solver = make_solver(BASE)
    poison(solver, 0)
    with pytest.raises(Diverged, match="iteration 0: .* no snapshot has been written"):
        solver.step(1)


def test_the_snapshot_of_the_weights_that_gave_nan_is_not_good(make_solver, tmp_path):
    """The weights may be the cause, so an earlier snapshot is named."""
    solver = make_solver(BASE + "snapshot: 2")
    poison(solver, 4)
    with pytest.raises(Diverged, match="iteration 4: .*good snapshot is .*snap_iter_2.solverstate"):
        solver.step(9)
    solver = make_solver(BASE + "snapshot: 1")
    poison(solver, 1)
    with pytest.raises(Diverged, match="no snapshot is known to be good .*snap_iter_1.solverstate"):
        solver.step(9)


def test_the_snapshot_that_a_run_began_with(make_solver):
    solver = make_solver(BASE)
    solver.step(2)
    state = solver.snapshot()[1]
    other = make_solver(BASE)
    poison(other, 3)
    other.restore(state)
    with pytest.raises(Diverged, match=f"iteration 3: .*the last good snapshot is {state}"):
        other.step(9)


def test_a_gradient_that_is_not_finite(make_solver):
    """As a callback or a Python layer may make it."""
    solver = make_solver(BASE + "momentum: 0.9")
    solver.step(1)
    before = state_of(solver)

    def spoil():
        solver.net.params["score"][0].diff[0, 0] = np.inf

    solver.add_callback(lambda: None, spoil)
    with pytest.raises(Diverged, match="iteration 1: the gradient of layer 'score' is not finite"):
        solver.step(1)
    for mine, theirs in zip(state_of(solver), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    solver._callbacks.clear()
    solver.step(1)
    assert solver.iter == 2


def test_a_callback_may_mend_the_gradients(make_solver):
    solver = make_solver(BASE)

    def mend():
        for weight in solver.net._learned:
            weight.blob.diff[...] = np.nan_to_num(weight.blob.diff)

    def spoil():
        solver.net.params["score"][0].diff[0, 0] = np.nan

    solver.add_callback(lambda: None, spoil)
    solver.add_callback(lambda: None, mend)
    solver.step(2)
    assert all(np.isfinite(w).all() for w in weights(solver.net))


def test_gradients_whose_sum_only_is_infinite(make_solver):
    solver = make_solver('base_lr: 1e-38 lr_policy: "fixed"')

    def enlarge():
        solver.net.params["score"][0].diff[...] = 3e38

    solver.add_callback(lambda: None, enlarge)
    solver.step(1)
    assert solver.iter == 1


def test_an_update_that_is_not_finite(make_solver):
    """delta 0 divides 0 by 0 where a gradient is 0; no layer has changed then."""
    solver = make_solver(BASE + 'type: "AdaGrad" delta: 0')
    before = weights(solver.net)

    def clear():
        for weight in solver.net._learned:
            weight.blob.diff[...] = 1
        solver.net.params["score"][0].diff[0, 0] = 0

    solver.add_callback(lambda: None, clear)
    with pytest.raises(Diverged, match="iteration 0: the update of layer 'score' is not finite"):
        solver.step(1)
    for mine, theirs in zip(weights(solver.net), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("what", ["weight", "history"])
def test_no_snapshot_of_what_is_not_finite(make_solver, tmp_path, what):
    solver = make_solver(BASE + "momentum: 0.9")
    solver.step(1)
    good = solver.snapshot()[1]
    content = open(good, "rb").read()
    if what == "weight":
        solver.net.params["low"][0].data[0, 0] = np.inf
    else:
        solver.history[0][0, 0] = np.nan
    words = f"no snapshot is written: .*'low' is not finite.*good snapshot is {good}"
    with pytest.raises(Diverged, match=words):
        solver.snapshot()
    assert open(good, "rb").read() == content
    assert len(list(tmp_path.glob("snap*"))) == 2


def test_the_loss_after_the_last_update(make_solver):
    """solve() computes it for `display`, when the weights are written already."""
    solver = make_solver(BASE + "display: 1 max_iter: 2")
    real = solver.snapshot

    def snapshot():
        real()
        solver.net.blobs["data"].data[...] = np.nan

    solver.snapshot = snapshot
    with pytest.raises(Diverged, match="iteration 2: the loss is nan"):
        solver.solve()


def test_a_diverging_training_is_stopped(make_solver, caplog):
    """A rate that is far too large: the message comes before the weights are lost."""
    with caplog.at_level(logging.INFO, "caffe"):
        solver = make_solver('base_lr: 1e30 lr_policy: "fixed" momentum: 0.9 display: 1')
        with pytest.raises(Diverged):
            solver.step(100)
    assert solver.iter < 20 and "nan" not in caplog.text
    assert all(np.isfinite(w).all() for w in weights(solver.net))
