"""The pixels near object boundaries, where errors of stale segmentations gather."""

import numpy as np
from scipy import ndimage

from datasets.errors import DatasetError
from datasets.files import IGNORE


def disk(radius):
    """A (2 radius + 1)-square boolean structuring element, true within `radius` of its centre.

    Raises DatasetError for a radius below 0.
    """
    if radius < 0:
        raise DatasetError(f"a thickness of {radius} pixels: give 0 or more")
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


def mask_boundaries(mask, thickness):
    """Pixels within `thickness` of the edge of the boolean H x W `mask`, on either side.

    The exclusive or of dilation and erosion with a disk; the image border is no edge.
    """
    element = disk(thickness)
    grown = ndimage.binary_dilation(mask, element)
    shrunk = ndimage.binary_erosion(mask, element, border_value=1)
    return grown ^ shrunk


def foreground_boundaries(label, thickness):
    """Boundaries of the foreground (neither class 0 nor ignored) as H x W bool.

    For datasets whose class 0 is background; `label` is H x W or 1 x H x W.
    """
    label = _plane(label)
    return mask_boundaries((label > 0) & (label != IGNORE), thickness)


def class_boundaries(label, thickness):
    """Boundaries between any two classes as H x W bool, for datasets without a background.

    A pixel counts if the disk of radius `thickness` around it holds two classes, which for two
    classes is what `mask_boundaries` finds. Ignored pixels neither count nor make a boundary.
    """
    label = _plane(label)
    ignored = label == IGNORE
    element = disk(thickness)
    highest = ndimage.maximum_filter(np.where(ignored, 0, label), footprint=element)
    lowest = ndimage.minimum_filter(label, footprint=element)  # IGNORE is above every class
    return (highest > lowest) & ~ignored


def _plane(label):
    label = np.asarray(label)
    return label[0] if label.ndim == 3 else label
