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
    bgr = np.asarray(as_image(im).convert("RGB"), dtype=np.float32)[:, :, ::-1]
    return np.ascontiguousarray((bgr - np.asarray(mean_bgr, np.float32)).transpose(2, 0, 1))


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
