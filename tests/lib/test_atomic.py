import os

import pytest

from lib.atomic import write_atomically


@pytest.fixture
def path(tmp_path):
    return tmp_path / "figures.json"


@pytest.fixture
def umask():
    """umask(mask) sets the umask, for one test."""
    old = os.umask(0o022)
    yield os.umask
    os.umask(old)


@pytest.mark.parametrize(
    "data, content",
    [
        ("ä: 1\r\nb\n", b"\xc3\xa4: 1\r\nb\n"),
        ("", b""),
        (b"\x00\xff" * 100_000, b"\x00\xff" * 100_000),
    ],
)
def test_contents(path, data, content):
    for _ in range(2):  # a new file, and one that is overwritten
        write_atomically(path, data)
        assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_a_path_as_text(path):
    write_atomically(str(path), "a")
    assert path.read_text() == "a"


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_permissions_are_those_of_any_new_file(path, umask, mask, mode):
    umask(mask)
    write_atomically(path, "a")
    assert path.stat().st_mode & 0o777 == mode


def test_data_reaches_the_disk_before_the_name(path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(file):
        calls.append(os.fstat(file).st_size)
        fsync(file)

    def recorded_replace(old, new):
        calls.append("replace")
        assert os.path.dirname(old) == os.path.dirname(new)
        replace(old, new)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    write_atomically(path, "abc")
    assert calls == [3, "replace"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(path, monkeypatch, step, error):
    def failing(*args):
        raise error

    path.write_text("old")
    monkeypatch.setattr(os, step, failing)
    with pytest.raises(type(error)):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("data", ["\ud800", 3])
def test_data_that_cannot_be_written(path, data):
    path.write_text("old")
    with pytest.raises((UnicodeEncodeError, TypeError)):
        write_atomically(path, data)
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


def test_the_folder_must_exist(path):
    with pytest.raises(FileNotFoundError):
        write_atomically(path.parent / "missing" / path.name, "a")
    assert os.listdir(path.parent) == []
