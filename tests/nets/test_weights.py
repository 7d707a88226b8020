"""find_weights and find_net return the right file or raise an error that says what to do."""

import dataclasses
import hashlib

import pytest

from nets import build, weights
from nets.weights import TABLE, UnknownNetError, WeightsFileError, find_net, find_weights


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Return a folder with a file whose size and sha256 are in the table as `tiny`."""
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
    "content, complaint", [(b"weigh", "5 bytes instead of 7"), (b"heights", "sha256 differs")]
)
def test_damaged_file_is_refused(known, content, complaint):
    (known / "tiny.caffemodel").write_bytes(content)
    with pytest.raises(WeightsFileError, match=complaint) as error:
        find_weights("tiny", known)
    assert "tiny.caffemodel" in str(error.value)
    assert "make train-camvid-fcn8s-light" in str(error.value)


def test_missing_published_file_names_path_and_archive(tmp_path):
    with pytest.raises(WeightsFileError) as error:
        find_weights("voc-fcn8s-heavy", tmp_path)
    assert str(tmp_path / "voc-fcn8s-heavy.caffemodel") in str(error.value)
    assert weights.ARCHIVE in str(error.value)


def test_unknown_name_lists_the_table():
    with pytest.raises(WeightsFileError, match="'voc-fcn8s-light'.*voc-fcn8s-heavy"):
        find_weights("voc-fcn8s-light")


def test_every_net_in_the_table_exists():
    for entry in TABLE.values():
        assert set(entry.nets) <= set(build.NETS) | set(build.TRAINED_NETS)


def test_files_in_the_clone_match_the_table():
    for name, entry in TABLE.items():
        if (weights.FOLDER / entry.file).exists():
            find_weights(name)


def test_readme_contains_the_table(root):
    assert weights.markdown_table() in (root / "nets/README.md").read_text()


def test_unknown_net_lists_all_nets():
    assert find_net("stage-voc-fcn8s") == str(weights.FOLDER / "stage-voc-fcn8s.prototxt")
    with pytest.raises(UnknownNetError, match="voc-fcn9s.prototxt is missing.*stage-voc-fcn8s"):
        find_net("voc-fcn9s")
