"""A miniature of Cityscapes: rendered street video, labelled on every frame, from a seed.

    python -m datasets.miniature [--root data/miniature] [--seed 0] [--val 8] [--train 0]

renders 30-frame snippets in the official Cityscapes layout (see datasets/cityscapes.py), with
the labels of all frames in gtFine_sequence/ beside those of frame 19 in gtFine/. It needs no
download and no licence. `sample` renders single frames for training without touching the disk.
"""
import argparse
import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.cityscapes import IMAGE, LABEL_IDS, TRAIN_LABELS
from datasets.errors import DatasetError
from datasets.files import IGNORE
from datasets.sources import DATA, env_var
from datasets.street.scene import Scene

WIDTH, HEIGHT = 384, 192
FRAMES, LABELLED = 30, 19  # frames of a snippet, and the index of the one labelled in gtFine
CITIES = {'val': 'clockton', 'train': 'tickford'}
MANIFEST = 'manifest.json'  # written last: a folder without it was never finished
_SAMPLES, _SNIPPETS = 0, {'val': 1, 'train': 2}  # keep the seeds of the three uses apart


def miniature(root=None, seed=0, val=8, train=0, width=WIDTH, height=HEIGHT, workers=2):
    """The root of a rendered Cityscapes layout; renders it first unless it is there already.

    Args:
        root: the folder; else $CLOCKWORK_MINIATURE, else data/miniature.
        seed: of all randomness; the same seed gives the same bytes.
        val, train: snippets in each split; a `train` rendered earlier is kept when 0 are asked.
        width, height: of the frames in pixels.
        workers: processes that render.
    Raises DatasetError if `root` holds anything else than a miniature.
    """
    root = Path(root or os.environ.get(env_var('miniature')) or DATA / 'miniature')
    manifest = {'seed': seed, 'val': val, 'train': train, 'width': width, 'height': height,
                'source': _source_digest()}
    if _is_current(root, manifest):
        return root
    if root.exists() and any(root.iterdir()) and not (root / MANIFEST).is_file():
        raise DatasetError(f'{root}: holds files but no {MANIFEST} of a miniature; move them away '
                           'or name another root')
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{root.name}-', dir=root.parent) as unfinished:
        fresh = Path(unfinished) / root.name
        fresh.mkdir()
        _render_all(fresh, manifest, workers)
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + '\n')
        if root.exists():
            shutil.rmtree(root)
        fresh.rename(root)
    return root


def sample(seed, frame=None, width=WIDTH, height=HEIGHT):
    """One frame for training: (H x W x 3 uint8 RGB, H x W uint8 train ids, 255 = ignore).

    Every `seed` is another street, never one of the rendered splits; `frame` (0..29) is drawn
    from the seed if None. Laying out a street costs more than a frame of it: take several frames
    of a seed in a row, which is cached.
    """
    if frame is None:
        frame = int(np.random.default_rng(seed).integers(FRAMES))
    return _sample_scene(seed).frame(frame, width, height)


@lru_cache(maxsize=2)
def _sample_scene(seed):
    return Scene([_SAMPLES, seed], number=seed)


def _is_current(root, wanted):
    try:
        found = json.loads((root / MANIFEST).read_text())
    except (OSError, ValueError):
        return False
    if not isinstance(found, dict):
        return False
    if wanted['train'] == 0:
        wanted = {**wanted, 'train': found.get('train')}
    frames = sum(1 for _ in root.glob(f'gtFine_sequence/*/*/*{LABEL_IDS}'))
    return found == wanted and frames == FRAMES * (found['val'] + found['train'])


def _source_digest():
    """Identifies the code that draws, so that no cache outlives a change of it."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted((here / 'street').glob('*.py'))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _render_all(root, manifest, workers):
    jobs = [(root, manifest, split, number)
            for split in CITIES for number in range(manifest[split])]
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            _render_snippet(*job)
        return
    # Spawned, not forked: a fork of a process with running torch threads may hang.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for done in [pool.submit(_render_snippet, *job) for job in jobs]:
            done.result()


def _render_snippet(root, manifest, split, number):
    scene = Scene([_SNIPPETS[split], manifest['seed'], number], number)
    city = CITIES[split]
    for index in range(FRAMES):
        photo, label = scene.frame(index, manifest['width'], manifest['height'])
        name = f'{city}_{number:06d}_{index:06d}'
        ids = _official_ids()[label]
        for package, suffix, pixels in (('leftImg8bit', IMAGE, photo), ('gtFine', LABEL_IDS, ids)):
            packages = [f'{package}_sequence'] + [package] * (index == LABELLED)
            for folder in packages:
                path = root / folder / split / city / f'{name}{suffix}'
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path, compress_level=1)


def _official_ids():
    """Train id to official id; IGNORE, which is our own bonnet, becomes 1, 'ego vehicle'."""
    table = np.zeros(256, np.uint8)
    table[IGNORE] = 1
    for label in TRAIN_LABELS:
        table[label.trainId] = label.id
    return table


def main():
    """Render the miniature as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', help='where to; data/miniature if not given')
    for name, value in (('seed', 0), ('val', 8), ('train', 0), ('width', WIDTH),
                        ('height', HEIGHT), ('workers', 2)):
        parser.add_argument(f'--{name}', type=int, default=value)
    print(miniature(**vars(parser.parse_args())))


if __name__ == '__main__':
    main()
