"""NYUDv2: rooms filmed by hand, with 40 classes (Silberman et al. 2012; Gupta et al. 2013).

Layout:
    ROOT/images/img_{id}.png            the labelled images, 560 x 425
    ROOT/segmentation/img_{id}.mat      their labels: 'segmentation', 1..40, 0 = ignore
    ROOT/{split}.txt or .mat            ids of train, val and test, one a line or as 'split_ids'
    ROOT/raw/{video}/r-{time}-{n}.ppm   the video, 640 x 480 (d- files are depth, not read)
    ROOT/{split}_rawImages.txt          video/frame.ext of each id of the split, line by line; a
                                        blank line where it is not known; officially only for test
A labelled image is a window of its raw frame.
"""

from functools import partial

import numpy as np

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import check_label_size, image_size, open_rgb
from datasets.nyud_files import read_ids, read_label, read_raw_frames
from datasets.palette import Palette, voc_palette
from datasets.preprocess import as_image, preprocess
from datasets.raw_video import every, frame_name, list_raw_frames, raw_frame_path
from datasets.sources import find_root

RAW_SIZE = 640, 480  # width and height of a raw frame
LABELLED_WINDOW = 40, 44, 600, 469  # left, top, right, bottom in a frame of RAW_SIZE


class nyud:
    """NYUDv2 at `root`, or where datasets.sources.find_root finds it.

    Attributes: dir (Path), mean (3 BGR floats), classes (40 names), palette (a Palette of 40).
    Labelled images are named by their id, '5001', raw frames by their file without its suffix,
    'r-1294890493.094019-1806686197'. Raises DatasetError if the dataset is not there.
    """

    classes = (
        "wall",
        "floor",
        "cabinet",
        "bed",
        "chair",
        "sofa",
        "table",
        "door",
        "window",
        "bookshelf",
        "picture",
        "counter",
        "blinds",
        "desk",
        "shelves",
        "curtain",
        "dresser",
        "pillow",
        "mirror",
        "floor mat",
        "clothes",
        "ceiling",
        "books",
        "refridgerator",  # as the dataset spells it
        "television",
        "paper",
        "towel",
        "shower curtain",
        "box",
        "whiteboard",
        "person",
        "night stand",
        "toilet",
        "sink",
        "lamp",
        "bathtub",
        "bag",
        "otherstructure",
        "otherfurniture",
        "otherprop",
    )
    num_classes = len(classes)
    palette = Palette(np.asarray(voc_palette(1 + num_classes))[1:])  # no class is black
    mean = np.array((116.2, 97.2, 92.3), np.float32)

    def __init__(self, root=None):
        self.dir = find_root("nyud", root, needs="images")

    def get_dset(self, split="test", raw=False):
        """Ids of the labelled images of `split`: 'train', 'val' or 'test'.

        raw=True gives the (video, frame) that each was cut from instead, None where it is not
        known; get_dset('raw') is that of 'test'.
        """
        if split == "raw":
            split, raw = "test", True
        ids = read_ids(self.dir, split)
        return read_raw_frames(self.dir, split, ids) if raw else ids

    def raw_frame(self, split, idx):
        """The (video, frame) that image `idx` of `split` was cut from.

        Raises DatasetError if the lists do not tell.
        """
        idx = str(idx)
        known = dict(zip(self.get_dset(split), self.get_dset(split, raw=True), strict=True))
        if known.get(idx) is None:
            raise DatasetError(
                f"{self.dir / split}_rawImages.txt: does not tell the raw frame of "
                f"image {idx!r}; is it in {split}.txt?"
            )
        return known[idx]

    def list_vids(self, split=None):
        """The raw videos that images of `split` were cut from, or all that are there."""
        if split is not None:
            return sorted({frame[0] for frame in self.get_dset(split, raw=True) if frame})
        vids = sorted(f.name for f in (self.dir / "raw").glob("*") if f.is_dir())
        if not vids:
            raise DatasetError(f"{self.dir / 'raw'}: holds no videos; unpack the raw video there")
        return vids

    def list_frames(self, vid):
        """Names of the frames of video `vid`, in time order."""
        return list_raw_frames(self._video(vid))

    def list_preceding_frames(self, skip, vid, gt_frame):
        """Every `skip`-th frame up to `gt_frame` and that one, as (vid, frame) in time order."""
        frames = self.list_frames(vid)
        past = frames[: 1 + self._position(frames, vid, gt_frame)]
        return [(vid, frame) for frame in every(skip, past, through=len(past) - 1)]

    def list_subsampled_frames(self, vid, gt_frame, skip):
        """Names of every `skip`-th frame of the whole video, in step with `gt_frame`."""
        frames = self.list_frames(vid)
        return every(skip, frames, through=self._position(frames, vid, gt_frame))

    def load_raw_image(self, vid, frame):
        """Frame of a raw video as a PIL RGB image (640 x 480 in the official data)."""
        return open_rgb(raw_frame_path(self._video(vid), frame))

    def load_image(self, idx):
        """Labelled image `idx` as a PIL RGB image (560 x 425 in the official data)."""
        return open_rgb(self._image_path(idx))

    load_seg_image = load_image  # what the paper's notebooks call it

    def load_label(self, idx):
        """Label of image `idx` as 1 x H x W uint8: 0..39, 255 = ignore.

        Raises DatasetError if the file is missing, damaged, out of range or not of the image's
        size.
        """
        size = image_size(self._image_path(idx))
        return read_label(self._label_path(idx), self.num_classes, size)[np.newaxis]

    def crop_frame(self, frame):
        """The window of a raw frame that labels cover, as a PIL image.

        It is scaled to the size of `frame`, a PIL image or H x W x 3 uint8.
        """
        frame = as_image(frame)
        return frame.crop(labelled_window(frame.size))

    def preprocess(self, im):
        """PIL image to net input: 3 x H x W float32 BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(self, label, thickness):
        """H x W bool: labelled pixels with another class within `thickness` pixels."""
        return class_boundaries(label, thickness)

    def clips(self, split="test", length=20, skip=1):
        """One Clip for each image of `split` whose raw frame is known, ending in that frame.

        It has `length` frames, every `skip`-th of the video; fewer where the video starts later.
        Frames are cropped to the labelled window, and have a label if they are the raw frame of an
        image of `split`, which those before the last may be too. Raises DatasetError naming what
        is missing.
        """
        check_length(length)
        ids, frames = self.get_dset(split), self.get_dset(split, raw=True)
        labelled = {frame: idx for idx, frame in zip(ids, frames, strict=True) if frame}
        return [
            self._clip(
                f"nyud/{split}/{idx}", self.list_preceding_frames(skip, *frame)[-length:], labelled
            )
            for frame, idx in labelled.items()
        ]

    def videos(self, split=None, skip=1):
        """Each of list_vids(split) as a Clip without labels of every `skip`-th frame, cropped.

        To choose clock rates on, which needs no labels.
        """
        return [
            self._clip(
                f"nyud/{vid}", [(vid, frame) for frame in every(skip, self.list_frames(vid))], {}
            )
            for vid in self.list_vids(split)
        ]

    def _clip(self, name, frames, labelled):
        return Clip(
            name,
            frames,
            self._load_frame,
            partial(self._load_frame_label, labelled),
            self.preprocess,
        )

    def _load_frame(self, frame):
        return self.crop_frame(self.load_raw_image(*frame))

    def _load_frame_label(self, labelled, frame):
        if frame not in labelled:
            return None
        label = self.load_label(labelled[frame])
        raw = raw_frame_path(self._video(frame[0]), frame[1])
        left, top, right, bottom = labelled_window(image_size(raw))
        check_label_size(
            self._label_path(labelled[frame]),
            label.shape[:0:-1],
            (right - left, bottom - top),
            f"the labelled window of {raw}",
        )
        return label

    def _position(self, frames, vid, frame):
        frame = frame_name(frame)
        if frame not in frames:
            raise DatasetError(
                f"{self._video(vid) / frame}: no such frame in this video of "
                f"{len(frames)} frames; is the raw video unpacked completely?"
            )
        return frames.index(frame)

    def _video(self, vid):
        return self.dir / "raw" / vid

    def _image_path(self, idx):
        return self.dir / "images" / f"img_{idx}.png"

    def _label_path(self, idx):
        return self.dir / "segmentation" / f"img_{idx}.mat"


def labelled_window(size):
    """LABELLED_WINDOW in a raw frame of `size` (width, height), with edges rounded down."""
    return tuple(edge * size[k % 2] // RAW_SIZE[k % 2] for k, edge in enumerate(LABELLED_WINDOW))
