"""What fuzzing found, and the inputs that it kept for reaching new code, read once more."""

import pytest

from tests.fuzz import cases, data_targets


@pytest.mark.parametrize("target", data_targets.TARGETS)
def test_cases(target):
    for content in cases.load(target):
        data_targets.TARGETS[target](content)  # fails where something else than our error comes


@pytest.mark.parametrize("target", data_targets.TARGETS)
def test_seeds_are_sound(target):
    """They are read: otherwise the fuzzers would begin at the first check and stay there."""
    readers = {
        "mat": lambda path: data_targets.matfile.open_mat(path, "segmentation"),
        "image": lambda path: data_targets.files.open_image(path),
        "names": lambda path: data_targets.files.read_lines(path, ""),
        "manifest": lambda path: data_targets.miniature._read_manifest(path.parent)["size"],
    }
    for content in data_targets.seeds(target):
        readers[target](data_targets.path_of(content, "manifest.json"))


def test_a_finding_is_one(monkeypatch):
    """The targets do not swallow what they are to find."""
    monkeypatch.setattr(data_targets.matfile, "open_mat", lambda path, key: {}["missing"])
    with pytest.raises(KeyError):
        data_targets.mat(b"")
    monkeypatch.setattr(data_targets.files, "open_image", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        data_targets.image(b"")
