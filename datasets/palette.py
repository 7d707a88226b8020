"""Colours for label maps, computed rather than read from files."""
import numpy as np
from PIL import Image

from datasets.files import IGNORE


def voc_palette(num_colors=256):
    """The PASCAL VOC colour map as num_colors x 3 uint8 RGB.

    Bits 0, 1, 2 of the class index become the top bits of red, green, blue; bits 3, 4, 5 the
    next lower ones; and so on. Nearby indices so get colours far apart.
    """
    index = np.arange(num_colors)
    palette = np.zeros((num_colors, 3), np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (index >> (3 * level + channel)) & 1
            palette[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return palette


def colorize(label, palette):
    """Paint a label (H x W or 1 x H x W uint8) with `palette` (K x 3) as a PIL RGB image.

    IGNORE is painted black; classes beyond the palette raise IndexError.
    """
    label = np.asarray(label)
    label = label[0] if label.ndim == 3 else label
    ignored = label == IGNORE
    rgb = np.asarray(palette, np.uint8)[np.where(ignored, 0, label)]
    rgb[ignored] = 0
    return Image.fromarray(rgb)
