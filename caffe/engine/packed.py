"""Packed: a blob in the kernels' memory order, of which only what the input reaches is held.

Its images are not written to, except by who made it for that, an incremental forward, and by that
one only until `lend` was called: then somebody relies on what they hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from caffe.engine.border import Border
from caffe.engine.kernels.images import Image
from caffe.engine.reach import Window, overlap, place, whole, within
from caffe.layer_types.base import Shape


@dataclass(eq=False)
class Packed:
    """The values of an N x C x H x W blob.

    Parameters
    ----------
    images : sequence of Image
        One for each of the N, as large as the window.
    shape : Shape
    border : Border or None
        What surrounds the window; None if the images are whole.

    Attributes
    ----------
    lent : bool
        Whether somebody relies on the images staying as they are.
    """

    images: Sequence[Image]
    shape: Shape
    border: Border | None = None
    lent: bool = field(default=False, init=False)

    @property
    def window(self) -> Window:
        """The part of the blob that the images hold."""
        return self.border.window if self.border is not None else whole(self.shape)

    def lend(self) -> "Packed":
        """Return this, as it will stay."""
        self.lent = True
        return self

    def tensor(self) -> torch.Tensor:
        """Return the whole blob in C order, in memory of its own."""
        return self.part(whole(self.shape))

    def part(self, window: Window) -> torch.Tensor:
        """Return a window of the blob, N x C x rows x columns, in memory of its own."""
        out = torch.empty((*self.shape[:2], *(end - begin for begin, end in window)))
        inside = overlap(window, self.window)
        if self.border is not None and inside != window:
            out[:] = self.border.part(window)
        if inside is not None:
            there, here = within(inside, window), within(inside, self.window)
            for part, image in zip(out, self.images):
                cut = image.view[:, *place(here)[1:]]
                part[place(there)] = cut.permute(0, 3, 1, 2).flatten(0, 1)
        return out
