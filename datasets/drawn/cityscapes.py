"""Rendered streets in the Cityscapes layout: 30-frame snippets, labels on every frame.

The official data labels frame 19 of a snippet, in gtFine/; the labels of the others lie in
gtFine_sequence/, which only the miniature has.
"""

import numpy as np
from PIL import Image

from datasets.cityscapes import IMAGE, LABEL_IDS, TRAIN_LABELS
from datasets.drawn.street.scene import Scene
from datasets.files import IGNORE

SCENES = "street"
SIZE = 384, 192  # width and height of a frame, pixels
UNITS = {"val": 8, "train": 2}  # snippets rendered when nothing else is asked for
FRAMES, LABELLED = 30, 19  # frames of a snippet, and the index of the one labelled in gtFine
CITIES = {"val": "clockton", "train": "tickford"}
_SEEDS = {"val": 1, "train": 2}  # keep the splits apart


def render(root, seed, split, number, size=SIZE):
    """Write snippet `number` of `split` under `root`."""
    scene = Scene([_SEEDS[split], seed, number], number)
    city = CITIES[split]
    for index in range(FRAMES):
        photo, label = scene.frame(index, *size)
        name = f"{city}_{number:06d}_{index:06d}"
        ids = _official_ids()[label]
        for package, suffix, pixels in (("leftImg8bit", IMAGE, photo), ("gtFine", LABEL_IDS, ids)):
            packages = [f"{package}_sequence"] + [package] * (index == LABELLED)
            for folder in packages:
                path = root / folder / split / city / f"{name}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path, compress_level=1)


def finish(root, units):
    """The layout has no lists of names: nothing is left to do once all snippets are there."""


def _official_ids():
    """Train id to official id; IGNORE, which is our own bonnet, becomes 1, 'ego vehicle'."""
    table = np.zeros(256, np.uint8)
    table[IGNORE] = 1
    for label in TRAIN_LABELS:
        table[label.trainId] = label.id
    return table
