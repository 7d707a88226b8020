"""CamVid in the SegNet edition: street video at 480 x 360, 11 classes (Brostow et al., 2009).

Layout: ROOT/{split}/{seq}_{frame}.png|jpg and ROOT/{split}annot/{seq}_{frame}.png.
`val` is one sequence, 0016E5 at 15 Hz, in which every frame is labelled. The frames of the other
splits are one second apart.
"""

import os
import re
from collections import Counter
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import IGNORE, image_size, open_label, open_rgb
from datasets.frame_files import check_no_gap, names_with, usual_step
from datasets.palette import Palette
from datasets.preprocess import ImageLike, preprocess
from datasets.reading.gate import is_folder, is_there, list_folders, show
from datasets.sources import find_root

IMAGE_SUFFIXES = (".png", ".jpg")
UNLABELLED = 11  # index of unlabelled pixels in the annotations


class camvid:
    """The CamVid dataset. Frames are named '{seq}_{frame}'.

    Parameters
    ----------
    root : path-like, optional
        Folder of the dataset; by default, where `datasets.sources.find_root` finds it.

    Attributes
    ----------
    dir : Path
        Folder of the dataset.
    mean : ndarray of float32, 3
        Mean of the training frames, BGR.
    classes : tuple of str
        Names of the 11 classes.
    palette : Palette
        Colours of the classes.

    Raises
    ------
    DatasetError
        If the dataset is not there.
    """

    classes = (
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "signsymbol",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
    )
    # SegNet's colours for these classes: CamVid's own, except for pavement.
    palette = Palette(
        [
            (128, 128, 128),
            (128, 0, 0),
            (192, 192, 128),
            (128, 64, 128),
            (60, 40, 222),
            (128, 128, 0),
            (192, 128, 128),
            (64, 64, 128),
            (64, 0, 128),
            (64, 64, 0),
            (0, 128, 192),
        ]
    )
    # Measured over all pixels of the 367 training frames.
    mean = np.array((110.248, 108.357, 104.985), np.float32)

    def __init__(self, root: os.PathLike[str] | str | None = None) -> None:
        self.dir = find_root("camvid", root, needs="valannot")

    def get_dset(self, split: str) -> list[str]:
        """List the frames of a split.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.

        Returns
        -------
        list of str
            Names of the frames, by sequence and time.

        Raises
        ------
        DatasetError
            If the split is missing or empty, or a file in it is not named as a frame.
        """
        folder = self.dir / split
        if not is_folder(folder):
            raise DatasetError(
                f"{show(folder)}: CamVid has no split {split!r} here; there is {self._splits()}"
            )
        names = [Path(name).stem for name in names_with(folder, *IMAGE_SUFFIXES)]
        if not names:
            raise DatasetError(f"{folder}: no .png or .jpg frame in it; copy the split again")
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise DatasetError(
                f"{folder}: there is a .png and a .jpg frame {twice[0]}; remove one of them"
            )
        return sorted(names, key=lambda name: (_sequence_of(name), _number_of(name, folder)))

    def list_sequences(self, split: str) -> list[str]:
        """List the video sequences of `split`, such as '0016E5'."""
        return sorted({_sequence_of(name) for name in self.get_dset(split)})

    def list_frames(self, split: str, sequence: str) -> list[str]:
        """List the frames of a sequence.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.
        sequence : str
            Name of the sequence.

        Returns
        -------
        list of str
            Names of the frames, in time order.

        Raises
        ------
        DatasetError
            If the split has no frame of this sequence.
        """
        frames = [name for name in self.get_dset(split) if _sequence_of(name) == sequence]
        if not frames:
            raise DatasetError(
                f"{self.dir / split}: no frame of sequence {sequence!r}; there is "
                f"{', '.join(self.list_sequences(split))}"
            )
        return frames

    def load_image(self, split: str, idx: str) -> Image.Image:
        """Load frame `idx` of `split` as a 480 x 360 PIL RGB image."""
        return open_rgb(self._image_path(split, idx))

    def load_label(self, split: str, idx: str) -> npt.NDArray[np.uint8]:
        """Load the label of a frame.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.
        idx : str
            Name of the frame.

        Returns
        -------
        ndarray of uint8, 1 x H x W
            Classes 0..10, 255 for unlabelled pixels.

        Raises
        ------
        DatasetError
            If the file is missing, damaged, holds a value out of range, or differs in size from
            its frame.
        """
        size = image_size(self._image_path(split, idx))
        label = open_label(self.dir / f"{split}annot" / f"{idx}.png", UNLABELLED + 1, size)
        label[label == UNLABELLED] = IGNORE
        return label[np.newaxis]

    def preprocess(self, im: ImageLike) -> npt.NDArray[np.float32]:
        """Convert an image to a net input: 3 x H x W float32, BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(
        self, label: npt.NDArray[np.uint8], thickness: int
    ) -> npt.NDArray[np.bool_]:
        """Find the labelled pixels with another class within `thickness` pixels (H x W bool)."""
        return class_boundaries(label, thickness)

    def clips(self, split: str, length: int | Literal["sequence"] | None = None) -> list[Clip[str]]:
        """Return the clips of a split.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.
        length : int or 'sequence', optional
            Frames per clip, 1 or more; the last clip of a sequence may be shorter. 'sequence' is
            one clip per sequence, however long. By default, 'sequence' for `val`, which is video,
            and 1 for the other splits, whose frames are one second apart.

        Returns
        -------
        list of Clip
            The clips; every frame has a label. A clip does not go beyond a pause of the video,
            of which `train` has two.

        Raises
        ------
        DatasetError
            If `length` is below 1, or a frame is missing.
        """
        if length is None:
            length = "sequence" if split == "val" else 1
        if length != "sequence":
            check_length(length)
        self._check_complete(split)
        clips = []
        for sequence in self.list_sequences(split):
            for frames in self._runs(split, self.list_frames(split, sequence)):
                step = len(frames) if length == "sequence" else length
                clips += [
                    self._clip(split, frames[i : i + step]) for i in range(0, len(frames), step)
                ]
        return clips

    def _check_complete(self, split):
        """Raise DatasetError if a label has no frame: every frame has a label."""
        annotations = self.dir / f"{split}annot"
        labelled = {name.removesuffix(".png") for name in names_with(annotations, ".png")}
        if lost := sorted(labelled - set(self.get_dset(split))):
            raise DatasetError(
                f"{self.dir / split}: no frame {lost[0]}, but {annotations} has its label; copy "
                "the split again"
            )

    def _runs(self, split, frames):
        """Divide a sequence where the video pauses; `val` is video without a pause."""
        numbers = [_number_of(name, self.dir / split) for name in frames]
        if split == "val":
            check_no_gap(numbers, frames, str(self.dir / split))
            return [frames]
        longest = 2 * usual_step(numbers)
        starts = [i for i in range(1, len(frames)) if numbers[i] - numbers[i - 1] >= longest]
        return [frames[a:b] for a, b in pairwise([0, *starts, len(frames)])]

    def _clip(self, split, frames):
        """Return the clip of the given frames, named after the first."""
        return Clip(
            f"camvid/{split}/{frames[0]}",
            frames,
            partial(self.load_image, split),
            partial(self.load_label, split),
            self.preprocess,
        )

    def _image_path(self, split, idx):
        """Return the path of a frame, or raise DatasetError if it does not exist."""
        paths = [self.dir / split / f"{idx}{suffix}" for suffix in IMAGE_SUFFIXES]
        for path in paths:
            if is_there(path):
                return path
        raise DatasetError(
            f"{self.dir / split}: no frame {idx!r} (looked for "
            f"{' and '.join(p.name for p in paths)})"
        )

    def _splits(self):
        """Return the names of the labelled splits that exist, for a message."""
        splits = [name for name in list_folders(self.dir) if is_folder(self.dir / f"{name}annot")]
        return ", ".join(splits) or "none"


def _sequence_of(name):
    """Return the sequence of frame `name`."""
    return name.split("_")[0]


def _number_of(name, folder):
    """Return the number of frame `name`."""
    match = re.fullmatch(r"[^_]+_f?([0-9]{1,9})", name)
    if not match:
        raise DatasetError(
            f"{folder}: {name!r} is not the name of a frame, such as 0016E5_07959; remove it"
        )
    return int(match[1])
