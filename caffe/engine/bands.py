"""ByBands: convolutions and the pooling after them, a band of rows at a time.

Between the layers of FCN-8s' first blocks an image takes 65 MB at 500 x 500 pixels. In bands it
stays in the cache, the largest blobs are never whole, and a kernel's working space is a band's.
Each band begins with what its rows of the last top read of the first bottom, some rows more than
those of its neighbours; within the chain the kernels then need no margin, except for the zeros
around a blob.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from caffe.engine.border import Border
from caffe.engine.kernels.images import Image, packed_like
from caffe.engine.packed import Packed
from caffe.engine.reach import LayerReach, Need, Window
from caffe.engine.steps import Feed, Kernel, Step, Values
from caffe.layer_types.base import Shape

LARGE = 2**24  # bytes of an image from which a chain runs in bands
BAND = 2**23  # bytes of the largest image in a band
Margin = Callable[[tuple[int, int, int, int]], Kernel]


@dataclass(frozen=True)
class Link:
    """A layer of a chain.

    Parameters
    ----------
    reach : LayerReach
    kernel : callable
    shape : Shape
        The top's.
    pools : bool
        Whether its last window may exceed the image, and nothing is put around the image.
    """

    reach: LayerReach
    kernel: Kernel
    shape: Shape
    pools: bool

    def needed(self, window: Window) -> tuple[Need, ...]:
        """Return what a window of the top reads."""
        need = self.reach.needed(window)
        return tuple(n._replace(after=0) for n in need) if self.pools else need


@dataclass(frozen=True)
class Band:
    """The rows of the last top that are computed together.

    Parameters
    ----------
    feed : Feed
        Gives the images for the first kernel.
    kernels : sequence of callable
        One after the other.
    rows : slice
        Of the image that all bands make up.
    """

    feed: Feed
    kernels: Sequence[Kernel]
    rows: slice


@dataclass
class ByBands(Step):
    """Several layers, a band of rows at a time.

    Attributes
    ----------
    bands : sequence of Band
    size : (int, int)
        Height and width of the window of the last top.
    shape : Shape
    border : Border or None
        What is static in the last top.
    """

    bands: Sequence[Band]
    size: tuple[int, int]
    shape: Shape
    border: Border | None

    def run(self, values: Values) -> None:
        """Compute the last top's window."""
        whole: list[Image] = []
        for band in self.bands:
            for k, image in enumerate(band.feed(values, self.reads[0])):
                for kernel in band.kernels:
                    image = kernel(image)
                if k == len(whole):
                    whole.append(packed_like(image, self.size))
                whole[k].view[:, band.rows] = image.view
        values[self.makes[0]] = Packed(whole, self.shape, self.border)


def cut(
    links: Sequence[Link], window: Window, feed: Callable[[Sequence[Need]], Feed], margin: Margin
) -> list[Band]:
    """Return the bands of a chain.

    Parameters
    ----------
    links : sequence of Link
        From the first layer to the last.
    window : Window
        The part of the last top to compute.
    feed : callable
        ``feed(need)`` cuts what a band reads out of the first bottom.
    margin : callable
        ``margin((above, below, left, right))`` returns the kernel that puts zeros around an image.
    """
    (top, bottom), columns = window
    found = []
    for begin, end in _cuts(links, window):
        kernels: list[Kernel] = []
        wanted: Window = ((begin, end), columns)
        for n, link in enumerate(reversed(links)):
            kernels.append(link.kernel)
            need = link.needed(wanted)
            edges = tuple(e for each in need for e in (each.before, each.after))
            if n < len(links) - 1 and any(edges):
                kernels.append(margin(edges))  # type: ignore[arg-type]  # of two axes
            wanted = tuple((each.begin, each.end) for each in need)
        found.append(Band(feed(need), kernels[::-1], slice(begin - top, end - top)))
    return found


def _cuts(links, window):
    """Return the rows of the window in bands, none of which makes an image larger than BAND."""
    (top, bottom), columns = window
    per_row, wanted = 1.0, window
    for link in reversed(links):
        (begin, end), (left, right) = wanted
        size = 4 * link.shape[1] * (end - begin) * (right - left)
        per_row = max(per_row, size / max(1, bottom - top))
        wanted = tuple((need.begin, need.end) for need in link.needed(wanted))
    rows = max(4, int(BAND / per_row) // 2 * 2)
    count = max(1, math.ceil((bottom - top) / rows))
    rows = math.ceil((bottom - top) / count / 2) * 2
    starts = range(top, bottom, rows)
    return [(start, min(start + rows, bottom)) for start in starts]
