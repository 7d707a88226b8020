"""find_weights: the right file or an exception that helps."""

import dataclasses
import hashlib

import pytest

from nets import build, weights
from nets.weights import TABLE, NetError, WeightsError, find_net, find_weights


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A folder with a file of known size and sha256, entered in the table as `tiny`."""
    (tmp_path / "tiny.caffemodel").write_bytes(b"weights")
    entry = dataclasses.replace(
        TABLE["camvid-fcn8s-light"],
        file="tiny.caffemodel",
        size=7,
        sha256=hashlib.sha256(b"weights").hexdigest(),
    )
    monkeypatch.setitem(TABLE, "tiny", entry)
    return tmp_path


def test_intact_file_is_found(known):
    assert find_weights("tiny", known) == str(known / "tiny.caffemodel")


@pytest.mark.parametrize(
    "content, complaint", [(b"weigh", "5 bytes where 7"), (b"heights", "sha256 differs")]
)
def test_damaged_file_is_refused(known, content, complaint):
    (known / "tiny.caffemodel").write_bytes(content)
    with pytest.raises(WeightsError, match=complaint) as error:
        find_weights("tiny", known)
    assert "tiny.caffemodel" in str(error.value)
    assert "make train-camvid-fcn8s-light" in str(error.value)


def test_missing_published_file_names_place_and_archive(tmp_path):
    with pytest.raises(WeightsError) as error:
        find_weights("voc-fcn8s-heavy", tmp_path)
    assert str(tmp_path / "voc-fcn8s-heavy.caffemodel") in str(error.value)
    assert weights.ARCHIVE in str(error.value)


def test_unknown_name_lists_the_known():
    with pytest.raises(WeightsError, match="'voc-fcn8s-light'.*voc-fcn8s-heavy"):
        find_weights("voc-fcn8s-light")


def test_every_net_named_exists():
    for entry in TABLE.values():
        assert set(entry.nets) <= set(build.NETS) | set(build.TRAINED_NETS)


def test_weights_in_the_clone_are_those_of_the_table():
    for name, entry in TABLE.items():
        if (weights.FOLDER / entry.file).exists():
            find_weights(name)


def test_readme_holds_the_table(root):
    assert weights.markdown_table() in (root / "nets/README.md").read_text()


def test_nets_are_found_by_name_or_all_are_listed():
    assert find_net("stage-voc-fcn8s") == str(weights.FOLDER / "stage-voc-fcn8s.prototxt")
    with pytest.raises(NetError, match="voc-fcn9s.prototxt is missing.*stage-voc-fcn8s"):
        find_net("voc-fcn9s")
