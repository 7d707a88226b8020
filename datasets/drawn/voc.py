"""Drawn stills in the PASCAL VOC 2011 layout: objects of the 20 classes before mixed backdrops.

Labels are palette images with the VOC colours and, as in the official data, a ring of 255 (ignore)
around each object.
"""

import numpy as np
from PIL import Image, ImageFilter

from datasets.drawn.shapes.figures import FIGURES
from datasets.drawn.shapes.scene import still
from datasets.files import IGNORE
from datasets.palette import voc_palette

SCENES = "shapes"
SIZE = 384, 288  # width and height of a picture, pixels
UNITS = {"val": 40, "train": 40}  # pictures drawn when nothing else is asked for
LISTS = {"train": ("train",), "val": ("val", "seg11valid")}  # of the ids of a split
_YEARS = {"train": 2010, "val": 2011}  # what ids begin with
_SEEDS = {"val": 1, "train": 2}  # keep the splits apart
_RING = 3  # pixels; the window in which two instances meet where the label is IGNORE


def render(root, seed, split, number, size=SIZE):
    """Write picture `number` of `split` under `root`; its main object is class 1 + number % 20."""
    first = FIGURES[number % len(FIGURES)]
    photo, instances, ids = still([_SEEDS[split], seed, number], first, tuple(size))
    label = Image.fromarray(np.where(_ring(instances), np.uint8(IGNORE), ids[instances]))
    label.putpalette(voc_palette().colors.tobytes())
    for folder, picture, suffix, options in (
        ("JPEGImages", Image.fromarray(photo), "jpg", {"quality": 92}),
        ("SegmentationClass", label, "png", {}),
    ):
        path = root / folder / f"{_name(split, number)}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, **options)


def finish(root, units):
    """Write the lists of ids."""
    folder = root / "ImageSets" / "Segmentation"
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in units.items():
        for name in LISTS[split]:
            lines = "".join(f"{_name(split, number)}\n" for number in range(count))
            (folder / f"{name}.txt").write_text(lines)


def _name(split, number):
    return f"{_YEARS[split]}_{number + 1:06d}"


def _ring(instances):
    """True on both sides of where an object meets another or the background."""
    image = Image.fromarray(instances)
    most, least = (
        image.filter(ImageFilter.MaxFilter(_RING)),
        image.filter(ImageFilter.MinFilter(_RING)),
    )
    return np.asarray(most) != np.asarray(least)
