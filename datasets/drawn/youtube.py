"""Drawn video in the layout of Youtube-Objects v1: one moving object a shot, a mask every frame.

The official data has masks for few frames and no split; here every frame has one, and
ROOT/{train,test}.txt list the shots of a split as 'class/video/shot'.
"""

import numpy as np
from PIL import Image

from datasets.drawn.shapes.figures import FIGURES, IDS
from datasets.drawn.shapes.scene import Shot

SCENES = "shapes"
SIZE = 320, 240  # width and height of a frame, pixels
UNITS = {"test": 10, "train": 10}  # shots drawn when nothing else is asked for
FRAMES = 61  # of a shot
CLASSES = ("aeroplane", "bird", "boat", "car", "cat", "cow", "dog", "horse", "motorbike", "train")
_FIRST_VIDEO = {"test": 1, "train": 1001}
_SEEDS = {"test": 3, "train": 4}  # keep the splits apart, and from the stills


def render(root, seed, split, number, size=SIZE):
    """Write shot `number` of `split` under `root`."""
    name, video, folder = _place(split, number)
    frames = root / "v1" / name / "data" / video / "shots" / folder
    masks = root / "youtube_masks" / name / "data" / video / "shots" / folder / "labels"
    for path in (frames, masks):
        path.mkdir(parents=True, exist_ok=True)
    shot = Shot([_SEEDS[split], seed, number], FIGURES[IDS[name] - 1], tuple(size))
    for index in range(FRAMES):
        photo, mask = shot.frame(index)
        Image.fromarray(photo).save(frames / f"frame{index + 1:04d}.jpg", quality=92)
        # Kept sharp: JPEG's ripples must stay below what readers take for the object, 15.
        mask = Image.fromarray(mask.astype(np.uint8) * 255)
        mask.save(masks / f"{index + 1:05d}.jpg", quality=98)


def finish(root, units):
    """Write the lists of shots."""
    for split, count in units.items():
        lines = "".join("/".join(_place(split, number)) + "\n" for number in range(count))
        (root / f"{split}.txt").write_text(lines)


def _place(split, number):
    """Class, video and shot of unit `number`: the classes take turns."""
    turn, k = divmod(number, len(CLASSES))
    return CLASSES[k], f"{_FIRST_VIDEO[split] + turn:04d}", "001"
