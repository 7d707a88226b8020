"""The fuzzer of solver states: its seeds are sound, a few of its inputs, and that it can fail."""

import random

import pytest

from caffe.errors import WeightsError
from tests.fuzz import solverstate


@pytest.fixture(scope="module")
def sound():
    return list(solverstate.seeds())


def test_seeds_restore(sound):
    assert len(sound) == 6
    for content in sound:
        assert len(content) <= solverstate.LARGEST
        path = solverstate.targets.path_of(content, solverstate.STATE)
        solver = solverstate.solver("HDF5" if content.startswith(b"\x89HDF") else "BINARYPROTO")
        solver.iter = 0
        solver.restore(path)
        assert solver.iter == 3


def test_some_changed_states(sound):
    rng = random.Random(0)
    for _ in range(300):
        solverstate.restore(solverstate.changed(rng, sound))


def test_other_exceptions_are_reported(sound, monkeypatch, tmp_path):
    solver = solverstate.solver()
    monkeypatch.setattr(solver, "restore", lambda path: {}["missing"])
    with pytest.raises(KeyError):
        solverstate.restore(sound[0])

    def half(path):
        solver.iter += 1
        raise WeightsError(solverstate.STATE)

    monkeypatch.setattr(solver, "restore", half)
    with pytest.raises(AssertionError):
        solverstate.restore(sound[0])
