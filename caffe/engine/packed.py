"""Packed: a blob in the kernels' memory order, of which only what the input reaches is held."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from caffe.engine.border import Border
from caffe.engine.kernels.images import Image
from caffe.engine.reach import Window, whole
from caffe.layer_types.base import Shape


@dataclass(frozen=True, eq=False)
class Packed:
    """The values of an N x C x H x W blob; it is never written to.

    Parameters
    ----------
    images : sequence of Image
        One for each of the N, as large as the window.
    shape : Shape
    border : Border or None
        What surrounds the window; None if the images are whole.
    """

    images: Sequence[Image]
    shape: Shape
    border: Border | None = None

    @property
    def window(self) -> Window:
        """The part of the blob that the images hold."""
        return self.border.window if self.border is not None else whole(self.shape)

    def tensor(self) -> torch.Tensor:
        """Return the whole blob in C order, in memory of its own."""
        out = torch.empty(self.shape)
        if self.border is not None:
            out[:] = self.border.full()
        (top, bottom), (left, right) = self.window
        for whole_image, image in zip(out, self.images):
            whole_image[:, top:bottom, left:right] = image.plain()
        return out
