"""write_whole: a file is written whole or not at all, and flushed before it is renamed."""

import fcntl
import os
import stat
import sys
import threading
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


def test_what_a_killed_writer_left_is_removed_later(path):
    """Not what is being written: it is locked, or new."""
    left = path.with_name("w.caffemodel.part123-456")
    others = [path.with_name(n) for n in ("w.caffemodel.part1", "v.caffemodel.part123-456", "part")]
    for file in (left, *others):
        file.write_bytes(b"half")
    write_whole(path, write(b"new"))
    assert left.exists()  # too new
    for file in (left, *others):
        os.utime(file, (1e9, 1e9))
    with open(left) as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        write_whole(path, write(b"new"))
        assert left.exists()
    write_whole(path, write(b"new"))
    assert not left.exists()
    assert all(file.read_bytes() == b"half" for file in others)


def test_a_second_writer_leaves_the_first_alone(path):
    def first(part):
        Path(part).write_bytes(b"first")
        os.utime(part, (1e9, 1e9))
        thread = threading.Thread(target=write_whole, args=(path, write(b"second")))
        thread.start()
        thread.join()
        assert path.read_bytes() == b"second"

    write_whole(path, first)
    assert files(path) == {"w.caffemodel": b"first"}


def test_what_was_written_is_not_locked(path):
    """A reader that locks what it reads, as HDF5 does, is never refused."""

    def locked(target):
        replace(target[0], target[1])
        with open(target[1]) as f:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)

    replace = os.replace
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", lambda *target: locked(target))
        write_whole(path, write(b"new"))
    assert files(path) == {"w.caffemodel": b"new"}


@pytest.mark.parametrize("name", ["w" * 255, "\u00fc" * 127, "w" * 240])
def test_names_as_long_as_a_folder_allows(path, name):
    write_whole(path.with_name(name), write(b"new"))
    assert files(path) == {"w.caffemodel": b"old", name: b"new"}


@pytest.mark.parametrize("name", ["w" * 256, "a\0b", "w" * 5000, "d"])
def test_names_of_no_file(path, name):
    (path.parent / "d").mkdir()
    with pytest.raises(WeightsError, match="cannot be written"):
        write_whole(str(path.parent / name), write(b"new"))


def test_a_pipe_stays_a_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    with pytest.raises(WeightsError, match="pipe: cannot be written, it is not a file"):
        write_whole(path.with_name("pipe"), write(b"new"))
    assert stat.S_ISFIFO(path.with_name("pipe").stat().st_mode)


def test_an_interrupt_at_any_line(path):
    """Of the file and of what is beside it, nothing is half."""
    k = left = 0

    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.endswith("write_whole.py"):
            return None
        if event == "line":
            left -= 1
            if not left:
                raise KeyboardInterrupt
        return trace

    while left <= 0:
        k += 1
        left = k
        path.write_bytes(b"old")
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            write_whole(path, write(b"new"))
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        assert path.read_bytes() in (b"old", b"new")
    assert k > 30
    for other in path.parent.glob("*.part*"):
        os.utime(other, (1e9, 1e9))
    write_whole(path, write(b"new"))
    assert files(path) == {"w.caffemodel": b"new"}
