"""write_whole: a file is written whole or not at all, and flushed before it is renamed."""

import os
import stat
from pathlib import Path

import pytest

from caffe.errors import WeightsError
from caffe.weights.write_whole import write_whole


def write(content):
    return lambda part: Path(part).write_bytes(content)


@pytest.fixture
def path(tmp_path):
    """The path of a file with the content `old`, alone in its folder."""
    path = tmp_path / "w.caffemodel"
    path.write_bytes(b"old")
    return path


def files(path):
    return {p.name: p.read_bytes() for p in path.parent.iterdir()}


@pytest.mark.parametrize("kind", [Path, str])
def test_a_file_is_replaced_and_no_other_left(path, kind):
    write_whole(kind(path), write(b"new"))
    assert files(path) == {"w.caffemodel": b"new"}


def test_a_path_without_a_folder(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    write_whole("w.caffemodel", write(b"new"))
    assert files(path) == {"w.caffemodel": b"new"}


def test_it_is_on_the_disk_before_it_is_renamed(path, monkeypatch):
    """After a power cut there is the old file or the new one, not an empty one."""
    steps = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(fd):
        steps.append(("fsync", os.fstat(fd).st_ino, os.fstat(fd).st_size))
        fsync(fd)

    def recorded_replace(source, target):
        steps.append(("replace", os.stat(source).st_ino, os.stat(source).st_size))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    write_whole(path, write(b"longer"))
    inode = path.stat().st_ino
    assert steps == [("fsync", inode, 6), ("replace", inode, 6)]


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_permissions_are_those_of_any_new_file(path, umask):
    before = os.umask(umask)
    try:
        write_whole(path, write(b"new"))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("error", [OSError, ValueError])
def test_a_failed_write_leaves_the_old_file_only(path, error):
    def fail(part):
        Path(part).write_bytes(b"half")
        raise error("the disk is full")

    with pytest.raises(WeightsError, match="w.caffemodel: cannot be written: the disk is full"):
        write_whole(path, fail)
    assert files(path) == {"w.caffemodel": b"old"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, TypeError])
def test_other_exceptions_pass_and_leave_the_old_file_only(path, error):
    def fail(part):
        Path(part).write_bytes(b"half")
        raise error

    with pytest.raises(error):
        write_whole(path, fail)
    assert files(path) == {"w.caffemodel": b"old"}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_step_leaves_the_old_file_only(path, monkeypatch, step):
    def fail(*args):
        raise OSError("no")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(WeightsError, match="w.caffemodel: cannot be written: no"):
        write_whole(path, write(b"new"))
    assert files(path) == {"w.caffemodel": b"old"}


def test_a_write_without_a_file_is_an_error(path):
    with pytest.raises(WeightsError, match="w.caffemodel: cannot be written"):
        write_whole(path, lambda part: None)
    assert files(path) == {"w.caffemodel": b"old"}


def test_no_folder(tmp_path):
    with pytest.raises(WeightsError, match="there is no folder .*nowhere: make it first"):
        write_whole(tmp_path / "nowhere" / "w", write(b"new"))
