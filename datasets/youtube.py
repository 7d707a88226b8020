"""Youtube-Objects v1 with the masks of Jain & Grauman: video of 10 classes, one object per shot.

Layout (... is {class}/data/{video}/shots/{shot}):
    ROOT/v1/.../frame{NNNN}.jpg                 the frames, numbered from 1
    ROOT/youtube_masks/.../labels/{NNNNN}.jpg   grey masks of some frames; the object is above 15
    ROOT/{split}.txt                            optional, one class/video/shot per line
The dataset has no official split; the .txt files are our own. Video: Prest et al., CVPR 2012;
masks: Jain & Grauman, ECCV 2014.
"""

import os
from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.clips import Clip
from datasets.errors import DatasetError
from datasets.files import IGNORE, open_rgb
from datasets.palette import Palette
from datasets.pascal_voc import pascal
from datasets.preprocess import ImageLike, preprocess
from datasets.reading.gate import is_folder, list_folders
from datasets.sources import find_root
from datasets.youtube_files import ShotName, fit, frame_number, list_numbers, open_mask, read_shots

CLASSES = (
    "background",
    "aeroplane",
    "bird",
    "boat",
    "car",
    "cat",
    "cow",
    "dog",
    "horse",
    "motorbike",
    "train",
)
OBJECT_LEVEL = 15  # grey levels above it are object: JPEG blurs the black and white of masks


def binary_mask(mask: npt.ArrayLike | Image.Image, level: int | None = None) -> np.ndarray:
    """Threshold a mask.

    Parameters
    ----------
    mask : array_like or PIL.Image.Image
        A grey mask, or one of 0 and 1.
    level : int, optional
        Threshold; by default OBJECT_LEVEL for a grey mask, 0 for a mask of 0 and 1.

    Returns
    -------
    ndarray of uint8
        1 where the mask is above `level`, else 0; of the mask's shape.
    """
    mask = np.asarray(mask)
    if level is None:
        level = OBJECT_LEVEL if mask.max(initial=0) > 1 else 0
    return (mask > level).astype(np.uint8)


def _from_voc_table():
    """Return the id in CLASSES of each VOC id as uint8[256]."""
    table = np.zeros(256, np.uint8)
    for k, name in enumerate(CLASSES):
        table[pascal.classes.index(name)] = k
    table[IGNORE] = IGNORE
    return table


class youtube:
    """The Youtube-Objects dataset.

    Frames and masks are named by their number. Methods that take an `idx` also accept the name
    of its file, 'frame0001' or '00001'.

    Parameters
    ----------
    root : path-like, optional
        Folder of the dataset; by default, where `datasets.sources.find_root` finds it.
    side : int
        Longer side to which frames and masks are resized, in pixels.

    Attributes
    ----------
    dir : Path
        Folder of the dataset.
    side : int
        Longer side of frames and masks.
    mean : ndarray of float32, 3
        Mean subtracted from images, BGR (that of VOC).
    classes : tuple of str
        Names of the 11 classes; 0 is the background.
    palette : Palette
        Colours of the classes (those of VOC).
    from_voc : ndarray of uint8, 256
        Id here of each VOC id, 0 for classes that only VOC has; `from_voc[label]` maps a label.

    Raises
    ------
    DatasetError
        If the dataset is not there, or `side` is below 1.
    """

    classes = CLASSES
    palette = Palette([pascal.palette[pascal.classes.index(name)] for name in CLASSES])
    mean = pascal.mean
    from_voc = _from_voc_table()

    def __init__(self, root: os.PathLike[str] | str | None = None, side: int = 500) -> None:
        self.dir = find_root("youtube", root, needs="v1")
        if side < 1:
            raise DatasetError(f"youtube(side={side}): give at least 1 pixel; the paper uses 500")
        self.side = side

    def list_vids(self, class_: str) -> list[str]:
        """List the names of the videos of `class_`; empty if the class has no folder."""
        return self._list_vids("v1", class_)

    def list_shots(self, class_: str, vid: str) -> list[str]:
        """List the names of the shots of a video."""
        return list_folders(self._video("v1", class_, vid))

    def list_frames(self, class_: str, vid: str, shot: str) -> list[int]:
        """List the numbers of the frames of a shot, in order; the first is 1."""
        return list_numbers(self._frame_folder(class_, vid, shot), "frame")

    def list_label_vids(self, class_: str) -> list[str]:
        """List the names of the videos of `class_` that have masks."""
        return self._list_vids("youtube_masks", class_)

    def list_label_shots(self, class_: str, vid: str) -> list[str]:
        """List the names of the shots of a video that have masks."""
        return list_folders(self._video("youtube_masks", class_, vid))

    def list_label_frames(self, class_: str, vid: str, shot: str) -> list[int]:
        """List the numbers of the frames of a shot that have a mask, in order."""
        return list_numbers(self._mask_folder(class_, vid, shot), "")

    def load_dataset(self, split: str | None = None) -> list[ShotName]:
        """List the shots that have masks.

        Parameters
        ----------
        split : str, optional
            Only list the shots in ROOT/{split}.txt.

        Returns
        -------
        list of (str, str, str)
            Class, video and name of each shot.

        Raises
        ------
        DatasetError
            If there are none, or a line of the list is not a shot with masks.
        """
        shots = [
            (class_, vid, shot)
            for class_ in self.classes[1:]
            for vid in self.list_label_vids(class_)
            for shot in self.list_label_shots(class_, vid)
        ]
        if not shots:
            raise DatasetError(
                f"{self.dir / 'youtube_masks'}: holds no masks; unpack the masks of "
                "Youtube-Objects v1 there, {class}/data/{video}/shots/{shot}/labels"
            )
        return shots if split is None else read_shots(self.dir / f"{split}.txt", shots)

    def load_frame(self, class_: str, vid: str, shot: str, idx: int | str) -> Image.Image:
        """Load frame `idx` of a shot as a PIL RGB image whose longer side is `side`."""
        im = open_rgb(self._frame_path(class_, vid, shot, idx))
        return im.resize(fit(im.size, self.side), Image.Resampling.BILINEAR)

    def load_mask(self, class_: str, vid: str, shot: str, idx: int | str) -> Image.Image:
        """Load the mask of a frame as stored: a grey PIL image, the object above OBJECT_LEVEL.

        It raises DatasetError as `load_label` does.
        """
        return self._open_mask(class_, vid, shot, idx)[0]

    def load_label(
        self, class_: str, vid: str, shot: str, idx: int | str, shape: tuple[int, ...] | None = None
    ) -> npt.NDArray[np.uint8]:
        """Load the mask of a frame as a label.

        Parameters
        ----------
        class_, vid, shot : str
            Class, video and name of the shot.
        idx : int or str
            The frame.
        shape : tuple of int, optional
            Shape of the label, ending in height and width; by default, that of the loaded frame.

        Returns
        -------
        ndarray of uint8, 1 x H x W
            1 on the object, else 0.

        Raises
        ------
        DatasetError
            If mask or frame is missing or damaged, or they differ in aspect ratio.
        """
        mask, size = self._open_mask(class_, vid, shot, idx)
        if shape is not None:
            size = shape[-1], shape[-2]
        return binary_mask(mask.resize(size, Image.Resampling.NEAREST), OBJECT_LEVEL)[np.newaxis]

    def make_label(self, label: npt.ArrayLike | Image.Image, class_: str) -> npt.NDArray[np.uint8]:
        """Convert a mask to a label of the 11 classes.

        Parameters
        ----------
        label : array_like or PIL.Image.Image
            A mask of 0 and 1 (from `load_label`) or a grey one (from `load_mask`).
        class_ : str
            Class of the object.

        Returns
        -------
        ndarray of uint8
            Id of the class on the object, else 0; of the mask's shape.

        Raises
        ------
        DatasetError
            If there is no such class.
        """
        return binary_mask(label) * np.uint8(self.classes.index(self._check_class(class_)))

    def convert_yt2voc_label(
        self, label: npt.ArrayLike | Image.Image, class_: str, voc_classes: Sequence[str]
    ) -> npt.NDArray[np.uint8]:
        """Convert a mask as `make_label` does, but to the id of the class in `voc_classes`."""
        return binary_mask(label) * np.uint8(voc_classes.index(self._check_class(class_)))

    def preprocess(self, im: ImageLike) -> npt.NDArray[np.float32]:
        """Convert an image to a net input: 3 x H x W float32, BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def clips(
        self,
        period: int = 10,
        split: str | None = None,
        warmup: int | None = None,
        ids: Literal["youtube", "voc"] = "youtube",
        label_period: int | None = None,
    ) -> list[Clip[int]]:
        """Return one clip for each shot with masks: every `period`-th frame, with its mask.

        The frames are in step with the first mask, from the start of the shot to its last mask.

        Parameters
        ----------
        period : int
            Use one of `period` frames; the paper calls it clock rate.
        split : str, optional
            Only use the shots in ROOT/{split}.txt.
        warmup : int, optional
            Number of the first frame with a label; the frames before it are run to fill the
            clock. By default 2 * period + 1, as in the paper.
        ids : {'youtube', 'voc'}
            Whether labels hold the 11 ids of this dataset or the 21 of VOC.
        label_period : int, optional
            Only label one of `label_period` frames, a multiple of `period`, so that clips of
            several periods are scored on the same frames. By default, `period`.

        Returns
        -------
        list of Clip
            The clips; shots without any label are left out.

        Raises
        ------
        DatasetError
            If an argument is out of range, or a frame is missing.
        """
        if period < 1 or ids not in ("youtube", "voc"):
            raise DatasetError(
                f"clips(period={period}, ids={ids!r}): the period is at least 1, "
                "ids 'youtube' or 'voc'"
            )
        label_period = label_period or period
        if label_period % period:
            raise DatasetError(
                f"label_period={label_period} is not a multiple of the period {period}"
            )
        warmup = 2 * period + 1 if warmup is None else warmup
        clips = []
        for shot in self.load_dataset(split):
            masks = set(self.list_label_frames(*shot))
            first, last = min(masks), max(masks)
            frames = list(range((first - 1) % period + 1, last + 1, period))
            scored = {n for n in masks if n >= warmup and (n - first) % label_period == 0}
            if scored:
                self._check_frames(shot, frames, scored)
                clips.append(
                    Clip(
                        "/".join(shot),
                        frames,
                        partial(self.load_frame, *shot),
                        partial(self._clip_label, shot, scored, ids),
                        self.preprocess,
                    )
                )
        return clips

    def _clip_label(self, shot, scored, ids, n):
        """Load the label of frame `n` of a shot, or return None if it is not scored."""
        if n not in scored:
            return None
        label = self.load_label(*shot, n)
        if ids == "voc":
            return self.convert_yt2voc_label(label, shot[0], pascal.classes)
        return self.make_label(label, shot[0])

    def _check_frames(self, shot, frames, scored):
        """Raise DatasetError if one of the `frames` of a shot is not there."""
        lost = sorted(set(frames) - set(self.list_frames(*shot)))
        for n in [n for n in lost if n in scored]:
            self._open_mask(*shot, n)  # raises: a mask without its frame
        if lost:
            raise DatasetError(
                f"{self._frame_path(*shot, lost[0])}: this frame is missing in the video before "
                "a mask; unpack the shot again"
            )

    def _open_mask(self, class_, vid, shot, idx):
        """Open the mask of a frame; return it with the size of the loaded frame."""
        mask = self._mask_folder(class_, vid, shot) / f"{frame_number(idx):05d}.jpg"
        return open_mask(mask, self._frame_path(class_, vid, shot, idx), self.side)

    def _check_class(self, class_):
        """Return `class_`, or raise DatasetError if it is unknown."""
        if class_ not in self.classes:
            raise DatasetError(
                f"Youtube-Objects has no class {class_!r}; it has {', '.join(self.classes[1:])}"
            )
        return class_

    def _list_vids(self, package, class_):
        """List the videos of a class in one of the packages."""
        folder = self.dir / package / self._check_class(class_) / "data"
        return list_folders(folder) if is_folder(folder) else []

    def _video(self, package, class_, vid):
        """Return the folder of the shots of a video."""
        return self.dir / package / self._check_class(class_) / "data" / str(vid) / "shots"

    def _frame_folder(self, class_, vid, shot):
        """Return the folder of the frames of a shot."""
        return self._video("v1", class_, vid) / str(shot)

    def _mask_folder(self, class_, vid, shot):
        """Return the folder of the masks of a shot."""
        return self._video("youtube_masks", class_, vid) / str(shot) / "labels"

    def _frame_path(self, class_, vid, shot, idx):
        """Return the path of a frame."""
        return self._frame_folder(class_, vid, shot) / f"frame{frame_number(idx):04d}.jpg"
