"""Convert DAVIS to the layout of Youtube-Objects: real videos with a mask on every frame.

    python -m datasets.davis DAVIS_ROOT ROOT
    python -m datasets.davis DAVIS_ROOT ROOT --halves dog=dog --train bear=cow --test cows=cow

DAVIS_ROOT holds JPEGImages/ and Annotations/ of DAVIS 2016 or 2017 (480p); ROOT is created. Each
sequence is given as SEQUENCE=CLASS, with a class of Youtube-Objects. Of --halves, the first half
becomes shot 001, listed in ROOT/train.txt, and the second half shot 002, listed in ROOT/test.txt.
Of --train and --test, the whole sequence becomes shot 001, listed in that file. Without any, four
sequences are halved: dog, car-roundabout, horsejump-high and motocross-jump. DAVIS: Perazzi et
al., CVPR 2016.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.errors import DatasetError
from datasets.files import image_size, open_image
from datasets.frame_files import names_with
from datasets.reading.gate import is_folder, is_there, list_names, show
from datasets.youtube import CLASSES

# Sequences that show one object of a class of Youtube-Objects: {sequence: class}.
SEQUENCES = {
    "dog": "dog",
    "car-roundabout": "car",
    "horsejump-high": "horse",
    "motocross-jump": "motorbike",
}
MIN_FRAMES = 2  # of a sequence; those of DAVIS have dozens
FETCH = (
    "get the 480p images and annotations from https://davischallenge.org (DAVIS 2016 or 2017, "
    "TrainVal) and give the folder that holds JPEGImages/ and Annotations/"
)


def arrange(
    davis_root: os.PathLike[str] | str,
    root: os.PathLike[str] | str,
    sequences: Mapping[str, str] | None = None,
    train: Mapping[str, str] | None = None,
    test: Mapping[str, str] | None = None,
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
    sequences : mapping of str to str, optional
        Class of each sequence whose first half is for training, its second for tests. By default,
        SEQUENCES if neither `train` nor `test` is given.
    train, test : mapping of str to str, optional
        Class of each sequence that is wholly for training, or for tests.

    Returns
    -------
    Path
        `root`.

    Raises
    ------
    DatasetError
        If `root` is not empty or cannot be written, a class is not one of Youtube-Objects, a
        sequence is given twice, or DAVIS lacks a sequence, frame or annotation.
    """
    davis_root, root = Path(davis_root), Path(root)
    if sequences is None and not train and not test:
        sequences = SEQUENCES
    groups = sequences or {}, train or {}, test or {}
    _check_sequences(*groups)
    if is_there(root) and (not is_folder(root) or list_names(root)):
        raise DatasetError(f"{root}: exists; remove it or give another folder")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{root.name}-", dir=root.parent) as unfinished:
            fresh = Path(unfinished) / root.name
            _write_splits(Path(os.path.realpath(davis_root)), fresh, *groups)
            fresh.rename(root)
    except OSError as error:
        raise DatasetError(
            f"{show(root)}: cannot be written ({error.strerror or error}); make space, or give "
            "another folder"
        ) from error
    return root


def _check_sequences(halves, train, test):
    """Raise DatasetError if a sequence is given twice, is no name, or its class is unknown."""
    groups = (halves, train, test)
    if not any(groups):
        raise DatasetError("no sequence to convert: give some, such as dog=dog")
    for sequence, class_ in [item for group in groups for item in group.items()]:
        if sequence in ("", ".", "..") or set(sequence) & set("/\\\0"):
            raise DatasetError(f"{sequence!r}: not the name of a sequence, such as 'dog'")
        if class_ not in CLASSES[1:]:
            raise DatasetError(
                f"{sequence}: Youtube-Objects has no class {class_!r}; choose one of "
                f"{', '.join(CLASSES[1:])}"
            )
        if sum(sequence in group for group in groups) > 1:
            raise DatasetError(f"{sequence}: given twice; give it as halves, train or test")


def _write_splits(davis_root, root, halves, train, test):
    """Write the shots of all sequences, and the list of each split."""
    lists = {"train": [], "test": []}

    def write(split, sequence, class_, shot, frames):
        _write_shot(root, class_, sequence, shot, frames)
        lists[split].append(f"{class_}/{sequence}/{shot}\n")

    for sequence, class_ in halves.items():
        frames = _list_frames(davis_root, sequence)
        middle = len(frames) // 2
        write("train", sequence, class_, "001", frames[:middle])
        write("test", sequence, class_, "002", frames[middle:])
    for split, whole in (("train", train), ("test", test)):
        for sequence, class_ in whole.items():
            write(split, sequence, class_, "001", _list_frames(davis_root, sequence))
    for split, lines in lists.items():
        if lines:
            (root / f"{split}.txt").write_text("".join(lines))


def _list_frames(davis_root, sequence):
    """List the (frame, annotation) paths of a sequence in order; check that both are complete."""
    images, masks = (
        _sequence_folder(davis_root / package, sequence)
        for package in ("JPEGImages", "Annotations")
    )
    frames = names_with(images, ".jpg")
    if len(frames) < MIN_FRAMES:
        raise DatasetError(
            f"{images}: holds {len(frames)} .jpg frames, but a sequence has dozens; "
            "unpack DAVIS again"
        )
    annotations = set(names_with(masks, ".png"))
    pairs = [(images / name, masks / f"{Path(name).stem}.png") for name in frames]
    for frame, annotation in pairs:
        if annotation.name not in annotations:
            raise DatasetError(
                f"{frame}: has no annotation {annotation}; unpack the Annotations of DAVIS again"
            )
        annotations.remove(annotation.name)
    if annotations:
        raise DatasetError(
            f"{masks / min(annotations)}: an annotation without its frame in {images}; unpack the "
            "JPEGImages of DAVIS again"
        )
    _check_numbers(images, frames)
    return pairs


def _check_numbers(folder, frames):
    """Raise DatasetError if the names of frames are not consecutive numbers."""
    numbers = [int(name[:-4]) if re.fullmatch("[0-9]{1,9}[.]jpg", name) else -1 for name in frames]
    if -1 in numbers:
        name = frames[numbers.index(-1)]
        raise DatasetError(f"{folder / name}: not the name of a frame, such as 00000.jpg")
    for before, after in pairwise(numbers):
        if after != before + 1:
            raise DatasetError(
                f"{folder}: frames {before + 1} to {after - 1} are missing; unpack DAVIS again"
            )


def _sequence_folder(package, sequence):
    """Return the folder of a sequence in JPEGImages/ or Annotations/."""
    for folder in (package / sequence, package / "480p" / sequence):
        if is_folder(folder):
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


def _parse_sequence(text):
    """Parse SEQUENCE=CLASS."""
    sequence, equals, class_ = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not SEQUENCE=CLASS, such as dog=dog")
    return sequence, class_


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (by default, sys.argv) and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("davis_root", metavar="DAVIS_ROOT", help="holds JPEGImages/, Annotations/")
    parser.add_argument("root", metavar="ROOT", help="folder to create")
    for name, what in (
        ("--halves", "the first half for training, the second for tests"),
        ("--train", "whole sequences, for training"),
        ("--test", "whole sequences, for tests"),
    ):
        parser.add_argument(
            name,
            nargs="+",
            action="extend",
            type=_parse_sequence,
            default=[],
            metavar="SEQUENCE=CLASS",
            help=what,
        )
    args = parser.parse_args(argv)
    groups = [args.halves, args.train, args.test]
    try:
        for group in groups:
            if len(dict(group)) < len(group):
                raise DatasetError("a sequence is given twice; give each once")
        print(arrange(args.davis_root, args.root, *(dict(group) or None for group in groups)))
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
