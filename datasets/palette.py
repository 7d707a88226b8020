"""Palettes that paint labels, computed instead of read from files."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.files import IGNORE


class Palette:
    """The colours of a dataset's classes; calling it paints a label.

    np.asarray(palette), len and indexing give access to the colours.

    Parameters
    ----------
    colors : array_like, K x 3
        RGB colour of each class, 0..255.

    Attributes
    ----------
    colors : ndarray of uint8, K x 3
        The colours.
    """

    def __init__(self, colors: npt.ArrayLike) -> None:
        self.colors = np.array(colors, np.uint8)

    def __len__(self) -> int:
        return len(self.colors)

    def __getitem__(self, k: int) -> npt.NDArray[np.uint8]:
        return self.colors[k]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.colors, dtype=dtype)

    def __call__(self, label: npt.NDArray[np.uint8]) -> Image.Image:
        """Paint a label.

        Parameters
        ----------
        label : ndarray of uint8, H x W or 1 x H x W
            The label.

        Returns
        -------
        PIL.Image.Image
            An RGB image; ignored pixels are black.

        Raises
        ------
        ValueError
            If the label holds a class without a colour.
        """
        label = np.asarray(label)
        label = label[0] if label.ndim == 3 else label
        ignored = label == IGNORE
        label = np.where(ignored, 0, label)
        if label.max(initial=0) >= len(self):
            raise ValueError(
                f"the label holds class {label.max()}, but the palette has {len(self)} colours"
            )
        rgb = self.colors[label]
        rgb[ignored] = 0
        return Image.fromarray(rgb)


def voc_palette(num_colors: int = 256) -> Palette:
    """Return the first `num_colors` colours of the PASCAL VOC colour map.

    Bits 0, 1 and 2 of the class index become the highest bits of red, green and blue; bits 3, 4
    and 5 the next lower ones, and so on. Neighbouring indices thus differ strongly in colour.
    """
    index = np.arange(num_colors)
    colors = np.zeros((num_colors, 3), np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (index >> (3 * level + channel)) & 1
            colors[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return Palette(colors)
