"""Drawn video in the layout of Youtube-Objects v1: one moving object a shot, a mask every frame.

The official data has masks for few frames and no split. Here every frame has one, and
ROOT/{train,test}.txt list the shots of a split as 'class/video/shot'.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.drawn.shapes.figures import FIGURES, IDS
from datasets.drawn.shapes.scene import Shot

SCENES = "shapes"  # the package that draws them
SIZE = 320, 240  # width and height of a frame, pixels
UNITS = {"test": 10, "train": 10}  # shots drawn by default
FRAMES = 61  # per shot
CLASSES = ("aeroplane", "bird", "boat", "car", "cat", "cow", "dog", "horse", "motorbike", "train")
_FIRST_VIDEO = {"test": 1, "train": 1001}
_SEEDS = {"test": 3, "train": 4}  # keep the splits apart, and apart from the stills


def render(root: Path, seed: int, split: str, number: int, size: Sequence[int] = SIZE) -> None:
    """Write the frames and masks of one shot.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    seed : int
        Seed of the miniature.
    split : str
        'test' or 'train'.
    number : int
        Number of the shot in its split, from 0. The classes take turns.
    size : sequence of int
        Width and height of a frame in pixels.
    """
    name, video, folder = _place(split, number)
    frames = root / "v1" / name / "data" / video / "shots" / folder
    masks = root / "youtube_masks" / name / "data" / video / "shots" / folder / "labels"
    for path in (frames, masks):
        path.mkdir(parents=True, exist_ok=True)
    shot = Shot([_SEEDS[split], seed, number], FIGURES[IDS[name] - 1], size)
    for index in range(FRAMES):
        photo, mask = shot.frame(index)
        Image.fromarray(photo).save(frames / f"frame{index + 1:04d}.jpg", quality=92)
        # High quality: JPEG artefacts must stay below 15, which readers take for the object.
        grey = Image.fromarray(mask.astype(np.uint8) * 255)
        grey.save(masks / f"{index + 1:05d}.jpg", quality=98)


def finish(root: Path, units: Mapping[str, int]) -> None:
    """Write the lists of shots; `units` is the number of shots of each split."""
    for split, count in units.items():
        lines = "".join("/".join(_place(split, number)) + "\n" for number in range(count))
        (root / f"{split}.txt").write_text(lines)


def _place(split, number):
    """Return class, video and shot of a unit."""
    turn, k = divmod(number, len(CLASSES))
    return CLASSES[k], f"{_FIRST_VIDEO[split] + turn:04d}", "001"
