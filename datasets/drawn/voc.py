"""Drawn stills in the PASCAL VOC 2011 layout: objects of the 20 classes before mixed backdrops.

Labels are palette images with the VOC colours. As in the official data, a ring of 255 (ignore)
surrounds each object.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from datasets.drawn.shapes.figures import FIGURES
from datasets.drawn.shapes.scene import still
from datasets.files import IGNORE
from datasets.palette import voc_palette

SCENES = "shapes"  # the package that draws them
SIZE = 384, 288  # width and height of an image, pixels
UNITS = {"val": 40, "train": 40}  # images drawn by default
LISTS = {"train": ("train",), "val": ("val", "seg11valid")}  # of the ids of a split
_YEARS = {"train": 2010, "val": 2011}  # first part of an id
_SEEDS = {"val": 1, "train": 2}  # keep the splits apart
_RING = 3  # pixels; the label is IGNORE if two instances meet in such a window


def render(root: Path, seed: int, split: str, number: int, size: Sequence[int] = SIZE) -> None:
    """Write one image and its label.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    seed : int
        Seed of the miniature.
    split : str
        'val' or 'train'.
    number : int
        Number of the image in its split, from 0. The main object is of class 1 + number % 20.
    size : sequence of int
        Width and height in pixels.
    """
    first = FIGURES[number % len(FIGURES)]
    photo, instances, ids = still([_SEEDS[split], seed, number], first, size)
    label = Image.fromarray(np.where(_ring(instances), np.uint8(IGNORE), ids[instances]))
    label.putpalette(voc_palette().colors.tobytes())
    name = _name(split, number)
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo).save(root / "JPEGImages" / f"{name}.jpg", quality=92)
    label.save(root / "SegmentationClass" / f"{name}.png")


def finish(root: Path, units: Mapping[str, int]) -> None:
    """Write the lists of ids; `units` is the number of images of each split."""
    folder = root / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in units.items():
        lines = "".join(f"{_name(split, number)}\n" for number in range(count))
        for name in LISTS[split]:
            (folder / f"{name}.txt").write_text(lines)


def _name(split, number):
    """Return the id of an image, e.g. 2011_000001."""
    return f"{_YEARS[split]}_{number + 1:06d}"


def _ring(instances):
    """Return True on both sides of where an object meets another or the background."""
    image = Image.fromarray(instances)
    highest = image.filter(ImageFilter.MaxFilter(_RING))
    lowest = image.filter(ImageFilter.MinFilter(_RING))
    return np.asarray(highest) != np.asarray(lowest)
