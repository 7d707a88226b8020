"""Cityscapes: street video of 50 cities with 19 training classes (Cordts et al., CVPR 2016).

Layout (the official one; ... is {split}/{city}/{city}_{shot}_{frame}):
    ROOT/leftImg8bit/..._leftImg8bit.png           the labelled frames
    ROOT/leftImg8bit_sequence/..._leftImg8bit.png  the 30-frame snippets around them
    ROOT/gtFine/..._gtFine_labelIds.png            or ..._gtFine_labelTrainIds.png
    ROOT/gtFine_sequence/...                       labels of all frames; only in the miniature
The video is at 17 Hz. In each snippet, 19 frames precede the labelled one.
"""

import os
from functools import partial

import numpy as np
import numpy.typing as npt
from cityscapesscripts.helpers.labels import labels as LABELS
from PIL import Image

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import IGNORE, image_size, open_label, open_rgb
from datasets.frame_files import names_with
from datasets.palette import Palette
from datasets.preprocess import ImageLike, preprocess
from datasets.reading.gate import is_folder, is_there, list_folders, show
from datasets.sources import find_root

IMAGE = "_leftImg8bit.png"
LABEL_IDS = "_gtFine_labelIds.png"
LABEL_TRAIN_IDS = "_gtFine_labelTrainIds.png"

TRAIN_LABELS = sorted(
    (label for label in LABELS if 0 <= label.trainId < IGNORE), key=lambda label: label.trainId
)
NUM_IDS = 1 + max(label.id for label in LABELS)
# Some labelIds files in circulation hold the painted label, so map colours to ids. Of classes
# that share a colour (such as poles and their groups) the first id is used.
COLORS = {label.color: label.id for label in reversed(LABELS) if label.id >= 0}


def _train_id_table():
    """Return the train id of each official id as uint8[256]."""
    # license plate has the id -1 and no entry of its own
    table = np.full(256, IGNORE, np.uint8)
    for label in TRAIN_LABELS:
        table[label.id] = label.trainId
    return table


class cityscapes:
    """The Cityscapes dataset. Frames are named '{city}_{shot}_{frame}'; splits are folders.

    Parameters
    ----------
    root : path-like, optional
        Folder of the dataset; by default, where `datasets.sources.find_root` finds it.

    Attributes
    ----------
    dir : Path
        Folder of the dataset.
    mean : ndarray of float32, 3
        Mean subtracted from images, BGR.
    classes : tuple of str
        Names of the 19 classes, in the order of their train ids.
    palette : Palette
        Colours of the classes.
    id_to_trainId : ndarray of uint8, 256
        Train id of each official id, 255 = ignore.

    Raises
    ------
    DatasetError
        If the dataset is not there.
    """

    classes = tuple(label.name for label in TRAIN_LABELS)
    palette = Palette([label.color for label in TRAIN_LABELS])
    mean = np.array((72.78044, 83.21195, 73.45286), np.float32)
    id_to_trainId = _train_id_table()

    def __init__(self, root: os.PathLike[str] | str | None = None) -> None:
        self.dir = find_root("cityscapes", root, needs="gtFine")

    def get_dset(self, split: str) -> list[tuple[str, str]]:
        """List the frames of a split for `load_image(split, *frame)`, as the paper's notebooks do.

        Parameters
        ----------
        split : str
            Name of the split.

        Returns
        -------
        list of (str, str)
            City and name of each frame in leftImg8bit/{split}; if that folder does not exist, of
            each frame of the snippets.

        Raises
        ------
        DatasetError
            If there is no such split, or it is empty.
        """
        package = "leftImg8bit"
        if not is_folder(self.dir / package / split):
            package = "leftImg8bit_sequence"
        return [(_city_of(name), name) for name in self._list(package, split, [IMAGE])]

    def list_label_frames(self, split: str) -> list[str]:
        """List the names of the frames of `split` that have a label in gtFine."""
        return self._list("gtFine", split, [LABEL_IDS, LABEL_TRAIN_IDS])

    def list_frame_sequence(self, split: str, idx: str, length: int) -> list[str]:
        """List the consecutive frames up to and including frame `idx`.

        Parameters
        ----------
        split : str
            Name of the split.
        idx : str
            Name of the last frame.
        length : int
            Number of frames, 1 or more.

        Returns
        -------
        list of str
            Names of the frames, in time order.

        Raises
        ------
        DatasetError
            If a frame is missing (the message names the first one), `idx` is not the name of a
            frame, or `length` is below 1.
        """
        check_length(length)
        shot, _, number = idx.rpartition("_")
        if not shot or not number.isdecimal():
            raise DatasetError(f"{idx!r}: not the name of a frame; expected city_shot_frame")
        last = int(number)
        if last < length - 1:
            raise DatasetError(
                f"{idx}: only {last} frames come before it, but a clip of {length} "
                f"needs {length - 1}; request a shorter clip"
            )
        names = [f"{shot}_{n:0{len(number)}d}" for n in range(last - length + 1, last + 1)]
        for name in names:
            self._image_path(split, name)
        return names

    def collect_frame_sequence(self, split: str, idx: str, length: int) -> list[Image.Image]:
        """Load the frames that `list_frame_sequence` lists as PIL RGB images.

        The paper's own code counts the frames before `idx` and returns one more.
        """
        return [
            self.load_image(split, name) for name in self.list_frame_sequence(split, idx, length)
        ]

    def load_image(self, split: str, *idx: str | tuple[str, str]) -> Image.Image:
        """Load a frame.

        Parameters
        ----------
        split : str
            Name of the split.
        *idx : str or (str, str)
            The frame: its name, its city and name, or the pair of both.

        Returns
        -------
        PIL.Image.Image
            An RGB image (official data: 2048 x 1024).

        Raises
        ------
        DatasetError
            If the file is missing or damaged, or the city is not that of the frame.
        """
        return open_rgb(self._image_path(split, _name_of(idx)))

    def load_label(self, split: str, *idx: str | tuple[str, str]) -> npt.NDArray[np.uint8]:
        """Load the label of a frame.

        Parameters
        ----------
        split : str
            Name of the split.
        *idx : str or (str, str)
            The frame, as for `load_image`.

        Returns
        -------
        ndarray of uint8, 1 x H x W
            Train ids 0..18, 255 = ignore.

        Raises
        ------
        DatasetError
            If the file is missing, damaged, holds a value out of range, or differs in size from
            its frame.
        """
        name = _name_of(idx)
        label = self._load_label_or_none(split, name)
        if label is None:
            raise DatasetError(
                f"{self._path('gtFine', split, name, LABEL_IDS)}: no such label, nor "
                f"*{LABEL_TRAIN_IDS}; see list_label_frames({split!r})"
            )
        return label

    def assign_trainIds(self, label: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Map an array of official ids (0..33) to train ids (0..18, 255 = ignore)."""
        return self.id_to_trainId[label]

    def preprocess(self, im: ImageLike) -> npt.NDArray[np.float32]:
        """Convert an image to a net input: 3 x H x W float32, BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(
        self, label: npt.NDArray[np.uint8], thickness: int
    ) -> npt.NDArray[np.bool_]:
        """Find the labelled pixels with another class within `thickness` pixels (H x W bool)."""
        return class_boundaries(label, thickness)

    def clips(self, split: str, length: int = 20) -> list[Clip[str]]:
        """Return one clip for each labelled frame of a split, which is its last frame.

        Parameters
        ----------
        split : str
            Name of the split.
        length : int
            Frames per clip.

        Returns
        -------
        list of Clip
            The clips. Only the last frame has a label, unless gtFine_sequence/ has labels of the
            others.

        Raises
        ------
        DatasetError
            If a frame is missing; the message names the first one.
        """
        return [
            Clip(
                f"{split}/{idx}",
                self.list_frame_sequence(split, idx, length),
                partial(self.load_image, split),
                partial(self._load_label_or_none, split),
                self.preprocess,
            )
            for idx in self.list_label_frames(split)
        ]

    def _load_label_or_none(self, split, idx):
        """Load the label of frame `idx` as 1 x H x W train ids, or return None if it has none."""
        for package in ("gtFine", "gtFine_sequence"):
            path = self._path(package, split, idx, LABEL_IDS)
            if is_there(path):
                label = open_label(path, NUM_IDS, image_size(self._image_path(split, idx)), COLORS)
                return self.assign_trainIds(label)[np.newaxis]
            path = self._path(package, split, idx, LABEL_TRAIN_IDS)
            if is_there(path):
                label = open_label(
                    path, len(self.classes), image_size(self._image_path(split, idx))
                )
                return label[np.newaxis]
        return None

    def _list(self, package, split, suffixes):
        """List the names of the frames that have a file with one of `suffixes`."""
        folder = self.dir / package / split
        if not is_folder(folder):
            raise DatasetError(
                f"{show(folder)}: no such folder; gtFine has the splits {self._splits()}"
            )
        names = {
            name.removesuffix(suffix)
            for city in list_folders(folder)
            for suffix in suffixes
            for name in names_with(folder / city, suffix)
        }
        if not names:
            raise DatasetError(f"{folder}: holds no */*{suffixes[0]}; unpack {package} again")
        return sorted(names)

    def _image_path(self, split, idx):
        """Return the path of a frame, or raise DatasetError if it does not exist."""
        paths = [
            self._path(package, split, idx, IMAGE)
            for package in ("leftImg8bit", "leftImg8bit_sequence")
        ]
        for path in paths:
            if is_there(path):
                return path
        raise DatasetError(
            f"{paths[1]}: no such frame, nor in leftImg8bit/; unpack "
            "leftImg8bit_sequence completely or request a shorter clip"
        )

    def _path(self, package, split, idx, suffix):
        """Return the path of a file of frame `idx` in one of the packages."""
        return self.dir / package / split / _city_of(idx) / f"{idx}{suffix}"

    def _splits(self):
        """Return the names of the splits of gtFine, for a message."""
        return ", ".join(list_folders(self.dir / "gtFine"))


def _city_of(name):
    """Return the city of frame `name`."""
    return name.rsplit("_", 2)[0]


def _name_of(frame):
    """Return the name in (name,), (city, name) or ((city, name),)."""
    *city, name = frame[0] if isinstance(frame[0], tuple) else frame
    if city not in ([], [_city_of(name)]):
        raise DatasetError(
            f"{name!r} is not a frame of {city[0]!r}: give the name alone, or with its "
            f"city {_city_of(name)!r}"
        )
    return name
