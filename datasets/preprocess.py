"""From images to the frame inputs of a Caffe net."""

import numpy as np
from PIL import Image

from datasets.errors import DatasetError


def preprocess(im, mean_bgr):
    """Turn an image into a net input: 3 x H x W float32, BGR in 0..255, minus `mean_bgr`.

    BGR and a per-channel mean are what the ImageNet VGG nets were trained on in Caffe. `im` is a
    PIL image or H x W x 3 uint8 RGB.
    """
    bgr = np.asarray(as_image(im).convert("RGB"), dtype=np.float32)[:, :, ::-1]
    return np.ascontiguousarray((bgr - np.asarray(mean_bgr, np.float32)).transpose(2, 0, 1))


def as_image(im):
    """A PIL image as it is, an H x W x 3 or H x W uint8 array as the PIL image it holds.

    Raises DatasetError for any other array.
    """
    if isinstance(im, Image.Image):
        return im
    pixels = np.asarray(im)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise DatasetError(
            f"an image of shape {pixels.shape} and type {pixels.dtype}: give a PIL "
            "image, or H x W x 3 or H x W uint8"
        )
    return Image.fromarray(pixels)
