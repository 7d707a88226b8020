"""Youtube-Objects v1 with the masks of Jain & Grauman: video of 10 classes of object, one a shot.

Layout (... is {class}/data/{video}/shots/{shot}):
    ROOT/v1/.../frame{NNNN}.jpg                 the frames, numbered from 1
    ROOT/youtube_masks/.../labels/{NNNNN}.jpg   grey masks of some frames: above 15 is the object
    ROOT/{split}.txt                            optional, one class/video/shot a line
The dataset has no official split; the .txt files are ours. Video: Prest et al., CVPR 2012; masks:
Jain & Grauman, ECCV 2014.
"""

from functools import partial

import numpy as np
from PIL import Image

from datasets.clips import Clip
from datasets.errors import DatasetError
from datasets.files import IGNORE, open_rgb
from datasets.palette import Palette
from datasets.pascal_voc import pascal
from datasets.preprocess import preprocess
from datasets.sources import find_root
from datasets.youtube_files import fit, list_folders, list_numbers, number, open_mask, read_shots

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
OBJECT_LEVEL = 15  # of a mask: JPEG smears its black and white, grey levels above are the object


def object_of(mask, level=None):
    """1 where `mask`, an array or grey image, is above `level`, 0 elsewhere, as uint8.

    Without a level a mask of 0 and 1 is taken as it is, and a grey one at OBJECT_LEVEL.
    """
    mask = np.asarray(mask)
    if level is None:
        level = OBJECT_LEVEL if mask.max(initial=0) > 1 else 0
    return (mask > level).astype(np.uint8)


def _from_voc_table():
    table = np.zeros(256, np.uint8)
    for k, name in enumerate(CLASSES):
        table[pascal.classes.index(name)] = k
    table[IGNORE] = IGNORE
    return table


class youtube:
    """Youtube-Objects at `root`, or where datasets.sources.find_root finds it.

    Frames and masks are resized so that their longer side has `side` pixels.

    Attributes: dir (Path), side, mean (3 BGR floats), classes (11 names), palette (a Palette of
    11, the colours of VOC), from_voc (uint8[256]: the id here of a VOC id, 0 for classes that
    only VOC has; from_voc[label] maps a label). Frames and masks go by their number; methods that
    take an `idx` also take the name of its file, 'frame0001' or '00001'. Raises DatasetError if
    the dataset is not there, or the side is below 1.
    """

    classes = CLASSES
    palette = Palette([pascal.palette[pascal.classes.index(name)] for name in CLASSES])
    mean = pascal.mean
    from_voc = _from_voc_table()

    def __init__(self, root=None, side=500):
        self.dir = find_root("youtube", root, needs="v1")
        if side < 1:
            raise DatasetError(f"youtube(side={side}): give at least 1 pixel; the paper takes 500")
        self.side = side

    def list_vids(self, class_):
        """Names of the videos of `class_`; none where the class has no folder."""
        return self._list_vids("v1", class_)

    def list_shots(self, class_, vid):
        """Names of the shots of a video."""
        return list_folders(self._video("v1", class_, vid))

    def list_frames(self, class_, vid, shot):
        """Numbers of the frames of a shot, in order; the first is 1."""
        return list_numbers(self._frame_folder(class_, vid, shot), "frame")

    def list_label_vids(self, class_):
        """Names of the videos of `class_` that have masks."""
        return self._list_vids("youtube_masks", class_)

    def list_label_shots(self, class_, vid):
        """Names of the shots of a video that have masks."""
        return list_folders(self._video("youtube_masks", class_, vid))

    def list_label_frames(self, class_, vid, shot):
        """Numbers of the frames of a shot that have a mask, in order."""
        return list_numbers(self._mask_folder(class_, vid, shot), "")

    def load_dataset(self, split=None):
        """All (class, video, shot) that have masks, or those that ROOT/{split}.txt lists.

        Raises DatasetError if there are none, or for a line that names no shot with masks.
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
        return shots if split is None else read_shots(self.dir / f"{split}.txt", set(shots))

    def load_frame(self, class_, vid, shot, idx):
        """Frame `idx` as a PIL RGB image whose longer side is `side`."""
        im = open_rgb(self._frame_path(class_, vid, shot, idx))
        return im.resize(fit(im.size, self.side), Image.BILINEAR)

    def load_mask(self, class_, vid, shot, idx):
        """Mask of frame `idx` as its file holds it, a grey PIL image: above OBJECT_LEVEL is object.

        Raises DatasetError as load_label does, which makes a label of it.
        """
        return self._open_mask(class_, vid, shot, idx)[0]

    def load_label(self, class_, vid, shot, idx, shape=None):
        """Mask of frame `idx` as 1 x H x W uint8: 1 on the object, 0 elsewhere.

        It has the size of the loaded frame, or the (height, width) `shape`. Raises DatasetError
        if mask or frame is missing or damaged, or if they differ in their aspect ratio.
        """
        mask, size = self._open_mask(class_, vid, shot, idx)
        if shape is not None:
            size = shape[-1], shape[-2]
        return object_of(mask.resize(size, Image.NEAREST), OBJECT_LEVEL)[np.newaxis]

    def make_label(self, label, class_):
        """The 11-class id of `class_` on the object, 0 elsewhere (uint8, the shape of `label`).

        label: a mask of 0 and 1 (load_label), or a grey one (load_mask).
        """
        return object_of(label) * np.uint8(self.classes.index(self._known(class_)))

    def convert_yt2voc_label(self, label, class_, voc_classes):
        """As make_label, with the id that `class_` has in `voc_classes`."""
        return object_of(label) * np.uint8(voc_classes.index(self._known(class_)))

    def preprocess(self, im):
        """PIL image to net input: 3 x H x W float32 BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def clips(self, period=10, split=None, warmup=None, ids="youtube", label_period=None):
        """One Clip for each shot of load_dataset(split): every `period`-th frame, with its mask.

        The frames are those in step with the first mask, from the start of the shot to its last
        mask. Frames before number `warmup` (2 * period + 1, as in the paper, where the period is
        called clock rate) are run to fill the clock, but have no label. Labels hold the 11 ids,
        or the 21 of VOC for ids='voc'. With a `label_period`, a multiple of `period`, only its
        frames have labels, so that clips of several periods can be scored on the same frames. A
        shot with no label left is left out.
        """
        if period < 1 or ids not in ("youtube", "voc"):
            raise DatasetError(
                f"clips(period={period}, ids={ids!r}): the period is at least 1, "
                "ids 'youtube' or 'voc'"
            )
        label_period = label_period or period
        if label_period % period:
            raise DatasetError(f"label_period={label_period} is no multiple of the period {period}")
        warmup = 2 * period + 1 if warmup is None else warmup
        clips = []
        for name in self.load_dataset(split):
            masks = set(self.list_label_frames(*name))
            frames = [
                n
                for n in self.list_frames(*name)
                if (n - min(masks)) % period == 0 and n <= max(masks)
            ]
            scored = {n for n in masks if n >= warmup and (n - min(masks)) % label_period == 0}
            for n in sorted(scored - set(frames)):
                self._open_mask(*name, n)  # raises: a mask without its frame
            if scored:
                clips.append(
                    Clip(
                        "/".join(name),
                        frames,
                        partial(self.load_frame, *name),
                        partial(self._clip_label, name, scored, ids),
                        self.preprocess,
                    )
                )
        return clips

    def _clip_label(self, name, scored, ids, n):
        if n not in scored:
            return None
        label = self.load_label(*name, n)
        if ids == "voc":
            return self.convert_yt2voc_label(label, name[0], pascal.classes)
        return self.make_label(label, name[0])

    def _open_mask(self, class_, vid, shot, idx):
        mask = self._mask_folder(class_, vid, shot) / f"{number(idx):05d}.jpg"
        return open_mask(mask, self._frame_path(class_, vid, shot, idx), self.side)

    def _known(self, class_):
        if class_ not in self.classes:
            raise DatasetError(
                f"Youtube-Objects has no class {class_!r}; it has {', '.join(self.classes[1:])}"
            )
        return class_

    def _list_vids(self, package, class_):
        folder = self.dir / package / self._known(class_) / "data"
        return list_folders(folder) if folder.is_dir() else []

    def _video(self, package, class_, vid):
        return self.dir / package / self._known(class_) / "data" / str(vid) / "shots"

    def _frame_folder(self, class_, vid, shot):
        return self._video("v1", class_, vid) / str(shot)

    def _mask_folder(self, class_, vid, shot):
        return self._video("youtube_masks", class_, vid) / str(shot) / "labels"

    def _frame_path(self, class_, vid, shot, idx):
        return self._frame_folder(class_, vid, shot) / f"frame{number(idx):04d}.jpg"
