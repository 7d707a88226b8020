"""The miniature: same bytes from the same seed, a cache that is whole or not there, and scenes
that look like a street to a net."""
import json

import numpy as np
import pytest

from datasets import miniature as module
from datasets.cityscapes import cityscapes
from datasets.errors import DatasetError
from datasets.miniature import miniature, sample
from datasets.street.scene import Scene

TINY = {'val': 1, 'width': 64, 'height': 32, 'workers': 1}


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    return miniature(tmp_path_factory.mktemp('tiny') / 'root', **TINY)


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob('*')
            if path.is_file()}


def test_is_a_cityscapes_with_every_frame_labelled(tiny):
    data = cityscapes(tiny)
    assert data.list_label_frames('val') == data.get_dset('val') == ['clockton_000000_000019']
    clip, = data.clips('val', length=20)
    assert len(clip) == 20
    for in_, label in clip:
        assert in_.shape == (3, 32, 64) and label.shape == (32, 64)
    assert data.collect_frame_sequence('val', 'clockton_000000_000029', 30)[0].size == (64, 32)


def test_same_seed_same_bytes(tiny, tmp_path):
    again = miniature(tmp_path / 'again', **{**TINY, 'workers': 2})
    assert contents(again) == contents(tiny)
    other = miniature(tmp_path / 'other', seed=1, **TINY)
    assert contents(other) != contents(tiny)


def test_renders_only_when_needed(tiny, monkeypatch, tmp_path):
    def fail(*args):
        raise AssertionError('rendered again')
    monkeypatch.setattr(module, '_render_all', fail)
    assert miniature(tiny, **TINY) == tiny
    with pytest.raises(AssertionError):
        miniature(tiny, seed=3, **TINY)
    assert cityscapes(tiny).clips('val')  # the failure left the cache as it was


@pytest.fixture
def quick(monkeypatch):
    """Render one file instead of snippets; count the renderings."""
    renderings = []

    def render(root, manifest, workers):
        renderings.append(root)
        folder = root / 'gtFine_sequence' / 'val' / 'x'
        folder.mkdir(parents=True)
        for k in range(module.FRAMES * (manifest['val'] + manifest['train'])):
            (folder / f'x_{k}_0{module.LABEL_IDS}').touch()
    monkeypatch.setattr(module, '_render_all', render)
    return renderings


def test_stale_or_damaged_cache_is_rendered_again(quick, tmp_path, monkeypatch):
    root = tmp_path / 'root'
    miniature(root, **TINY)
    miniature(root, **TINY)
    assert len(quick) == 1
    next(root.rglob(f'*{module.LABEL_IDS}')).unlink()
    miniature(root, **TINY)
    assert len(quick) == 2
    (root / module.MANIFEST).write_text('[not json')
    miniature(root, **TINY)
    assert len(quick) == 3
    monkeypatch.setattr(module, '_source_digest', lambda: 'another renderer')
    miniature(root, **TINY)
    assert len(quick) == 4
    assert json.loads((root / module.MANIFEST).read_text())['source'] == 'another renderer'
    assert [path.name for path in tmp_path.iterdir()] == ['root']  # nothing half-done left


def test_train_is_kept_when_only_val_is_asked(quick, tmp_path):
    miniature(tmp_path / 'root', train=2, **TINY)
    miniature(tmp_path / 'root', **TINY)
    assert len(quick) == 1
    miniature(tmp_path / 'root', train=3, **TINY)
    assert len(quick) == 2


def test_interruption_leaves_nothing(monkeypatch, tmp_path):
    def interrupt(root, manifest, workers):
        (root / 'half').mkdir()
        raise KeyboardInterrupt
    monkeypatch.setattr(module, '_render_all', interrupt)
    with pytest.raises(KeyboardInterrupt):
        miniature(tmp_path / 'root', **TINY)
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_files_are_never_replaced(quick, tmp_path):
    (tmp_path / 'thesis.txt').write_text('precious')
    with pytest.raises(DatasetError, match='manifest.json'):
        miniature(tmp_path, **TINY)
    assert (tmp_path / 'thesis.txt').read_text() == 'precious' and not quick


def test_sample_is_an_image_with_its_label():
    image, label = sample(5, frame=3, width=96, height=48)
    assert image.shape == (48, 96, 3) and image.dtype == np.uint8
    assert label.shape == (48, 96) and label.dtype == np.uint8
    assert set(np.unique(label)) <= {*range(19), 255}
    again, _ = sample(5, frame=3, width=96, height=48)
    other, _ = sample(6, frame=3, width=96, height=48)
    assert (image == again).all() and (image != other).any()
    assert sample(7, width=96, height=48)[1].shape == (48, 96)


def test_all_classes_appear_and_things_move():
    seen, changed = set(), []
    for number in range(6):
        scene = Scene([0, number], number)
        before, after = (scene.frame(k, 192, 96)[1] for k in (10, 11))
        seen |= set(np.unique(after))
        changed.append((before != after).mean())
    assert seen == {*range(19), 255}
    assert 0.01 < np.mean(changed) < 0.1
