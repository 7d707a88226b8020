"""Miniatures: reproducible bytes, a cache that is complete or absent, and realistic motion."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from datasets import miniature as module
from datasets.cityscapes import cityscapes
from datasets.drawn.street.scene import Scene
from datasets.errors import DatasetError
from datasets.miniature import miniature

TINY = {"val": 1, "size": (64, 32), "workers": 1}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return miniature("cityscapes", tmp_path_factory.mktemp("tiny") / "root", **TINY)


def contents(root):
    """Return the bytes of each file below `root`."""
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_is_a_cityscapes_with_every_frame_labelled(tiny):
    data = cityscapes(tiny)
    assert data.list_label_frames("val") == ["clockton_000000_000019"]
    assert data.get_dset("val") == [("clockton", "clockton_000000_000019")]
    (clip,) = data.clips("val", length=20)
    assert len(clip) == 20
    for in_, label in clip:
        assert in_.shape == (3, 32, 64) and label.shape == (32, 64)
    assert data.collect_frame_sequence("val", "clockton_000000_000029", 30)[0].size == (64, 32)


def test_same_seed_same_bytes(tiny, tmp_path):
    again = miniature("cityscapes", tmp_path / "again", **{**TINY, "workers": 2})
    assert contents(again) == contents(tiny)
    other = miniature("cityscapes", tmp_path / "other", seed=1, **TINY)
    assert contents(other) != contents(tiny)


def test_renders_only_when_needed(tiny, monkeypatch, tmp_path):
    def fail(*args):
        raise AssertionError("rendered again")

    monkeypatch.setattr(module, "_render_all", fail)
    assert miniature("cityscapes", tiny, **TINY) == tiny
    with pytest.raises(AssertionError):
        miniature("cityscapes", tiny, seed=3, **TINY)
    assert cityscapes(tiny).clips("val")  # the failure leaves the cache unchanged


@pytest.fixture
def quick(monkeypatch):
    """Write one empty file per unit instead of rendering it; return the list of renderings."""
    renderings = []

    def render(root, manifest, workers):
        renderings.append(root)
        for split, units in manifest["units"].items():
            for number in range(units):
                (root / f"{split}-{number}.png").touch()

    monkeypatch.setattr(module, "_render_all", render)
    return renderings


def test_outdated_or_damaged_cache_is_rendered_again(quick, tmp_path, monkeypatch):
    root = tmp_path / "root"
    miniature("cityscapes", root, **TINY)
    miniature("cityscapes", root, **TINY)
    assert len(quick) == 1
    next(root.rglob("*.png")).unlink()
    miniature("cityscapes", root, **TINY)
    assert len(quick) == 2
    (root / module.MANIFEST).write_text("[not json")
    miniature("cityscapes", root, **TINY)
    assert len(quick) == 3
    monkeypatch.setattr(module, "_source_digest", lambda name: "another renderer")
    miniature("cityscapes", root, **TINY)
    assert len(quick) == 4
    assert json.loads((root / module.MANIFEST).read_text())["source"] == "another renderer"
    assert [path.name for path in tmp_path.iterdir()] == ["root"]  # nothing unfinished left


def test_units_rendered_earlier_are_kept(quick, tmp_path):
    root = miniature("cityscapes", tmp_path / "root", train=2, **TINY)
    assert miniature("cityscapes", root, **TINY) == root and len(quick) == 1
    miniature("cityscapes", root, **{**TINY, "val": 3})
    assert len(quick) == 2
    assert json.loads((root / module.MANIFEST).read_text())["units"] == {"val": 3, "train": 2}


def test_concurrent_calls_render_once(quick, tmp_path, monkeypatch):
    render = module._render_all

    def slow(*args):
        time.sleep(0.2)
        render(*args)

    monkeypatch.setattr(module, "_render_all", slow)
    (tmp_path / ".root.unfinished-killed/new").mkdir(parents=True)
    with ThreadPoolExecutor(3) as pool:
        roots = [pool.submit(miniature, "cityscapes", tmp_path / "root", **TINY) for _ in range(3)]
    assert [root.result() for root in roots] == [tmp_path / "root"] * 3 and len(quick) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["root"]  # nor what a killed process left


def test_unknown_names_and_splits_are_rejected(tmp_path):
    with pytest.raises(DatasetError, match="'kitti'; choose one of cityscapes, voc"):
        miniature("kitti", tmp_path / "root")
    with pytest.raises(DatasetError, match="no split .'test'.; give units of val or train"):
        miniature("cityscapes", tmp_path / "root", test=1)


def test_interrupted_rendering_leaves_nothing(monkeypatch, tmp_path):
    def interrupt(root, manifest, workers):
        (root / "half").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_render_all", interrupt)
    with pytest.raises(KeyboardInterrupt):
        miniature("cityscapes", tmp_path / "root", **TINY)
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_are_never_replaced(quick, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match="manifest.json"):
        miniature("cityscapes", tmp_path, **TINY)
    assert (tmp_path / "thesis.txt").read_text() == "precious" and not quick


def test_all_classes_appear_and_objects_move():
    seen, changed = set(), []
    for number in range(6):
        scene = Scene([0, number], number)
        before, after = (scene.frame(k, 192, 96)[1] for k in (10, 11))
        seen |= set(np.unique(after))
        changed.append((before != after).mean())
    assert seen == {*range(19), 255}
    assert 0.01 < np.mean(changed) < 0.1
