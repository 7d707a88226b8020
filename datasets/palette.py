"""Colours for label maps, computed rather than read from files."""

import numpy as np
from PIL import Image

from datasets.files import IGNORE


def voc_palette(num_colors=256):
    """The PASCAL VOC colour map as a Palette.

    Bits 0, 1, 2 of the class index become the top bits of red, green, blue; bits 3, 4, 5 the
    next lower ones; and so on. Nearby indices so get colours far apart.
    """
    index = np.arange(num_colors)
    palette = np.zeros((num_colors, 3), np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (index >> (3 * level + channel)) & 1
            palette[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return Palette(palette)


class Palette:
    """The colours of a dataset's classes: a K x 3 uint8 RGB table that can paint a label.

    `palette(label)` paints; np.asarray(palette), len and indexing give the colours.
    """

    def __init__(self, colors):
        self.colors = np.array(colors, np.uint8)

    def __len__(self):
        return len(self.colors)

    def __getitem__(self, k):
        return self.colors[k]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.colors, dtype=dtype)

    def __call__(self, label):
        """Paint `label` (H x W or 1 x H x W uint8) as a PIL RGB image, IGNORE in black.

        Raises ValueError if the label holds a class that the palette has no colour for.
        """
        label = np.asarray(label)
        label = label[0] if label.ndim == 3 else label
        ignored = label == IGNORE
        label = np.where(ignored, 0, label)
        if label.max(initial=0) >= len(self):
            raise ValueError(f"label holds class {label.max()}, the palette has {len(self)}")
        rgb = self.colors[label]
        rgb[ignored] = 0
        return Image.fromarray(rgb)
