"""Replays the inputs that fuzzing saved because they failed or reached new code."""

import pytest

from tests.fuzz import cases, seeds, targets


@pytest.mark.parametrize("target", targets.TARGETS)
def test_cases(target):
    saved = cases.load(target)
    assert len(saved) >= (5 if target == "rows" else 15)  # sound HDF5 with rows is large
    for content in saved:
        targets.TARGETS[target](content)  # fails on any exception but a CaffeError


@pytest.mark.parametrize("target", targets.TARGETS)
def test_seeds_load(target, monkeypatch):
    """Invalid seeds would keep the fuzzers from getting beyond the first check."""
    monkeypatch.setattr(targets, "CaffeErrors", ())
    for i, content in enumerate(seeds.seeds(target)):
        if target == "prototxt":
            reader = targets.read_solver if i == 3 else targets.read_net
            reader(targets.path_of(content, "fuzz.prototxt"))
        else:
            targets.TARGETS[target](content)


def test_targets_report_other_exceptions(monkeypatch):
    """The targets do not swallow the exceptions that they should find."""
    monkeypatch.setattr(targets, "read_net", lambda path: {}["missing"])
    with pytest.raises(KeyError):
        targets.prototxt(b"")
    monkeypatch.setattr(targets.net(), "copy_from", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        targets.weights(b"")
