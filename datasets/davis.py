"""Convert DAVIS to the layout of Youtube-Objects: four real videos with a mask on every frame.

    python -m datasets.davis DAVIS_ROOT ROOT

DAVIS_ROOT holds JPEGImages/ and Annotations/ of DAVIS 2016 or 2017 (480p); ROOT is created. The
first half of each sequence becomes shot 001, listed in ROOT/train.txt; the second half becomes
shot 002, listed in ROOT/test.txt. DAVIS: Perazzi et al., CVPR 2016.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.errors import DatasetError
from datasets.files import image_size, open_image

# Sequences that show one object of a class of Youtube-Objects: {sequence: class}.
SEQUENCES = {
    "dog": "dog",
    "car-roundabout": "car",
    "horsejump-high": "horse",
    "motocross-jump": "motorbike",
}
SHOTS = {"train": "001", "test": "002"}  # the halves of a sequence
FETCH = (
    "get the 480p images and annotations from https://davischallenge.org (DAVIS 2016 or 2017, "
    "TrainVal) and give the folder that holds JPEGImages/ and Annotations/"
)


def arrange(
    davis_root: os.PathLike[str] | str,
    root: os.PathLike[str] | str,
    sequences: Mapping[str, str] = SEQUENCES,
) -> Path:
    """Convert sequences of DAVIS to the layout of Youtube-Objects.

    Videos are named after their sequence. Frames are links to those of DAVIS. Masks are grey
    JPEG files, 255 where the annotation has any object.

    Parameters
    ----------
    davis_root : path-like
        Folder of DAVIS.
    root : path-like
        Folder to create. It only appears once everything is written.
    sequences : mapping of str to str
        Class of each sequence to convert.

    Returns
    -------
    Path
        `root`.

    Raises
    ------
    DatasetError
        If `root` is not empty, or DAVIS lacks a sequence, frame or annotation.
    """
    davis_root, root = Path(davis_root).resolve(), Path(root)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DatasetError(f"{root}: exists; remove it or give another folder")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{root.name}-", dir=root.parent) as unfinished:
        fresh = Path(unfinished) / root.name
        fresh.mkdir()
        for sequence, class_ in sequences.items():
            frames = _list_frames(davis_root, sequence)
            half = len(frames) // 2
            _write_shot(fresh, class_, sequence, SHOTS["train"], frames[:half])
            _write_shot(fresh, class_, sequence, SHOTS["test"], frames[half:])
        for split, shot in SHOTS.items():
            lines = [f"{class_}/{sequence}/{shot}\n" for sequence, class_ in sequences.items()]
            (fresh / f"{split}.txt").write_text("".join(lines))
        fresh.rename(root)
    return root


def _list_frames(davis_root, sequence):
    """List the (frame, annotation) paths of a sequence in order; check that both are complete."""
    images, masks = (
        _sequence_folder(davis_root / package, sequence)
        for package in ("JPEGImages", "Annotations")
    )
    frames = sorted(images.glob("*.jpg"))
    if len(frames) < 2:
        raise DatasetError(
            f"{images}: holds {len(frames)} .jpg frames, but a sequence has dozens; "
            "unpack DAVIS again"
        )
    pairs = [(frame, masks / f"{frame.stem}.png") for frame in frames]
    for frame, annotation in pairs:
        if not annotation.is_file():
            raise DatasetError(
                f"{frame}: has no annotation {annotation}; unpack the Annotations of DAVIS again"
            )
    return pairs


def _sequence_folder(package, sequence):
    """Return the folder of a sequence in JPEGImages/ or Annotations/."""
    for folder in (package / sequence, package / "480p" / sequence):
        if folder.is_dir():
            return folder
    raise DatasetError(f"{package}: has no sequence {sequence}, nor has its 480p/; {FETCH}")


def _write_shot(root, class_, video, shot, frames):
    """Write the (frame, annotation) pairs of a shot."""
    place = Path(class_) / "data" / video / "shots" / shot
    frame_folder, mask_folder = root / "v1" / place, root / "youtube_masks" / place / "labels"
    frame_folder.mkdir(parents=True)
    mask_folder.mkdir(parents=True)
    for n, (frame, annotation) in enumerate(frames, 1):
        # multi-object annotations are palette images whose index is the number of the object
        mask = open_image(annotation)
        mask = np.asarray(mask if mask.mode in ("P", "L") else mask.convert("L")) > 0
        if mask.shape[::-1] != image_size(frame):
            raise DatasetError(
                f"{annotation}: is {mask.shape[1]} x {mask.shape[0]}, but its frame {frame} has "
                "another size; are both of the 480p edition?"
            )
        (frame_folder / f"frame{n:04d}.jpg").symlink_to(frame)
        Image.fromarray(np.uint8(255) * mask).save(mask_folder / f"{n:05d}.jpg", quality=95)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default, sys.argv) and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("davis_root", metavar="DAVIS_ROOT", help="holds JPEGImages/, Annotations/")
    parser.add_argument("root", metavar="ROOT", help="folder to create")
    args = parser.parse_args(argv)
    try:
        print(arrange(args.davis_root, args.root))
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
