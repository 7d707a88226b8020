"""NYUDv2: rooms filmed by hand, 40 classes (Silberman et al., 2012; Gupta et al., 2013).

Layout:
    ROOT/images/img_{id}.png            the labelled images, 560 x 425
    ROOT/segmentation/img_{id}.mat      their labels: 'segmentation', 1..40, 0 = ignore
    ROOT/{split}.txt or .mat            ids of train, val and test, one per line or as 'split_ids'
    ROOT/raw/{video}/r-{time}-{n}.ppm   the video, 640 x 480 (d- files are depth and not read)
    ROOT/{split}_rawImages.txt          video/frame.ext of each id of the split, line by line; a
                                        blank line if unknown; officially only for test
A labelled image is a window of its raw frame.

The names of raw frames tell their times, and the camera dropped frames of its own accord. So a raw
frame that is missing is an error only where a list, or a call, names it; for gaps compare the times
of `list_frames` with `datasets.raw_video.frame_time`.
"""

import os
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.boundaries import class_boundaries
from datasets.clips import Clip, check_length
from datasets.errors import DatasetError
from datasets.files import check_label_size, image_size, open_rgb
from datasets.nyud_files import RawFrame, read_ids, read_label, read_raw_frames
from datasets.palette import Palette, voc_palette
from datasets.preprocess import ImageLike, as_image, preprocess
from datasets.raw_video import every, frame_name, list_raw_frames, raw_frame_path
from datasets.reading.gate import list_folders
from datasets.sources import find_root

RAW_SIZE = 640, 480  # width and height of a raw frame
LABELLED_WINDOW = 40, 44, 600, 469  # left, top, right, bottom in a frame of RAW_SIZE


class nyud:
    """The NYUDv2 dataset.

    Labelled images are named by their id, such as '5001'; raw frames by their file name without
    suffix, such as 'r-1294890493.094019-1806686197'.

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
        Names of the 40 classes.
    num_classes : int
        40.
    palette : Palette
        Colours of the classes.

    Raises
    ------
    DatasetError
        If the dataset is not there.
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
        "refridgerator",  # spelled as in the dataset
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

    def __init__(self, root: os.PathLike[str] | str | None = None) -> None:
        self.dir = find_root("nyud", root, needs="images")

    def get_dset(self, split: str = "test", raw: bool = False) -> list[str] | list[RawFrame | None]:
        """List the labelled images of a split, or the raw frames they were cropped from.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'; 'raw' stands for 'test' with `raw`.
        raw : bool
            Whether to list raw frames.

        Returns
        -------
        list of str, or list of ((str, str) or None)
            Ids of the images; with `raw`, their (video, frame), None if unknown.

        Raises
        ------
        DatasetError
            If a list is missing or damaged.
        """
        if split == "raw":
            split, raw = "test", True
        ids = read_ids(self.dir, split)
        return read_raw_frames(self.dir, split, ids) if raw else ids

    def raw_frame(self, split: str, idx: str | int) -> RawFrame:
        """Return the raw frame that an image was cropped from.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.
        idx : str or int
            Id of the image.

        Returns
        -------
        (str, str)
            The video and the frame.

        Raises
        ------
        DatasetError
            If the lists do not name the frame.
        """
        frame = dict(self._ids_and_raw_frames(split)).get(str(idx))
        if frame is None:
            raise DatasetError(
                f"{self.dir / split}_rawImages.txt: does not name the raw frame of "
                f"image {str(idx)!r}; is it in {split}.txt?"
            )
        return frame

    def list_vids(self, split: str | None = None) -> list[str]:
        """List raw videos.

        Parameters
        ----------
        split : str, optional
            Only list the videos that images of this split were cropped from.

        Returns
        -------
        list of str
            Names of the videos, sorted.

        Raises
        ------
        DatasetError
            If there are no videos, or a list of the split is missing.
        """
        if split is not None:
            return sorted({frame[0] for frame in self.get_dset(split, raw=True) if frame})
        raw = self.dir / "raw"
        vids = list_folders(raw, "no such folder; unpack the raw video there")
        if not vids:
            raise DatasetError(f"{raw}: holds no videos; unpack the raw video there")
        return vids

    def list_frames(self, vid: str) -> list[str]:
        """List the names of the frames of video `vid`, in time order."""
        return list_raw_frames(self._video(vid))

    def list_preceding_frames(self, skip: int, vid: str, gt_frame: str) -> list[RawFrame]:
        """List every `skip`-th frame of a video up to and including a given one.

        Parameters
        ----------
        skip : int
            Keep one of `skip` frames.
        vid : str
            Name of the video.
        gt_frame : str
            Name of the last frame.

        Returns
        -------
        list of (str, str)
            (vid, frame) in time order.

        Raises
        ------
        DatasetError
            If the frame is not in the video, or `skip` is below 1.
        """
        frames = self.list_frames(vid)
        past = frames[: 1 + self._position(frames, vid, gt_frame)]
        return [(vid, frame) for frame in every(skip, past, through=len(past) - 1)]

    def list_subsampled_frames(self, vid: str, gt_frame: str, skip: int) -> list[str]:
        """List every `skip`-th frame of a whole video, in step with a given one.

        Parameters
        ----------
        vid : str
            Name of the video.
        gt_frame : str
            Name of a frame to include.
        skip : int
            Keep one of `skip` frames.

        Returns
        -------
        list of str
            Names of the frames, in time order.

        Raises
        ------
        DatasetError
            If the frame is not in the video, or `skip` is below 1.
        """
        frames = self.list_frames(vid)
        return every(skip, frames, through=self._position(frames, vid, gt_frame))

    def load_raw_image(self, vid: str, frame: str) -> Image.Image:
        """Load a frame of a raw video as a PIL RGB image (official data: 640 x 480)."""
        return open_rgb(raw_frame_path(self._video(vid), frame))

    def load_image(self, idx: str | int) -> Image.Image:
        """Load labelled image `idx` as a PIL RGB image (official data: 560 x 425)."""
        return open_rgb(self._image_path(idx))

    load_seg_image = load_image  # its name in the paper's notebooks

    def load_label(self, idx: str | int) -> npt.NDArray[np.uint8]:
        """Load the label of an image.

        Parameters
        ----------
        idx : str or int
            Id of the image.

        Returns
        -------
        ndarray of uint8, 1 x H x W
            Classes 0..39, 255 = ignore.

        Raises
        ------
        DatasetError
            If the file is missing, damaged, holds a value out of range, or differs in size from
            its image.
        """
        size = image_size(self._image_path(idx))
        return read_label(self._label_path(idx), self.num_classes, size)[np.newaxis]

    def crop_frame(self, frame: ImageLike) -> Image.Image:
        """Crop a raw frame to the window that labels cover, scaled to the size of the frame."""
        frame = as_image(frame)
        return frame.crop(labelled_window(frame.size))

    def preprocess(self, im: ImageLike) -> npt.NDArray[np.float32]:
        """Convert an image to a net input: 3 x H x W float32, BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(
        self, label: npt.NDArray[np.uint8], thickness: int
    ) -> npt.NDArray[np.bool_]:
        """Find the labelled pixels with another class within `thickness` pixels (H x W bool)."""
        return class_boundaries(label, thickness)

    def clips(self, split: str = "test", length: int = 20, skip: int = 1) -> list[Clip[RawFrame]]:
        """Return one clip for each image of a split with a known raw frame, its last frame.

        Parameters
        ----------
        split : str
            'train', 'val' or 'test'.
        length : int
            Frames per clip; fewer if the video starts later.
        skip : int
            Use one of `skip` frames of the video.

        Returns
        -------
        list of Clip
            The clips, cropped to the labelled window. Frames before the last have a label too if
            an image of `split` was cropped from them.

        Raises
        ------
        DatasetError
            If a list, video or frame is missing, or `length` or `skip` is below 1.
        """
        check_length(length)
        labelled = {frame: idx for idx, frame in self._ids_and_raw_frames(split) if frame}
        return [
            self._clip(
                f"nyud/{split}/{idx}", self.list_preceding_frames(skip, *frame)[-length:], labelled
            )
            for frame, idx in labelled.items()
        ]

    def videos(self, split: str | None = None, skip: int = 1) -> list[Clip[RawFrame]]:
        """Return whole videos as clips without labels, which suffice to choose clock rates.

        Parameters
        ----------
        split : str, optional
            Only return the videos of `list_vids(split)`.
        skip : int
            Use one of `skip` frames.

        Returns
        -------
        list of Clip
            The videos, cropped to the labelled window.

        Raises
        ------
        DatasetError
            If a list or video is missing, or `skip` is below 1.
        """
        return [
            self._clip(
                f"nyud/{vid}", [(vid, frame) for frame in every(skip, self.list_frames(vid))], {}
            )
            for vid in self.list_vids(split)
        ]

    def _ids_and_raw_frames(self, split):
        """Return (id, raw frame or None) of each image of `split`."""
        ids = read_ids(self.dir, split)
        return list(zip(ids, read_raw_frames(self.dir, split, ids)))

    def _clip(self, name, frames, labelled):
        """Return a clip; `labelled` maps the frames that have a label to their ids."""
        return Clip(
            name,
            frames,
            self._load_frame,
            partial(self._load_frame_label, labelled),
            self.preprocess,
        )

    def _load_frame(self, frame):
        """Load a raw frame, cropped."""
        return self.crop_frame(self.load_raw_image(*frame))

    def _load_frame_label(self, labelled, frame):
        """Load the label of a raw frame and check its size, or return None if it has none."""
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
        """Return the index of `frame` in the frames of video `vid`."""
        frame = frame_name(frame)
        if frame not in frames:
            raise DatasetError(
                f"{self._video(vid) / frame}: no such frame in this video of "
                f"{len(frames)} frames; is the raw video unpacked completely?"
            )
        return frames.index(frame)

    def _video(self, vid):
        """Return the folder of a raw video."""
        return self.dir / "raw" / vid

    def _image_path(self, idx):
        """Return the path of image `idx`."""
        return self.dir / "images" / f"img_{idx}.png"

    def _label_path(self, idx):
        """Return the path of the label of image `idx`."""
        return self.dir / "segmentation" / f"img_{idx}.mat"


def labelled_window(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return LABELLED_WINDOW scaled to a raw frame of `size` (width, height), rounded down."""
    left, top, right, bottom = (
        edge * size[k % 2] // RAW_SIZE[k % 2] for k, edge in enumerate(LABELLED_WINDOW)
    )
    return left, top, right, bottom
