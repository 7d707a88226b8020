"""What fuzzing found, and the inputs that it kept for reaching new code, read once more."""

import pytest

from tests.fuzz import cases, seeds, targets


@pytest.mark.parametrize("target", targets.TARGETS)
def test_cases(target):
    kept = cases.load(target)
    assert len(kept) >= 15
    for content in kept:
        targets.TARGETS[target](content)  # fails where something else than a CaffeError comes


@pytest.mark.parametrize("target", targets.TARGETS)
def test_seeds_are_sound(target, monkeypatch):
    """They load: otherwise the fuzzers would begin at the first check and stay there."""
    monkeypatch.setattr(targets, "CaffeErrors", ())
    for i, content in enumerate(seeds.seeds(target)):
        if target == "prototxt":
            reader = targets.read_solver if i == 3 else targets.read_net
            reader(targets.path_of(content, "fuzz.prototxt"))
        else:
            targets.TARGETS[target](content)


def test_a_finding_is_one(monkeypatch):
    """The targets do not swallow what they are to find."""
    monkeypatch.setattr(targets, "read_net", lambda path: {}["missing"])
    with pytest.raises(KeyError):
        targets.prototxt(b"")
    monkeypatch.setattr(targets.net(), "copy_from", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        targets.weights(b"")
