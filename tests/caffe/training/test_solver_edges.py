"""Steps at 0 and out of order, limits of the parameters, and how often a snapshot is written."""

import pytest

from caffe.errors import SolverError
from caffe.proto import caffe_pb2
from caffe.training.lr_policy import rate, steps_passed
from tests.caffe.training.small_solver import BASE


@pytest.mark.parametrize(
    "values, passed",
    [
        ([0, 2], [1, 1, 2, 2]),
        ([0, 0, 2], [1, 2, 3, 3]),  # Caffe passes one an iteration
        ([1, 1, 1], [0, 1, 2, 3]),
        ([2, 0], [0, 0, 1, 2]),  # in the order given
        ([], [0, 0, 0, 0]),
    ],
)
def test_stepvalues_are_passed_one_an_iteration(values, passed):
    p = caffe_pb2.SolverParameter(
        lr_policy="multistep", stepvalue=values, base_lr=8, gamma=0.5, stepsize=1
    )
    assert [steps_passed(p, i) for i in range(4)] == passed
    assert [rate(p, i) for i in range(4)] == [8 / 2**n for n in passed]
    p.lr_policy = "fixed"
    assert [steps_passed(p, i) for i in range(4)] == [0] * 4


def test_the_least_that_policies_take():
    p = caffe_pb2.SolverParameter(lr_policy="poly", base_lr=3, max_iter=1, power=2)
    assert [rate(p, i) for i in (0, 1, 2)] == [3, 0, 0]
    p = caffe_pb2.SolverParameter(lr_policy="step", base_lr=8, gamma=0.5, stepsize=1)
    assert [rate(p, i) for i in (0, 1, 2)] == [8, 4, 2]
    p.stepsize = 0
    with pytest.raises(SolverError, match="stepsize of 1 or more"):
        rate(p, 0)
    # far from its step a sigmoid is next to 0, not too large to compute
    p = caffe_pb2.SolverParameter(lr_policy="sigmoid", base_lr=1, gamma=-1, stepsize=0)
    assert 0 <= rate(p, 10**6) < 1e-300


@pytest.mark.parametrize(
    "text, written",
    [
        ("max_iter: 4 snapshot: 2", [2, 4]),
        ("max_iter: 5 snapshot: 2", [2, 4, 5]),
        ("max_iter: 5 snapshot: 2 snapshot_after_train: false", [2, 4]),
        ("max_iter: 4 snapshot: 2 snapshot_after_train: false", [2, 4]),
        ("max_iter: 3", [3]),
        ("max_iter: 3 snapshot_after_train: false", []),
    ],
)
def test_a_snapshot_is_written_once_each_time(make_solver, text, written):
    solver, seen = make_solver(BASE + text), []
    solver.snapshot = lambda: seen.append(solver.iter)
    solver.solve()
    assert seen == written


@pytest.mark.parametrize(
    "text, tested",
    [
        ("max_iter: 4", [0, 2, 4]),
        ("max_iter: 3", [0, 2]),
        ("max_iter: 4 test_initialization: false", [2, 4]),
    ],
)
def test_test_nets_are_run_on_time(make_solver, text, tested):
    solver, seen = make_solver(BASE + "test_iter: 1 test_interval: 2 " + text), []
    solver.test_all = lambda: seen.append(solver.iter)
    solver.snapshot = lambda: None
    solver.solve()
    assert seen == tested
