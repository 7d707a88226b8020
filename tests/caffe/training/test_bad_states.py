"""Solver states that cannot be restored: each message says why, and the solver does not change."""

import os

import h5py
import numpy as np
import pytest

from caffe.errors import SolverError, WeightsError
from caffe.proto import caffe_pb2
from caffe.training.solver_state import DIGEST_FIELD, MOST
from caffe.weights.wire import head
from tests.caffe.training.small_solver import BASE, NET, SETTINGS, weights

ENDINGS = ("BINARYPROTO", "HDF5")


@pytest.fixture(params=ENDINGS)
def solver(request, make_solver):
    """A solver whose snapshots have the format of the parameter, after one iteration."""
    solver = make_solver(BASE + f"momentum: 0.9 snapshot_format: {request.param}")
    solver.step(1)
    return solver


@pytest.fixture
def refused(solver):
    """Return refused(path, words): restoring `path` raises WeightsError and changes nothing."""

    def check(path, words):
        kept = [*weights(solver.net), *(h.numpy().copy() for h in solver.history)]
        with pytest.raises(WeightsError, match=words) as error:
            solver.restore(path)
        assert os.path.basename(path) in str(error.value)
        now = [*weights(solver.net), *(h.numpy() for h in solver.history)]
        assert solver.iter == 1
        for mine, before in zip(now, kept, strict=True):
            np.testing.assert_array_equal(mine, before)

    return check


def change(state, **fields):
    """Write other values into a state of either format; the values of HDF5 may be of any type."""
    if state.endswith(".h5"):
        with h5py.File(state, "a") as f:
            for name, value in fields.items():
                name = name.replace("history_", "history/")
                del f[name]
                f[name] = value
        return
    message = caffe_pb2.SolverState.FromString(open(state, "rb").read())
    for name, value in fields.items():
        if name.startswith("history_"):
            blob = message.history[int(name[8:])]
            blob.Clear()
            blob.shape.dim.extend(np.shape(value))
            blob.data.extend(np.ravel(value))
        else:
            setattr(message, name, value)
    with open(state, "wb") as f:
        f.write(message.SerializeToString())


@pytest.mark.parametrize("field", ["iter", "current_step"])
@pytest.mark.parametrize("value", [-1, -(2**31), 2**31 - 1])
def test_numbers_that_no_training_reaches(solver, refused, field, value):
    state = solver.snapshot()[1]
    change(state, **{field: value})
    refused(state, f"{field} is {value}, must be from 0 to {MOST}")


@pytest.mark.parametrize(
    "value", [2**31, 2**62, 2.5, np.nan, np.inf, -np.inf, b"7", 1j, [], [1, 2]]
)
def test_other_numbers_in_hdf5(make_solver, value):
    solver = make_solver(BASE + "snapshot_format: HDF5")
    state = solver.snapshot()[1]
    change(state, iter=np.array(value))
    with pytest.raises(WeightsError, match="snap_iter_0.solverstate.h5"):
        solver.restore(state)


def test_the_largest_iteration(solver):
    state = solver.snapshot()[1]
    change(state, iter=MOST)
    solver.restore(state)
    assert solver.iter == MOST
    solver.step(1)
    for number in (MOST + 1, -1):
        solver.iter = number
        with pytest.raises(SolverError, match=f"iter is {number}: a snapshot holds"):
            solver.snapshot()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_history_that_is_not_finite(solver, refused, value):
    state = solver.snapshot()[1]
    history = solver.history[2].numpy().copy()
    history[1, 1] = value
    change(state, history_2=history)
    refused(state, "history 2 holds values that are not finite")


def test_double_values_beyond_single_precision(make_solver):
    solver = make_solver(BASE)
    state = solver.snapshot()[1]
    message = caffe_pb2.SolverState.FromString(open(state, "rb").read())
    message.history[1].ClearField("data")
    message.history[1].double_data.extend([1e300] * 5)
    with open(state, "wb") as f:
        f.write(message.SerializeToString())
    with pytest.raises(WeightsError, match="history 1 holds values that are not finite"):
        solver.restore(state)


def test_a_history_of_another_shape(solver, refused):
    """Of the same size, as a transposed one has."""
    state = solver.snapshot()[1]
    change(state, history_0=np.zeros((3, 5, 1, 1), np.float32))
    refused(state, r"history 0 has shape \(3, 5, 1, 1\), this net needs \(5, 3, 1, 1\)")


def test_a_history_with_the_four_axes_of_old_files(solver):
    state = solver.snapshot()[1]
    change(state, history_1=np.full((1, 1, 1, 5), 7, np.float32))
    solver.restore(state)
    assert solver.history[1].shape == (5,) and (solver.history[1] == 7).all()


@pytest.mark.parametrize("kind", ["AdaGrad", "RMSProp", "AdaDelta", "Adam"])
def test_a_history_of_squares_below_0(make_solver, kind):
    """As of another solver that keeps as many."""
    text = BASE + f'type: "{kind}" ' + " ".join(f"{k}: {v}" for k, v in SETTINGS[kind].items())
    solver = make_solver(text)
    solver.step(1)
    state = solver.snapshot()[1]
    number = len(solver.history) - 4
    change(state, **{f"history_{number}": np.full((5, 3, 1, 1), -1, np.float32)})
    with pytest.raises(
        WeightsError, match=f"history {number} has values below 0, but {kind} keeps"
    ):
        solver.restore(state)


def test_momenta_of_adam_may_be_below_0(make_solver):
    solver = make_solver(BASE + 'type: "Adam" momentum: 0.9')
    state = solver.snapshot()[1]
    change(state, history_0=np.full((5, 3, 1, 1), -1, np.float32))
    solver.restore(state)
    assert (solver.history[0] == -1).all()


def test_a_path_that_is_not_utf8(make_solver):
    """Real Caffe writes the bytes of the path, whatever the encoding of the file system was."""
    solver, other = make_solver(BASE), make_solver(BASE)
    solver.step(1)
    state = solver.snapshot()[1]
    with open(state, "rb") as f:
        content = f.read()
    name = b"gel\xf6scht/other.caffemodel"
    with open(state, "wb") as f:
        f.write(content + head(2, len(name)) + name)  # the last one counts
    other.restore(state)  # the weights beside it
    np.testing.assert_array_equal(weights(other.net)[0], weights(solver.net)[0])
    os.remove(state.replace(".solverstate", ".caffemodel"))
    with pytest.raises(WeightsError, match="no such weights file|other.caffemodel"):
        other.restore(state)


def test_a_path_that_is_not_utf8_in_hdf5(make_solver):
    solver, other = (make_solver(BASE + "snapshot_format: HDF5") for _ in range(2))
    solver.step(1)
    state = solver.snapshot()[1]
    change(state, learned_net=np.array(b"gel\xf6scht.caffemodel.h5"))
    other.restore(state)
    np.testing.assert_array_equal(weights(other.net)[0], weights(solver.net)[0])


@pytest.mark.parametrize("digest", [b"\xff" * 32, b"0" * 31, b"G" * 32])
def test_a_digest_that_is_none(make_solver, digest):
    solver = make_solver(BASE)
    state = solver.snapshot()[1]
    with open(state, "ab") as f:
        f.write(head(DIGEST_FIELD, len(digest)) + digest)
    with pytest.raises(WeightsError, match="the digest of its weights is damaged"):
        solver.restore(state)
    solver.snapshot()  # it may be replaced
    solver.restore(state)


def test_a_state_without_the_path_of_weights(solver, caplog):
    state = solver.snapshot()[1]
    change(state, learned_net="" if state.endswith("state") else np.array(b"", "S1"))
    kept = weights(solver.net)
    solver.restore(state)
    assert "names no weights: the net keeps those that it has" in caplog.text
    np.testing.assert_array_equal(weights(solver.net)[0], kept[0])


# Files in the wrong place


def test_a_state_of_the_other_format_is_named(solver, refused):
    state = solver.snapshot()[1]
    other = state.removesuffix(".h5") if state.endswith(".h5") else state + ".h5"
    refused(other, f"no such solver state .*: there is {state}$")


def test_the_beginning_of_the_names_is_no_state(solver, refused):
    state = solver.snapshot()[1]
    refused(state.split(".solverstate")[0], f"no such solver state .*: there is {state}$")


def test_states_of_other_iterations_are_named(solver, refused):
    state = solver.snapshot()[1]
    refused(state.replace("_iter_1", "_iter_100"), f"no such solver state .*: there is {state}$")


@pytest.mark.parametrize("path", ["nothing.solverstate", "", "a\0b", "x" * 5000, "*_iter_[1]"])
def test_no_such_state(solver, path):
    with pytest.raises(WeightsError, match=r"no such solver state \(looked in [^ ]*\)$"):
        solver.restore(path)


def test_weights_in_place_of_a_state(solver, refused):
    model, state = solver.snapshot()
    refused(model, f"it is not a .solverstate.* but weights: restore {state}, or load them alone")
    os.remove(state)
    refused(model, "but weights: restore its state, or load them alone with net.copy_from")


def test_a_definition_in_place_of_a_state(solver, refused, write):
    refused(write(NET), "is not a .solverstate")


@pytest.mark.parametrize("what", ["iter", "history", "history/3"])
def test_hdf5_states_that_lack_something(make_solver, what):
    solver = make_solver(BASE + "snapshot_format: HDF5")
    state = solver.snapshot()[1]
    with h5py.File(state, "a") as f:
        del f[what]
        if what == "history/3":
            f.create_group(what)
    with pytest.raises(WeightsError, match="holds no history|no dataset history/3"):
        solver.restore(state)


def test_a_state_is_not_restored_by_half(solver, refused):
    """The weights come last, and all of the state is ready then."""
    solver.step(1)
    state = solver.snapshot()[1]
    solver.iter = 1
    model = state.replace("solverstate", "caffemodel")
    with open(model, "r+b") as f:
        f.seek(40)
        f.write(b"\xff" * 8)
    refused(state, "not the weights file that this state was written with")
