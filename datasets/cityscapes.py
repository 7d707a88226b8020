"""Cityscapes: street video of 50 cities with 19 classes in training (Cordts et al., CVPR 2016).

Layout (the official one; ... is {split}/{city}/{city}_{shot}_{frame}):
    ROOT/leftImg8bit/..._leftImg8bit.png           the labelled frames
    ROOT/leftImg8bit_sequence/..._leftImg8bit.png  the 30-frame snippets around them
    ROOT/gtFine/..._gtFine_labelIds.png            or ..._gtFine_labelTrainIds.png
    ROOT/gtFine_sequence/...                       labels of all frames; only the miniature has it
Frames are at 17 Hz, and 19 frames of its snippet come before each labelled frame.
"""

from functools import partial

import numpy as np
from cityscapesscripts.helpers.labels import labels as LABELS

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import IGNORE, image_size, open_label, open_rgb
from datasets.palette import Palette
from datasets.preprocess import preprocess
from datasets.sources import find_root

TRAIN_LABELS = sorted(
    (label for label in LABELS if 0 <= label.trainId < IGNORE), key=lambda label: label.trainId
)
NUM_IDS = 1 + max(label.id for label in LABELS)
IMAGE = "_leftImg8bit.png"
# Ids by colour, since labelIds files that hold the painted label are in circulation. Classes that
# share a colour (poles and their groups, cars and licence plates) come first id first.
COLORS = {label.color: label.id for label in reversed(LABELS) if label.id >= 0}
LABEL_IDS = "_gtFine_labelIds.png"
LABEL_TRAIN_IDS = "_gtFine_labelTrainIds.png"


def _train_id_table():
    table = np.full(256, IGNORE, np.uint8)  # of the ids, license plate (-1) has no entry of its own
    for label in TRAIN_LABELS:
        table[label.id] = label.trainId
    return table


def _city_of(name):
    return name.rsplit("_", 2)[0]


def _name_of(frame):
    """The name in (name,), (city, name) and ((city, name),)."""
    *city, name = frame[0] if isinstance(frame[0], tuple) else frame
    if city not in ([], [_city_of(name)]):
        raise DatasetError(
            f"{name!r} is no frame of {city[0]!r}: give its name alone, or the "
            f"city {_city_of(name)!r} with it"
        )
    return name


class cityscapes:
    """Cityscapes at `root`, or where datasets.sources.find_root finds it.

    Attributes: dir (Path), mean (3 BGR floats), classes (19 names), palette (a Palette of 19).
    Frames are named '{city}_{shot}_{frame}'; splits are the folders that are there. Raises
    DatasetError if the dataset is not there.
    """

    classes = tuple(label.name for label in TRAIN_LABELS)
    palette = Palette([label.color for label in TRAIN_LABELS])
    mean = np.array((72.78044, 83.21195, 73.45286), np.float32)
    id_to_trainId = _train_id_table()

    def __init__(self, root=None):
        self.dir = find_root("cityscapes", root, needs="gtFine")

    def get_dset(self, split):
        """(city, name) of the frames in leftImg8bit/{split}, or of the snippets where it is absent.

        To be handed on, `load_image(split, *frame)`, as in the paper's notebooks.
        """
        package = "leftImg8bit"
        if not (self.dir / package / split).is_dir():
            package = "leftImg8bit_sequence"
        return [(_city_of(name), name) for name in self._list(package, split, [IMAGE])]

    def list_label_frames(self, split):
        """Names of the frames of `split` that have a label in gtFine."""
        return self._list("gtFine", split, [LABEL_IDS, LABEL_TRAIN_IDS])

    def list_frame_sequence(self, split, idx, length):
        """Names of the `length` consecutive frames that end in frame `idx`.

        Raises DatasetError naming the first frame file that is missing, and for a length below 1.
        """
        check_length(length)
        shot, _, number = idx.rpartition("_")
        if not shot or not number.isdecimal():
            raise DatasetError(f"{idx!r}: not the name of a frame; expected city_shot_frame")
        last = int(number)
        names = [f"{shot}_{n:0{len(number)}d}" for n in range(last - length + 1, last + 1)]
        if last < length - 1:
            raise DatasetError(
                f"{idx}: only {last} frames come before it, a clip of {length} "
                f"needs {length - 1}; ask for a shorter clip"
            )
        for name in names:
            self._image_path(split, name)
        return names

    def collect_frame_sequence(self, split, idx, length):
        """The `length` frames that end in frame `idx`, as a list of PIL RGB images.

        (The paper's own code counts the frames before `idx` and returns one more.)
        """
        return [
            self.load_image(split, name) for name in self.list_frame_sequence(split, idx, length)
        ]

    def load_image(self, split, *idx):
        """Frame `idx` of `split` as a PIL RGB image (2048 x 1024 in the official data).

        Given by its name, by its city and name, or by the pair of both.
        """
        return open_rgb(self._image_path(split, _name_of(idx)))

    def load_label(self, split, *idx):
        """Label of frame `idx` as 1 x H x W uint8 train ids: 0..18, 255 = ignore.

        Given as for `load_image`. Raises DatasetError if the file is missing, damaged, out of
        range or not of the frame's size.
        """
        idx = _name_of(idx)
        label = self._load_label_or_none(split, idx)
        if label is None:
            raise DatasetError(
                f"{self._path('gtFine', split, idx, LABEL_IDS)}: no such label, nor "
                f"*{LABEL_TRAIN_IDS}; see list_label_frames({split!r})"
            )
        return label

    def assign_trainIds(self, label):
        """Map an array of official ids (0..33) to train ids (0..18, 255 = ignore)."""
        return self.id_to_trainId[label]

    def preprocess(self, im):
        """PIL image to net input: 3 x H x W float32 BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(self, label, thickness):
        """H x W bool: labelled pixels with another class within `thickness` pixels."""
        return class_boundaries(label, thickness)

    def clips(self, split, length=20):
        """One Clip of `length` frames for each labelled frame of `split`, ending in it.

        Only the last frame has a label, unless gtFine_sequence/ holds those of the others.
        Raises DatasetError naming the first frame file that is missing.
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
        for package in ("gtFine", "gtFine_sequence"):
            path = self._path(package, split, idx, LABEL_IDS)
            if path.is_file():
                label = open_label(path, NUM_IDS, image_size(self._image_path(split, idx)), COLORS)
                return self.assign_trainIds(label)[np.newaxis]
            path = self._path(package, split, idx, LABEL_TRAIN_IDS)
            if path.is_file():
                label = open_label(
                    path, len(self.classes), image_size(self._image_path(split, idx))
                )
                return label[np.newaxis]
        return None

    def _list(self, package, split, suffixes):
        folder = self.dir / package / split
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder; gtFine has the splits {self._splits()}")
        names = {
            path.name.removesuffix(suffix)
            for suffix in suffixes
            for path in folder.glob(f"*/*{suffix}")
        }
        if not names:
            raise DatasetError(f"{folder}: holds no */*{suffixes[0]}; unpack {package} again")
        return sorted(names)

    def _image_path(self, split, idx):
        paths = [
            self._path(package, split, idx, IMAGE)
            for package in ("leftImg8bit", "leftImg8bit_sequence")
        ]
        for path in paths:
            if path.is_file():
                return path
        raise DatasetError(
            f"{paths[1]}: no such frame, in leftImg8bit/ neither; unpack "
            "leftImg8bit_sequence completely or ask for a shorter clip"
        )

    def _path(self, package, split, idx, suffix):
        return self.dir / package / split / _city_of(idx) / f"{idx}{suffix}"

    def _splits(self):
        return ", ".join(sorted(f.name for f in (self.dir / "gtFine").iterdir() if f.is_dir()))
