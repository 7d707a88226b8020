"""CamVid in the SegNet edition: street video at 480 x 360, 11 classes (Brostow et al., 2009).

Layout: ROOT/{split}/{seq}_{frame}.png|jpg and ROOT/{split}annot/{seq}_{frame}.png.
`val` is one sequence, 0016E5 at 15 Hz, in which every frame is labelled. The frames of the other
splits are one second apart.
"""

import os
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import IGNORE, image_size, open_label, open_rgb
from datasets.palette import Palette
from datasets.preprocess import ImageLike, preprocess
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
            If the split is missing or empty.
        """
        folder = self.dir / split
        if not folder.is_dir():
            raise DatasetError(
                f"{folder}: CamVid has no split {split!r} here; there is {self._splits()}"
            )
        names = sorted(f.stem for f in folder.iterdir() if f.suffix in IMAGE_SUFFIXES)
        if not names:
            raise DatasetError(f"{folder}: no .png or .jpg frame in it; copy the split again")
        return names

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

    def clips(self, split: str, length: int | None = None) -> list[Clip[str]]:
        """Return the clips of a split.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.
        length : int, optional
            Frames per clip, 1 or more; the last clip of a sequence may be shorter. By default,
            one clip per sequence for `val`, which is video, and one clip per frame for the other
            splits, whose frames are one second apart.

        Returns
        -------
        list of Clip
            The clips; every frame has a label.

        Raises
        ------
        DatasetError
            If `length` is below 1.
        """
        if length is not None:
            check_length(length)
        clips = []
        for sequence in self.list_sequences(split):
            frames = self.list_frames(split, sequence)
            step = length or (len(frames) if split == "val" else 1)
            clips += [self._clip(split, frames[i : i + step]) for i in range(0, len(frames), step)]
        return clips

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
            if path.is_file():
                return path
        raise DatasetError(
            f"{self.dir / split}: no frame {idx!r} (looked for "
            f"{' and '.join(p.name for p in paths)})"
        )

    def _splits(self):
        """Return the names of the labelled splits that exist, for a message."""
        splits = sorted(
            f.name for f in self.dir.iterdir() if (self.dir / f"{f.name}annot").is_dir()
        )
        return ", ".join(splits) or "none"


def _sequence_of(name):
    """Return the sequence of frame `name`."""
    return name.split("_")[0]
