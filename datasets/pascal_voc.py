"""PASCAL VOC 2011: photographs of objects of 20 classes (Everingham et al., IJCV 2010).

Layout: ROOT/JPEGImages/{id}.jpg, ROOT/SegmentationClass/{id}.png (palette index = class), and the
lists of ids ROOT/ImageSets/Segmentation/{split}.txt. A window that moves over a still makes the
synthetic video of the paper's pipeline experiments.
"""

import os
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.boundaries import foreground_boundaries
from datasets.clips import Clip
from datasets.errors import DatasetError
from datasets.files import check_label_size, image_size, open_label, open_rgb, read_names
from datasets.frame_files import names_with
from datasets.palette import voc_palette
from datasets.preprocess import ImageLike, as_image, preprocess
from datasets.reading.gate import is_folder
from datasets.sources import find_root
from datasets.translate import Box, crop_label, translated_boxes

SEG11VALID = (
    "seg11valid, the 736 images of VOC2011 val that SBD does not train on, is "
    "data/pascal/seg11valid.txt of https://github.com/shelhamer/fcn.berkeleyvision.org"
)


class pascal:
    """The PASCAL VOC dataset. Images are named '{year}_{number}'.

    Parameters
    ----------
    root : path-like, optional
        Folder of the dataset (VOC2011); by default, where `datasets.sources.find_root` finds it.

    Attributes
    ----------
    dir : Path
        Folder of the dataset.
    mean : ndarray of float32, 3
        Mean subtracted from images, BGR.
    classes : tuple of str
        Names of the 21 classes; 0 is the background.
    palette : Palette
        Colours of the classes.

    Raises
    ------
    DatasetError
        If the dataset is not there.
    """

    classes = (
        "background",
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    )
    palette = voc_palette(len(classes))
    mean = np.array((104.00698793, 116.66876762, 122.67891434), np.float32)

    def __init__(self, root: os.PathLike[str] | str | None = None) -> None:
        self.dir = find_root("voc", root, needs="JPEGImages")

    def get_dset(self, split: str = "seg11valid") -> list[str]:
        """List the images of a split.

        Parameters
        ----------
        split : str
            Name of a list in ImageSets/Segmentation/.

        Returns
        -------
        list of str
            Names of the images, in the order of the list.

        Raises
        ------
        DatasetError
            If there is no such list, or it is empty.
        """
        lists = self.dir / "ImageSets" / "Segmentation"
        there = names_with(lists, ".txt") if is_folder(lists) else []
        splits = ", ".join(name.removesuffix(".txt") for name in there) or "none"
        return read_names(lists / f"{split}.txt", f"there is {splits}. {SEG11VALID}")

    def load_image(self, idx: str) -> Image.Image:
        """Load image `idx` as a PIL RGB image (official data: longer side of 500 pixels)."""
        return open_rgb(self._image_path(idx))

    def load_label(self, idx: str) -> npt.NDArray[np.uint8]:
        """Load the label of an image.

        Parameters
        ----------
        idx : str
            Name of the image.

        Returns
        -------
        ndarray of uint8, 1 x H x W
            0 for background, classes 1..20, 255 = ignore.

        Raises
        ------
        DatasetError
            If the file is missing, damaged, holds a value out of range, or differs in size from
            its image.
        """
        path = self.dir / "SegmentationClass" / f"{idx}.png"
        label = open_label(path, len(self.classes), image_size(self._image_path(idx)))
        return label[np.newaxis]

    def preprocess(self, im: ImageLike) -> npt.NDArray[np.float32]:
        """Convert an image to a net input: 3 x H x W float32, BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(
        self, label: npt.NDArray[np.uint8], thickness: int
    ) -> npt.NDArray[np.bool_]:
        """Find the pixels within `thickness` pixels of the edge of the foreground (H x W bool)."""
        return foreground_boundaries(label, thickness)

    def make_translated_frames(
        self, im: ImageLike, label: np.ndarray | None, shift: float, num_frames: int
    ) -> tuple[list[Image.Image], list[np.ndarray] | list[None]]:
        """Make video from a still by moving a window over it.

        The window moves along the longer side, from its start to its end, and is
        shift * (num_frames - 1) pixels shorter than it. It spans the other side.

        Parameters
        ----------
        im : PIL.Image.Image or ndarray of uint8, H x W x 3
            The still.
        label : ndarray, H x W or 1 x H x W, or None
            Its label.
        shift : float
            Pixels per frame: a whole number, 0 or more.
        num_frames : int
            Number of frames.

        Returns
        -------
        frames : list of PIL.Image.Image
            The frames.
        labels : list of ndarray or list of None
            Their labels, with as many axes as `label`; None for each frame without `label`.

        Raises
        ------
        DatasetError
            If the image is too short for so many frames, or differs in size from its label.
        """
        im = as_image(im)
        if label is not None:
            size = np.shape(label)[:-3:-1]
            check_label_size("make_translated_frames", size, im.size, "its image")
        boxes = translated_boxes(im.size, shift, num_frames)
        frames = [im.crop(box) for box in boxes]
        if label is None:
            return frames, [None] * num_frames
        return frames, [crop_label(label, box) for box in boxes]

    def clips(
        self, split: str = "seg11valid", shift: float = 16, num_frames: int = 6, warmup: int = 0
    ) -> list[Clip[tuple[int, Box]]]:
        """Return one clip of translated frames for each image of a split.

        Parameters
        ----------
        split : str
            Name of a list in ImageSets/Segmentation/.
        shift : float
            Pixels per frame: 16 is the paper's slower video, 32 its faster one.
        num_frames : int
            Frames per clip.
        warmup : int
            Number of frames without label at the start, run to fill a pipeline. The paper scores
            from the third frame on (2).

        Returns
        -------
        list of Clip
            The clips.

        Raises
        ------
        DatasetError
            If `warmup` leaves no frame to score, or an image is missing or too short.
        """
        if warmup and not 0 < warmup < num_frames:
            raise DatasetError(
                f"warmup={warmup}: give 0 or more, and less than the {num_frames} frames of a "
                "clip, to leave at least one to score"
            )
        return [self._clip(idx, shift, num_frames, warmup) for idx in self.get_dset(split)]

    def _clip(self, idx, shift, num_frames, warmup):
        """Return the clip of image `idx`; its frames are identified by (number, box)."""
        path = self._image_path(idx)
        boxes = translated_boxes(image_size(path), shift, num_frames, path)
        return Clip(
            f"voc/{idx}",
            enumerate(boxes),
            partial(self._load_frame, idx),
            partial(self._load_frame_label, idx, warmup),
            self.preprocess,
        )

    def _load_frame(self, idx, frame):
        """Load a translated frame of image `idx`."""
        _, box = frame
        return self.load_image(idx).crop(box)

    def _load_frame_label(self, idx, warmup, frame):
        """Load the label of a translated frame, or return None during warm-up."""
        number, box = frame
        return None if number < warmup else crop_label(self.load_label(idx), box)

    def _image_path(self, idx):
        """Return the path of image `idx`."""
        return self.dir / "JPEGImages" / f"{idx}.jpg"
