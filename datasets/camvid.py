"""CamVid, the SegNet edition: street video at 480 x 360 with 11 classes (Brostow et al. 2009).

Layout: ROOT/{split}/{seq}_{frame}.png|jpg and ROOT/{split}annot/{seq}_{frame}.png.
`val` is one sequence, 0016E5 at 15 Hz, in which every frame is labelled; the frames of the
other splits are a second apart.
"""

from functools import partial

import numpy as np

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import IGNORE, image_size, open_label, open_rgb
from datasets.palette import Palette
from datasets.preprocess import preprocess
from datasets.sources import find_root

IMAGE_SUFFIXES = (".png", ".jpg")
UNLABELLED = 11  # the index that the annotations use where we use IGNORE


class camvid:
    """CamVid at `root`, or where datasets.sources.find_root finds it.

    Attributes: dir (Path), mean (3 BGR floats), classes (11 names), palette (a Palette of 11).
    Frames are named '{seq}_{frame}'. Raises DatasetError if the dataset is not there.
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
    # The colours in which SegNet paints these classes; but for the pavement those of CamVid.
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
    # Measured over all pixels of the 367 train frames.
    mean = np.array((110.248, 108.357, 104.985), np.float32)

    def __init__(self, root=None):
        self.dir = find_root("camvid", root, needs="valannot")

    def get_dset(self, split):
        """Names of the frames of `split` ('train', 'val' or 'test'), by sequence and time."""
        folder = self.dir / split
        if not folder.is_dir():
            raise DatasetError(
                f"{folder}: CamVid has no split {split!r} here; there is {self._splits()}"
            )
        names = sorted(f.stem for f in folder.iterdir() if f.suffix in IMAGE_SUFFIXES)
        if not names:
            raise DatasetError(f"{folder}: no .png or .jpg frame in it; copy the split again")
        return names

    def list_sequences(self, split):
        """The video sequences of `split`, such as '0016E5'."""
        return sorted({name.split("_")[0] for name in self.get_dset(split)})

    def list_frames(self, split, sequence):
        """Names of the frames of one sequence of `split`, in time order."""
        frames = [name for name in self.get_dset(split) if name.split("_")[0] == sequence]
        if not frames:
            raise DatasetError(
                f"{self.dir / split}: no frame of sequence {sequence!r}; there is "
                f"{', '.join(self.list_sequences(split))}"
            )
        return frames

    def load_image(self, split, idx):
        """Frame `idx` of `split` as a 480 x 360 PIL RGB image."""
        return open_rgb(self._image_path(split, idx))

    def load_label(self, split, idx):
        """Label of frame `idx` as 1 x H x W uint8: 0..10, 255 where unlabelled.

        Raises DatasetError if the file is missing, damaged, out of range or not of the frame's
        size.
        """
        size = image_size(self._image_path(split, idx))
        label = open_label(self.dir / f"{split}annot" / f"{idx}.png", UNLABELLED + 1, size)
        label[label == UNLABELLED] = IGNORE
        return label[np.newaxis]

    def preprocess(self, im):
        """PIL image to net input: 3 x H x W float32 BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(self, label, thickness):
        """H x W bool: labelled pixels with another class within `thickness` pixels."""
        return class_boundaries(label, thickness)

    def clips(self, split, length=None):
        """The clips of `split` as a list of Clip.

        `val` is video: one clip a sequence, or consecutive clips of `length` frames (the last
        may be shorter). The frames of other splits are a second apart, too far for video, so
        each is a clip of its own unless a `length` asks for more. Raises DatasetError where
        `length` is below 1.
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
        return Clip(
            f"camvid/{split}/{frames[0]}",
            frames,
            partial(self.load_image, split),
            partial(self.load_label, split),
            self.preprocess,
        )

    def _image_path(self, split, idx):
        paths = [self.dir / split / f"{idx}{suffix}" for suffix in IMAGE_SUFFIXES]
        for path in paths:
            if path.is_file():
                return path
        raise DatasetError(
            f"{self.dir / split}: no frame {idx!r} (looked for "
            f"{' and '.join(p.name for p in paths)})"
        )

    def _splits(self):
        found = sorted(f.name for f in self.dir.iterdir() if (self.dir / f"{f.name}annot").is_dir())
        return ", ".join(found) or "none"
