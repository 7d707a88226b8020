"""Convert images to input blobs of a Caffe net."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.errors import DatasetError

ImageLike = Image.Image | npt.NDArray[np.uint8]  # an array is H x W x 3 RGB or H x W grey


def preprocess(im: ImageLike, mean_bgr: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Convert an image to a net input.

    BGR order and a mean per channel are what the ImageNet VGG nets were trained on in Caffe.

    Parameters
    ----------
    im : PIL.Image.Image or ndarray of uint8
        The image; an array is H x W x 3 RGB or H x W grey.
    mean_bgr : array_like
        Mean of each channel, 3 values in 0..255, in BGR order.

    Returns
    -------
    ndarray of float32, 3 x H x W
        The image in BGR order, 0..255 minus the mean.

    Raises
    ------
    DatasetError
        If `im` is an array of another shape or type.
    """
    image = as_image(im).convert("RGB")
    data = np.empty((3, image.height, image.width), np.float32)
    means = np.broadcast_to(np.asarray(mean_bgr, np.float32), 3)
    # by channel, from bytes that lie together: a fifth of the time of converting pixels
    for plane, channel, mean in zip(data, reversed(image.split()), means):
        plane[...] = np.asarray(channel)
        plane -= mean
    return data


def as_image(im: ImageLike) -> Image.Image:
    """Convert an array to a PIL image; return a PIL image unchanged.

    Parameters
    ----------
    im : PIL.Image.Image or ndarray of uint8
        The image; an array is H x W x 3 RGB or H x W grey.

    Returns
    -------
    PIL.Image.Image
        The image.

    Raises
    ------
    DatasetError
        If `im` is an array of another shape or type.
    """
    if isinstance(im, Image.Image):
        return im
    pixels = np.asarray(im)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise DatasetError(
            f"an image of shape {pixels.shape} and type {pixels.dtype}: give a PIL "
            "image or a uint8 array, H x W x 3 or H x W"
        )
    return Image.fromarray(pixels)
