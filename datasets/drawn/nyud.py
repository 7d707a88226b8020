"""Rendered rooms in the NYUDv2 layout: videos of raw frames, four of them labelled.

The official data has one labelled frame for most of its scenes, of 640 x 480 pixels. Here a frame
has half that width and height. Of the lists {train,val,test}_rawImages.txt only that of test is
official.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from scipy.io import savemat

from datasets.drawn.rooms.scene import RATE, Scene, kind_of, without_outlines

SCENES = "rooms"  # the package that draws them
SIZE = 320, 240  # width and height of a raw frame, pixels
UNITS = {"test": 6, "val": 2, "train": 4}  # rooms rendered by default
FRAMES, LABELLED = 24, (5, 11, 17, 23)  # frames of a video, and which of them are labelled
FIRST_ID = 5001  # beyond the 1449 official images
_SPLITS = ("test", "val", "train")
_SEEDS = {"test": 10, "val": 11, "train": 12}  # keep the splits apart
_TICKS = 4_000_000  # of the camera's 60 MHz clock between frames; it overflows at 2^32


def render(root: Path, seed: int, split: str, number: int, size: Sequence[int] = SIZE) -> None:
    """Write one room: its video, labelled images and labels.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    seed : int
        Seed of the miniature.
    split : str
        'test', 'val' or 'train'.
    number : int
        Number of the room in its split, from 0. The kinds of room take turns.
    size : sequence of int
        Width and height of a raw frame in pixels.
    """
    scene = Scene([_SEEDS[split], seed, number], number)
    window = crop(*size)
    video = root / "raw" / video_name(split, number)
    for folder in (video, root / "images", root / "segmentation"):
        folder.mkdir(parents=True, exist_ok=True)
    ids = dict(zip(LABELLED, image_ids(split, number)))
    for index in range(FRAMES):
        photo, label = scene.frame(index, *size)
        Image.fromarray(photo).save(video / frame_name(split, number, index))
        if index in ids:
            name = f"img_{ids[index]}"
            Image.fromarray(photo[window]).save(root / "images" / f"{name}.png")
            _save_label(root / "segmentation" / f"{name}.mat", without_outlines(label[window]))


def _save_label(path, label):
    """Write a .mat file whose header has no date: the same seed gives the same bytes."""
    buffer = BytesIO()
    savemat(buffer, {"segmentation": label}, do_compression=True)
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:])


def finish(root: Path, units: Mapping[str, int]) -> None:
    """Write the lists of ids and of the raw frames they were cropped from.

    `units` is the number of rooms of each split.
    """
    for split, count in units.items():
        ids, frames = [], []
        for number in range(count):
            ids += image_ids(split, number)
            video = video_name(split, number)
            frames += [f"{video}/{frame_name(split, number, index)}" for index in LABELLED]
        for name, lines in ((split, ids), (f"{split}_rawImages", frames)):
            (root / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


def crop(width: int, height: int) -> tuple[slice, slice]:
    """Return the slices (rows, columns) of a raw frame that are its labelled image.

    They are rows 44..468 and columns 40..599 of an official frame, scaled to `width` x `height`.
    """
    return (
        slice(44 * height // 480, 469 * height // 480),
        slice(40 * width // 640, 600 * width // 640),
    )


def image_ids(split: str, number: int) -> list[int]:
    """Return the ids of the labelled images of a room, one for each of LABELLED."""
    first = FIRST_ID + _unit(split, number) * len(LABELLED)
    return list(range(first, first + len(LABELLED)))


def video_name(split: str, number: int) -> str:
    """Return the kind of room and a number that no other split has, e.g. bedroom_0003."""
    return f"{kind_of(number)}_{_unit(split, number):04d}"


def frame_name(split: str, number: int, index: int) -> str:
    """Return r-{time}-{ticks}.ppm; the time, in Matlab's days, orders the frames."""
    unit = _unit(split, number)
    time = 735012.345678 + unit / 1000 + index / RATE / 86400
    ticks = (unit * 2_654_435_761 + index * _TICKS) % 2**32
    return f"r-{time:.9f}-{ticks}.ppm"


def _unit(split, number):
    """Return a number that is unique among the rooms of all splits."""
    return number * len(_SPLITS) + _SPLITS.index(split)
