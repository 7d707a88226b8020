"""find_weights and find_net return the right file or raise an error that says what to do."""

import dataclasses
import hashlib
import os
from pathlib import Path

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


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Return a working folder with the net `own`, its weights, and what is no file."""
    folder = tmp_path / "elsewhere"
    (folder / "deep/folder.prototxt").mkdir(parents=True)
    for name in ("own.prototxt", "own.caffemodel", "deep/net.prototxt", "deep/w.caffemodel.h5"):
        (folder / name).write_text("content")
    for name in ("two.caffemodel", "two.caffemodel.h5", "plain"):
        (folder / name).write_text("content")
    (folder / "empty.caffemodel").touch()
    (folder / "empty.prototxt").touch()
    os.mkfifo(folder / "pipe.prototxt")
    os.mkfifo(folder / "pipe.caffemodel")
    os.symlink("loop.prototxt", folder / "loop.prototxt")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "name, found",
    [
        ("own", "own.prototxt"),
        ("own.prototxt", "own.prototxt"),
        ("./own", "./own.prototxt"),
        ("deep/net", "deep/net.prototxt"),
        ("deep/../own", "own.prototxt"),
        ("plain", "plain"),
    ],
)
def test_nets_are_found_by_path(elsewhere, name, found):
    for path in (name, Path(name), elsewhere / name, str(elsewhere / name)):
        assert os.path.isfile(find_net(path))
        assert os.path.samefile(find_net(path), elsewhere / found)
        assert isinstance(find_net(path), str)


@pytest.mark.parametrize(
    "name, found",
    [
        ("own", "own.caffemodel"),
        ("own.caffemodel", "own.caffemodel"),
        ("deep/w", "deep/w.caffemodel.h5"),
        ("deep/w.caffemodel", "deep/w.caffemodel.h5"),
        ("two.caffemodel", "two.caffemodel"),
        ("two.caffemodel.h5", "two.caffemodel.h5"),
        ("plain", "plain"),
    ],
)
def test_weights_are_found_by_path(elsewhere, name, found):
    for path in (name, Path(name), elsewhere / name, f"./{name}"):
        assert os.path.samefile(find_weights(path), elsewhere / found)


def test_a_name_wins_over_a_file_of_that_name(elsewhere, known):
    (elsewhere / "tiny.caffemodel").write_bytes(b"another")
    for name in ("tiny", "tiny.caffemodel", Path("tiny")):
        assert find_weights(name, known) == str(known / "tiny.caffemodel")
    for name in ("./tiny", "./tiny.caffemodel", elsewhere / "tiny"):
        assert os.path.samefile(find_weights(name, known), elsewhere / "tiny.caffemodel")
    (elsewhere / "voc-fcn8s.prototxt").write_text("another")
    assert find_net("voc-fcn8s") == str(weights.FOLDER / "voc-fcn8s.prototxt")
    assert os.path.samefile(find_net("./voc-fcn8s"), elsewhere / "voc-fcn8s.prototxt")


def test_a_table_file_that_is_missing_is_not_replaced_by_one_of_the_working_folder(elsewhere):
    (elsewhere / "voc-fcn8s-heavy.caffemodel").write_text("another")
    with pytest.raises(WeightsFileError, match="is missing"):
        find_weights("voc-fcn8s-heavy", elsewhere / "deep")


def test_files_of_the_folder_need_not_be_in_the_table(elsewhere, tmp_path):
    (tmp_path / "mine.caffemodel").write_text("content")
    assert find_weights("mine", tmp_path) == str(tmp_path / "mine.caffemodel")
    (tmp_path / "training").mkdir()
    (tmp_path / "training/mine-train.prototxt").write_text("content")
    for name in ("mine-train", "training/mine-train", "training/mine-train.prototxt"):
        assert find_net(name, tmp_path) == str(tmp_path / "training/mine-train.prototxt")


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("pipe", "pipe.caffemodel is a named pipe"),
        ("pipe.caffemodel", "is a named pipe"),
        ("deep", "deep is a folder"),
        (".", "is a folder"),
        ("/dev/zero", "/dev/zero is a socket or a device"),
        ("empty", "empty.caffemodel is empty"),
        ("two", "two.caffemodel or two.caffemodel.h5: give the path with its suffix"),
        ("", "the name is empty"),
        ("a\0b", "cannot be opened"),
        ("x" * 5000, "cannot be opened"),
        ("own.prototxt", "is a net"),
        ("deep/none", "'deep/none'.*no file has that path.*elsewhere"),
        ("camvid-fcn8s-ligth", "Did you mean camvid-fcn8s-light?"),
    ],
)
def test_paths_that_are_no_weights(elsewhere, name, complaint):
    with pytest.raises(WeightsFileError, match=complaint) as error:
        find_weights(name)
    assert len(str(error.value)) < 1500


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("pipe", "pipe.prototxt is a named pipe"),
        ("deep/folder", "folder.prototxt is a folder"),
        ("loop", "loop.prototxt.*cannot be opened"),
        ("empty", "empty.prototxt is empty"),
        ("", "the name is empty"),
        ("own.caffemodel", "holds weights"),
        ("deep/none", "deep/none.prototxt is missing.*elsewhere.*stage-voc-fcn8s"),
        ("stage-voc-fnc8s", "Did you mean stage-voc-fcn8s?"),
    ],
)
def test_paths_that_are_no_nets(elsewhere, name, complaint):
    with pytest.raises(UnknownNetError, match=complaint):
        find_net(name)


@pytest.mark.parametrize("find", [find_net, find_weights])
@pytest.mark.parametrize("value", [None, 3, ["own"], True])
def test_what_is_no_path_is_a_type_error(find, value):
    with pytest.raises(TypeError, match="give a name or a path"):
        find(value)


def test_weights_trained_again_are_taken_by_path(known):
    (known / "tiny.caffemodel").write_bytes(b"heights")
    with pytest.raises(WeightsFileError, match="give its path instead of the name"):
        find_weights("tiny", known)
    assert find_weights(known / "tiny", known) == str(known / "tiny.caffemodel")
