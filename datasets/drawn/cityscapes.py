"""Rendered streets in the Cityscapes layout: 30-frame snippets, labels on every frame.

The official data labels frame 19 of a snippet, in gtFine/. The labels of all frames are in
gtFine_sequence/, which only the miniature has.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.cityscapes import IMAGE, LABEL_IDS, TRAIN_LABELS
from datasets.drawn.street.scene import Scene
from datasets.files import IGNORE

SCENES = "street"  # the package that draws them
SIZE = 384, 192  # width and height of a frame, pixels
UNITS = {"val": 8, "train": 2}  # snippets rendered by default
FRAMES, LABELLED = 30, 19  # frames of a snippet, and the index of the one labelled in gtFine
CITIES = {"val": "clockton", "train": "tickford"}
_SEEDS = {"val": 1, "train": 2}  # keep the splits apart


def render(root: Path, seed: int, split: str, number: int, size: Sequence[int] = SIZE) -> None:
    """Write the frames and labels of one snippet.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    seed : int
        Seed of the miniature.
    split : str
        'val' or 'train'.
    number : int
        Number of the snippet in its split, from 0.
    size : sequence of int
        Width and height of a frame in pixels.
    """
    scene = Scene([_SEEDS[split], seed, number], number)
    city, ids = CITIES[split], _official_ids()
    for index in range(FRAMES):
        photo, label = scene.frame(index, *size)
        name = f"{city}_{number:06d}_{index:06d}"
        for package, suffix, pixels in (
            ("leftImg8bit", IMAGE, photo),
            ("gtFine", LABEL_IDS, ids[label]),
        ):
            for folder in [f"{package}_sequence"] + [package] * (index == LABELLED):
                path = root / folder / split / city / f"{name}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path, compress_level=1)


def finish(root: Path, units: Mapping[str, int]) -> None:
    """Do nothing: the layout has no lists of names."""


def _official_ids():
    """Return the table from train id to official id; IGNORE becomes 1, 'ego vehicle'."""
    table = np.zeros(256, np.uint8)
    table[IGNORE] = 1  # only our own bonnet is ignored
    for label in TRAIN_LABELS:
        table[label.trainId] = label.id
    return table
