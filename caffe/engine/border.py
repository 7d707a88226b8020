"""Border: the part of a blob that no pixel of the net's input reaches.

With pad 100 nearly half of what FCN-8s' first layers compute depends on no pixel: on the weights
and the input's size alone. `caffe.engine.reach` says which window of a blob an image reaches.
Around it the blob is static. From the window outwards it first is one constant per channel, the
image of the padding's zeros; further out, where zero padding of the layers in between is felt, it
is not.

The static part is found from a small image. A net of sliding windows does not care how far apart
the edges of its input are, as long as they stay apart and in step with its strides. So the net runs
once on a blank image of a few strides, and what lies between its edges is stretched to full size.
That takes a tenth of the time and memory of a whole forward, once per input size and weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from caffe.engine.reach import LayerReach, Window, contains, reach_of, whole
from caffe.layer_types.base import Geometry, LayerType, Shape

LEAST = 2  # strides of the small image, at least


@dataclass(frozen=True, eq=False)
class Border:
    """What is static in a blob.

    Parameters
    ----------
    shape : Shape
        The blob's, N x C x H x W.
    window : Window
        What the input reaches; all outside is static, and the same for all N.
    interior : Window or None
        What no outer edge reaches: in it, outside of the window, the blob is one constant per
        channel. None for an input, around which are zeros.
    small : torch.Tensor
        The blob for a small blank input, 1 x C x h x w.
    """

    shape: Shape
    window: Window
    interior: Window | None
    small: torch.Tensor

    @property
    def covers_all(self) -> bool:
        """Whether nothing is static."""
        return self.window == whole(self.shape)

    def constant(self) -> torch.Tensor | None:
        """Return the value per channel next to the window; None if it is zero, as of an input.

        It is meaningful if `uniform` says so for what is read of it.
        """
        if self.interior is None:
            return None
        row, column = (
            low if low < begin else high - 1
            for (begin, _), (low, high) in zip(
                self._of_small(self.window), self._of_small(self.interior)
            )
        )
        return self.small[0, :, row, column].contiguous()

    def uniform(self, window: Window) -> bool:
        """Tell whether the blob is `constant` in this window, outside of what the input reaches."""
        return self.interior is None or contains(self.interior, window)

    def _of_small(self, window: Window) -> Window:
        return _shrunk(window, self.shape, self.small.shape)

    def full(self) -> torch.Tensor:
        """Return the whole blob for a blank input, C x H x W; only what is static is meaningful."""
        return self.part(whole(self.shape))

    def part(self, window: Window) -> torch.Tensor:
        """Return a window of `full`."""
        sizes = zip(self.shape[2:], self.small.shape[2:], window)
        rows, columns = (_stretched(size, small)[slice(*span)] for size, small, span in sizes)
        return self.small[0].index_select(1, rows).index_select(2, columns)


def of_input(shape: Shape, stride: int) -> Border | None:
    """Return the border of a net's input, which is empty; None if it is not an image.

    Parameters
    ----------
    shape : Shape
    stride : int
        A multiple of the strides of all blobs that a border is wanted for.
    """
    if len(shape) != 4:
        return None
    size = [_reduced(d, stride) for d in shape[2:]]
    return Border(tuple(shape), whole(shape), None, torch.zeros(1, shape[1], *size))


def through(
    layer: LayerType, geometry: Geometry, below: Border, params: Sequence[torch.Tensor]
) -> Border | None:
    """Return the border of the top of a layer with one bottom and one top.

    Parameters
    ----------
    layer : LayerType
    geometry : Geometry
    below : Border
        Of its bottom.
    params : sequence of torch.Tensor

    Returns
    -------
    Border or None
        None if nothing is static, or if what is static cannot be found from the small image.
    """
    here = reach_of(layer, geometry, [below.shape])
    small_shape = tuple(below.small.shape)
    try:
        small_geometry = layer.geometry([small_shape])
    except Exception:  # noqa: BLE001 -- any reason why the small image is too small for the layer
        return None
    there = reach_of(layer, small_geometry, [small_shape])
    if here is None or there is None:
        return None
    top = _passed(here, below.window, below.interior)
    if top is None:
        return None
    inside = below.interior and _shrunk(below.interior, below.shape, small_shape)
    window = _shrunk(below.window, below.shape, small_shape)
    small_top = _passed(there, window, inside)
    if small_top is None or not _alike(top, geometry.tops[0], small_top, small_geometry.tops[0]):
        return None
    with torch.no_grad():
        result = layer.forward(small_geometry, [below.small], params)[0]
    if result is None:
        return None
    border = Border(geometry.tops[0], top[0], top[1], result.contiguous())
    return None if border.covers_all else border


def _passed(
    reach: LayerReach, window: Window, interior: Window | None
) -> tuple[Window, Window] | None:
    """Return window and interior of a layer's top; None if the window is empty."""
    top = reach.reached(window)
    return None if top is None else (top, reach.interior(interior))


def _shrunk(window, shape, small):
    """Return a window at the same distances from the edges of the smaller blob."""
    return tuple((b, s - (d - e)) for (b, e), d, s in zip(window, shape[2:], small[2:]))


def _alike(top, shape, small_top, small):
    """Tell whether the small blob has the same edges as the full one, and a middle in between."""
    if any(_shrunk(t, shape, small) != s for t, s in zip(top, small_top)):
        return False
    window, interior = small_top
    return all(
        p < q and low <= size // 2 < high
        for (p, q), (low, high), size in zip(window, interior, small[2:])
    )


def _reduced(size, stride):
    """Return the smallest size that is in step with `stride` and not below LEAST strides."""
    return size - stride * max(0, size // stride - LEAST)


def _stretched(size, small):
    """Return for each place of the full axis the place of the small one with the same value."""
    places = torch.arange(size)
    middle = small // 2
    return torch.where(places <= middle, places, torch.clamp(places - (size - small), min=middle))


def common_stride(strides: Sequence[int]) -> int:
    """Return the stride with which all of these are in step."""
    return math.lcm(*strides) if strides else 1
