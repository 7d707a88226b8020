"""PASCAL VOC 2011: photographs of objects of 20 classes (Everingham et al., IJCV 2010).

Layout: ROOT/JPEGImages/{id}.jpg, ROOT/SegmentationClass/{id}.png (the class as palette index) and
the lists of ids ROOT/ImageSets/Segmentation/{split}.txt. Stills become video by moving a window
over them: the synthetic video of the paper's pipeline experiments.
"""

from functools import partial

import numpy as np

from datasets.boundaries import foreground_boundaries
from datasets.clips import Clip
from datasets.errors import DatasetError
from datasets.files import check_label_size, image_size, open_label, open_rgb, read_names
from datasets.palette import voc_palette
from datasets.preprocess import as_image, preprocess
from datasets.sources import find_root
from datasets.translate import crop_label, translated_boxes

SEG11VALID = (
    "seg11valid, the 736 images of VOC2011 val that SBD does not train on, is "
    "data/pascal/seg11valid.txt of https://github.com/shelhamer/fcn.berkeleyvision.org"
)


class pascal:
    """PASCAL VOC at `root` (a folder VOC2011), or where datasets.sources.find_root finds it.

    Attributes: dir (Path), mean (3 BGR floats), classes (21 names), palette (a Palette of 21).
    Images are named '{year}_{number}'. Raises DatasetError if the dataset is not there.
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

    def __init__(self, root=None):
        self.dir = find_root("voc", root, needs="JPEGImages")

    def get_dset(self, split="seg11valid"):
        """Names of the images in ImageSets/Segmentation/{split}.txt."""
        lists = self.dir / "ImageSets" / "Segmentation"
        found = ", ".join(sorted(path.stem for path in lists.glob("*.txt"))) or "none"
        return read_names(lists / f"{split}.txt", f"there is {found}. {SEG11VALID}")

    def load_image(self, idx):
        """Image `idx` as a PIL RGB image (the longer side is 500 in the official data)."""
        return open_rgb(self._image_path(idx))

    def load_label(self, idx):
        """Label of image `idx` as 1 x H x W uint8: 0 background, 1..20, 255 = ignore.

        Raises DatasetError if the file is missing, damaged, out of range or not of the image's
        size.
        """
        path = self.dir / "SegmentationClass" / f"{idx}.png"
        label = open_label(path, len(self.classes), image_size(self._image_path(idx)))
        return label[np.newaxis]

    def preprocess(self, im):
        """PIL image to net input: 3 x H x W float32 BGR, mean subtracted."""
        return preprocess(im, self.mean)

    def make_boundaries(self, label, thickness):
        """H x W bool: pixels within `thickness` pixels of the edge of the foreground."""
        return foreground_boundaries(label, thickness)

    def make_translated_frames(self, im, label, shift, num_frames):
        """Video of `num_frames` frames from a still: a window that moves `shift` pixels a frame.

        It moves from the start to the end of the longer side, which it is
        shift * (num_frames - 1) pixels shorter than; the other side it spans.

        Args:
            im: H x W PIL image or H x W x 3 uint8.
            label: H x W or 1 x H x W, or None.
        Returns (frames, labels): a list of PIL images, a list of arrays with as many axes as
        `label` (of None without one). Raises DatasetError if the image is too short to move over,
        or the label of another size.
        """
        im = as_image(im)
        if label is not None:
            size = np.shape(label)[:-3:-1]
            check_label_size("make_translated_frames", size, im.size, "its image")
        boxes = translated_boxes(im.size, shift, num_frames)
        frames = [im.crop(box) for box in boxes]
        labels = [None if label is None else crop_label(label, box) for box in boxes]
        return frames, labels

    def clips(self, split="seg11valid", shift=16, num_frames=6, warmup=0):
        """One Clip of translated frames for each image of `split`.

        The defaults are the paper's slower video; its faster one has a `shift` of 32. The first
        `warmup` frames are run to fill a pipeline, but have no label; the paper's experiment
        scores from the third frame on (2). Raises DatasetError naming the first image that is
        missing or too short to move over.
        """
        if warmup and not 0 < warmup < num_frames:
            raise DatasetError(
                f"warmup={warmup}: give 0 or more, and less than the {num_frames} "
                "frames of a clip, so that one is left to score"
            )
        return [self._clip(idx, shift, num_frames, warmup) for idx in self.get_dset(split)]

    def _clip(self, idx, shift, num_frames, warmup):
        path = self._image_path(idx)
        boxes = translated_boxes(image_size(path), shift, num_frames, path)
        return Clip(
            f"voc/{idx}",
            list(enumerate(boxes)),
            partial(self._load_frame, idx),
            partial(self._load_frame_label, idx, warmup),
            self.preprocess,
        )

    def _load_frame(self, idx, frame):
        _, box = frame
        return self.load_image(idx).crop(box)

    def _load_frame_label(self, idx, warmup, frame):
        number, box = frame
        return None if number < warmup else crop_label(self.load_label(idx), box)

    def _image_path(self, idx):
        return self.dir / "JPEGImages" / f"{idx}.jpg"
