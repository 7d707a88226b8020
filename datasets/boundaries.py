"""Pixels near object boundaries, where outdated segmentations have most of their errors."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from datasets.errors import DatasetError
from datasets.files import IGNORE


def disk(radius: int) -> npt.NDArray[np.bool_]:
    """Return a disk as a structuring element.

    Parameters
    ----------
    radius : int
        Radius in pixels, 0 or more.

    Returns
    -------
    ndarray of bool, (2 radius + 1) x (2 radius + 1)
        True within `radius` of the centre.

    Raises
    ------
    DatasetError
        If the radius is below 0.
    """
    if radius < 0:
        raise DatasetError(f"a thickness of {radius} pixels: give 0 or more")
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


def mask_boundaries(mask: npt.NDArray[np.bool_], thickness: int) -> npt.NDArray[np.bool_]:
    """Find the pixels near the edge of a mask, on both sides of it.

    Computed as the exclusive or of dilation and erosion with a disk.

    Parameters
    ----------
    mask : ndarray of bool, H x W
        The mask; the image border does not count as an edge.
    thickness : int
        Maximum distance from the edge in pixels.

    Returns
    -------
    ndarray of bool, H x W
        True near the edge.
    """
    element = disk(thickness)
    dilated = ndimage.binary_dilation(mask, element)
    eroded = ndimage.binary_erosion(mask, element, border_value=1)
    return dilated ^ eroded


def foreground_boundaries(label: npt.NDArray[np.uint8], thickness: int) -> npt.NDArray[np.bool_]:
    """Find the pixels near the edge of the foreground, for datasets whose class 0 is background.

    Parameters
    ----------
    label : ndarray of uint8, H x W or 1 x H x W
        The label; class 0 and ignored pixels are background.
    thickness : int
        Maximum distance from the edge in pixels.

    Returns
    -------
    ndarray of bool, H x W
        True near the edge.
    """
    label = _plane(label)
    return mask_boundaries((label > 0) & (label != IGNORE), thickness)


def class_boundaries(label: npt.NDArray[np.uint8], thickness: int) -> npt.NDArray[np.bool_]:
    """Find the pixels near a boundary between any two classes, for datasets without background.

    A pixel is near a boundary if the disk around it holds two classes. For a label of two
    classes this is the result of `mask_boundaries`.

    Parameters
    ----------
    label : ndarray of uint8, H x W or 1 x H x W
        The label; ignored pixels are neither near a boundary nor form one.
    thickness : int
        Radius of the disk in pixels.

    Returns
    -------
    ndarray of bool, H x W
        True near a boundary.
    """
    label = _plane(label)
    ignored = label == IGNORE
    element = disk(thickness)
    highest = ndimage.maximum_filter(np.where(ignored, 0, label), footprint=element)
    lowest = ndimage.minimum_filter(label, footprint=element)  # IGNORE is above every class
    return (highest > lowest) & ~ignored


def _plane(label):
    """Return an H x W or 1 x H x W label as H x W."""
    label = np.asarray(label)
    return label[0] if label.ndim == 3 else label
