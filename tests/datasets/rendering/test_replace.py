"""A folder that is being replaced: whole, whenever the process is killed or the disk is full.

Each file operation is announced by an audit event of Python; at the k-th, for every k, a forked
child ends or meets a full disk. What it left is then given to the next run.
"""

import errno
import json
import os
import sys

import pytest

from datasets import miniature as module
from datasets.errors import DatasetError
from datasets.miniature import miniature

EVENTS = {
    "open",
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.listdir",
    "os.scandir",
    "shutil.rmtree",
    "tempfile.mkdtemp",
}
TINY = {"val": 2, "train": 1, "size": (8, 4), "workers": 1}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Write a file of the seed for each unit in place of a picture; the writer's code is fixed."""

    def render(root, manifest, workers):
        for split, units in manifest["units"].items():
            (root / split).mkdir()
            for number in range(units):
                (root / split / f"{number}.png").write_text(str(manifest["seed"]))

    monkeypatch.setattr(module, "_render_all", render)
    monkeypatch.setattr(module, "_source_digest", lambda name: "the same")


def drawn_with(root):
    """The seed in the manifest of a whole miniature, and in each of its files."""
    manifest = json.loads((root / "manifest.json").read_text())
    files = sorted(root.rglob("*.png"))
    assert len(files) == manifest["files"] == 3
    assert {int(file.read_text()) for file in files} == {manifest["seed"]}
    return manifest["seed"]


def in_child(root, k, fail):
    """Draw with another seed in a child in which the k-th operation fails; whether it got there."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        left = k

        def count(event, args):
            nonlocal left
            if event in EVENTS:
                left -= 1
                if left == 0:
                    fail()

        try:
            sys.addaudithook(count)
            miniature("cityscapes", root, seed=1, **TINY)
        except DatasetError:
            pass
        except BaseException:
            os._exit(70)  # no other exception may come out
        os._exit(60 if left <= 0 else 0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 9, 60)
    return os.waitstatus_to_exitcode(status) != 0


def killed():
    os._exit(9)


def disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("fail", [killed, disk_full])
@pytest.mark.parametrize("there_before", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_every_operation(tmp_path, fail, there_before):
    k, reached, seeds = 0, True, []
    while reached:
        k += 1
        parent = tmp_path / str(k)
        parent.mkdir()
        root = parent / "root"
        if there_before:
            miniature("cityscapes", root, **TINY)
        reached = in_child(root, k, fail)
        if root.exists():
            seeds.append(drawn_with(root))  # the one or the other, and whole
        elif there_before:
            assert fail is killed  # between two renames, which the next run puts right
        assert miniature("cityscapes", root, seed=1, **TINY) == root
        assert drawn_with(root) == 1
        miniature("cityscapes", root, seed=2, **TINY)  # removes what a kill left
        assert [path.name for path in parent.iterdir()] == ["root"]
    assert k > 15
    assert not there_before or set(seeds) == {0, 1}


def test_what_was_complete_is_not_drawn_again(tmp_path, monkeypatch):
    root = miniature("cityscapes", tmp_path / "root", **TINY)
    work = tmp_path / ".root.unfinished-killed"
    work.mkdir()
    root.rename(work / "new")
    (work / "old").mkdir()
    monkeypatch.setattr(module, "_render_all", None)
    assert drawn_with(miniature("cityscapes", root, **TINY)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_folders_of_other_names_are_left_alone(tmp_path):
    for name in (".root-2.unfinished-abc", ".root-2-abc", ".other"):
        (tmp_path / name / "new").mkdir(parents=True)
    miniature("cityscapes", tmp_path / "root", **TINY)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "disk" / "miniature")
    for seed in (0, 1):
        assert miniature("cityscapes", tmp_path / "root", seed=seed, **TINY) == tmp_path / "root"
        assert (tmp_path / "root").is_symlink() and drawn_with(tmp_path / "root") == seed
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["miniature"]


def test_files_of_others_are_kept(tmp_path):
    root = miniature("cityscapes", tmp_path / "root", **TINY)
    (root / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match="holds 4 files, but 3 were drawn"):
        miniature("cityscapes", root, seed=1, **TINY)
    assert (root / "thesis.txt").read_text() == "precious"
    (root / "thesis.txt").rename(root / ".DS_Store")  # systems leave such files
    assert drawn_with(miniature("cityscapes", root, seed=1, **TINY)) == 1
    app = tmp_path / "app"
    app.mkdir()
    (app / "manifest.json").write_text('{"name": "an app"}')
    with pytest.raises(DatasetError, match="manifest.json not of a miniature"):
        miniature("cityscapes", app, **TINY)
    assert (app / "manifest.json").exists()
