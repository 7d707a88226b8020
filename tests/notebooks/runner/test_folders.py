"""Folders of kernels: removed at the end, and by the next run if a runner was killed."""

import os
import subprocess
import sys
import tempfile
import time

import pytest

from notebooks.runner import folders
from notebooks.runner.folders import kernel_folder, remove_abandoned, remove_unfinished

KILLED = """import os
from notebooks.runner import folders
from notebooks.runner.folders import kernel_folder
folders.LONGEST = 10_000
with kernel_folder() as folder:
    (folder / "socket-1").touch()
    (folder / "kernel.json").touch()
    print(folder, flush=True)
    os.kill(os.getpid(), 9)"""


@pytest.fixture
def parent(tmp_path, monkeypatch):
    """Return the folder for temporary folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(folders, "LONGEST", 10_000)
    return tmp_path


def test_a_folder_is_removed_at_the_end_and_not_before(parent):
    with kernel_folder() as folder:
        (folder / "socket-1").touch()
        remove_abandoned()
        assert (folder / "socket-1").exists()
    assert os.listdir(parent) == []


def test_folders_of_a_killed_runner_are_removed(parent, root):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED],
        env=os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(parent)},
        capture_output=True,
        text=True,
    )
    left = killed.stdout.strip()
    assert os.path.isdir(left)
    remove_abandoned()
    assert not os.path.exists(left)


def test_folders_of_others_stay(parent):
    (parent / "clockwork-kernel-mine").mkdir()
    (parent / "clockwork-kernel-mine/notes").touch()
    (parent / "clockwork-kernel-mine/lock").touch()
    (parent / "clockwork-kernel-link").symlink_to(parent / "clockwork-kernel-mine")
    (parent / "clockwork-kernel-file").touch()
    (parent / "clockwork-kernel-empty").mkdir()
    remove_abandoned()
    assert (parent / "clockwork-kernel-mine/notes").exists()
    assert not (parent / "clockwork-kernel-empty").exists()
    assert len(os.listdir(parent)) == 3


def test_the_path_is_short_enough_for_sockets(tmp_path, monkeypatch):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with kernel_folder() as folder:
        assert len(str(folder / "socket-5")) < 100


def test_unfinished_files_of_a_killed_run_are_removed(tmp_path):
    old = [".a.json.123", ".a-b.html.7-140", ".summary.json.9"]
    other = ["a.json", ".notes", ".a.json", "b.json.1"]
    for name in (*old, *other, ".new.json.5"):
        (tmp_path / name).touch()
        if name != ".new.json.5":
            os.utime(tmp_path / name, (time.time() - 3600,) * 2)
    remove_unfinished(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([*other, ".new.json.5"])
