"""A restore that is interrupted has changed nothing, or weights, history and iteration together."""

import sys
from pathlib import Path

import numpy as np
import pytest

from caffe.errors import CaffeError, SolverError
from caffe.files import NotAPath
from caffe.proto import caffe_pb2
from tests.caffe.training.small_solver import BASE

FILES = "all_or_none.py", "caffemodel.py", "hdf5.py", "solver_state.py", "solver.py"


def fill(solver, value):
    """Let each number of a solver be `value`."""
    solver.iter, solver.history = value, [h * 0 + value for h in solver.history]
    for learned in solver.net._learned:
        learned.blob.data[...] = value


def values(solver):
    """The numbers that occur in a solver's iteration, history and weights."""
    arrays = [h.numpy() for h in solver.history] + [w.blob.data for w in solver.net._learned]
    return {solver.iter} | {v for array in arrays for v in np.unique(array).tolist()}


@pytest.mark.parametrize(
    "form, error", [("BINARYPROTO", TimeoutError), ("HDF5", KeyboardInterrupt)]
)
def test_an_exception_from_outside_at_any_line(make_solver, form, error):
    solver = make_solver(BASE + f"snapshot_format: {form}")
    fill(solver, 3)
    state = solver.snapshot()[1]
    seen, k, left = [], 0, 0

    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.endswith(FILES):
            return None
        if event == "line":
            left -= 1
            if not left:
                raise error
        return trace

    while left <= 0:
        k += 1
        left = k
        fill(solver, 0)
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            solver.restore(state)
        except (error, CaffeError):
            pass
        finally:
            sys.settrace(before)
        seen.append(values(solver))
        assert seen[-1] in ({0}, {3}), f"line {k}"
    assert {0} in seen and seen.count({3}) > 5 and k > 60


def test_a_state_without_weights_is_restored_whole(make_solver, tmp_path):
    """Caffe's states need not name weights: the net keeps its own."""
    solver = make_solver(BASE)
    fill(solver, 3)
    state = solver.snapshot()[1]
    message = caffe_pb2.SolverState.FromString(Path(state).read_bytes())
    message.learned_net = ""
    message.DiscardUnknownFields()
    other = tmp_path / "alone.solverstate"
    other.write_bytes(message.SerializeToString())
    fill(solver, 1)
    solver.restore(str(other))
    assert solver.iter == 3 and all((h == 3).all() for h in solver.history)
    assert all((w.blob.data == 1).all() for w in solver.net._learned)


@pytest.mark.parametrize("path", [None, 3, b"x", ["a.solverstate"]])
def test_what_is_no_path(make_solver, path):
    solver = make_solver(BASE)
    with pytest.raises(NotAPath, match="path of a solver state"):
        solver.restore(path)
    if not isinstance(path, bytes):  # those may be the content of a file
        with pytest.raises(NotAPath, match="path of a weights file"):
            solver.net.copy_from(path)


@pytest.mark.parametrize("n", [None, "3", -1, 1.5])
def test_what_is_no_number_of_iterations(make_solver, n):
    with pytest.raises(SolverError, match=r"step\(.*\): give a whole number"):
        make_solver(BASE).step(n)
