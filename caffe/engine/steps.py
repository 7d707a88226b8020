"""Steps: what a plan does one after the other, each for one layer or several that run as one.

Between steps values pass in a dict by blob name, as tensors or Packed. A step reads what earlier
ones put there and never writes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from caffe.engine.border import Border
from caffe.engine.kernels import product
from caffe.engine.kernels.images import Image, image_of, packed_of
from caffe.engine.packed import Packed
from caffe.engine.skipped import Layers, Value
from caffe.layer_types.base import Shape

Kernel = Callable[[Image], Image]


class Values:
    """The blobs that are there, by name; what is Packed is converted once for all who want tensors.

    Parameters
    ----------
    values : dict of str to Tensor or Packed
    """

    def __init__(self, values: dict[str, Value]):
        self._values = values
        self._tensors: dict[str, torch.Tensor] = {}

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __setitem__(self, name: str, value: Value) -> None:
        self._values[name] = value
        self._tensors.pop(name, None)

    def drop(self, name: str) -> None:
        """Forget a blob; it need not be there."""
        self._values.pop(name, None)
        self._tensors.pop(name, None)

    def tensor(self, name: str) -> torch.Tensor:
        """Return a blob as a tensor in its shape; nobody may write to it."""
        value = self._values[name]
        if isinstance(value, torch.Tensor):
            return value
        if name not in self._tensors:
            self._tensors[name] = value.tensor()
        return self._tensors[name]


@dataclass
class Step:
    """A part of a plan.

    Attributes
    ----------
    first, last : int
        The layers that it runs, both inclusive.
    reads, makes : tuple of str
        Blob names.
    drops : tuple of str
        What no later step reads; filled in by the planner.
    """

    first: int
    last: int
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    drops: tuple[str, ...] = field(default=(), init=False)

    def run(self, values: Values) -> None:
        """Compute `makes` from `reads`."""


@dataclass
class ByLayer(Step):
    """One layer, by its own `forward`."""

    layers: Layers

    def run(self, values: Values) -> None:
        """Compute the tops, in memory that they share with nothing else."""
        bottoms = [values.tensor(name) for name in self.layers.graph.bottoms[self.first]]
        taken = {_address(b) for b in bottoms}
        for name, top in zip(self.makes, self.layers.run(self.first, bottoms)):
            values[name] = top = top.clone() if _address(top) in taken else top
            taken.add(_address(top))


@dataclass
class Same(Step):
    """A layer that leaves its bottom as it is, such as Dropout outside of training."""

    def run(self, values: Values) -> None:
        """Hand the bottom on."""
        values[self.makes[0]] = values[self.reads[0]]


@dataclass
class ByTorch(Step):
    """A convolution by PyTorch, and its ReLU if `relu`."""

    layers: Layers
    relu: bool

    def run(self, values: Values) -> None:
        """Compute the top."""
        (result,) = self.layers.run(self.first, [values.tensor(self.reads[0])])
        values[self.makes[0]] = result.relu_() if self.relu else result


@dataclass
class ByProduct(Step):
    """A convolution as a product of matrices, and its ReLU if `relu`."""

    layers: Layers
    relu: bool

    def run(self, values: Values) -> None:
        """Compute the top."""
        x, i = values.tensor(self.reads[0]), self.first
        geometry, params = self.layers.geometries[i], self.layers.weights(i)
        values[self.makes[0]] = product.convolve(x, params, geometry, self.relu)


@dataclass
class ByUnit(Step):
    """A convolution or pooling by ncnn, on the window that the input reaches.

    Attributes
    ----------
    feed : Feed
        Cuts or surrounds the bottom so that the kernel needs no padding.
    kernel : callable
    shape : Shape
        The top's.
    border : Border or None
        What is static in the top.
    pools : bool
        Whether it is a pooling.
    """

    feed: Feed
    kernel: Kernel
    shape: Shape
    border: Border | None
    pools: bool = False

    def run(self, values: Values) -> None:
        """Compute the top's window."""
        images = [self.kernel(image) for image in self.feed(values, self.reads[0])]
        values[self.makes[0]] = Packed(images, self.shape, self.border)


@dataclass(frozen=True)
class Surround:
    """The images of a Packed with a margin of one value per channel; as they are if there is none.

    Attributes
    ----------
    margin : callable or None
    """

    margin: Kernel | None

    def __call__(self, values: Values, name: str) -> Sequence[Image]:
        """Return one image for each of the N."""
        value = values[name]
        assert isinstance(value, Packed)
        if self.margin is None:
            return value.images
        return [self.margin(image) for image in value.images]


@dataclass(frozen=True)
class Cut:
    """A region of a tensor, with a margin of zeros.

    Attributes
    ----------
    region : (slice, slice)
        Rows and columns.
    margin : callable or None
    """

    region: tuple[slice, slice]
    margin: Kernel | None

    def __call__(self, values: Values, name: str) -> Sequence[Image]:
        """Return one image for each of the N."""
        images = [image_of(image[:, *self.region]) for image in values.tensor(name)]
        return [self.margin(image) for image in images] if self.margin else images


class Paste:
    """A region of a Packed, with zeros around the blob, where static parts are not uniform.

    The static part is written once, into a canvas that then takes the window of each image.

    Parameters
    ----------
    border : Border
        Of the Packed.
    region : (slice, slice)
        Rows and columns of the blob.
    edges : (int, int, int, int)
        Zeros above, below, left and right.
    """

    def __init__(
        self, border: Border, region: tuple[slice, slice], edges: tuple[int, int, int, int]
    ):
        self._border, self._region, self._edges = border, region, edges
        starts = [r.start - e for r, e in zip(region, (edges[0], edges[2]))]
        sizes = [r.stop - r.start + e + f for r, e, f in zip(region, edges[::2], edges[1::2])]
        self._cuts, self._sources = [], []
        for (begin, end), start, size in zip(border.window, starts, sizes):
            low, high = max(begin - start, 0), min(end - start, size)
            self._cuts.append(slice(low, high))
            self._sources.append(slice(low + start - begin, high + start - begin))
        self._canvases: list[torch.Tensor] = []

    def __call__(self, values: Values, name: str) -> Sequence[Image]:
        """Return one image for each of the N; the next call may overwrite them."""
        value = values[name]
        assert isinstance(value, Packed)
        while len(self._canvases) < len(value.images):
            self._canvases.append(self._canvas(value.images[0].view.shape[3]))
        for canvas, image in zip(self._canvases, value.images):
            canvas[:, *self._cuts] = image.view[:, *self._sources]
        return [packed_of(canvas) for canvas, _ in zip(self._canvases, value.images)]

    def _canvas(self, pack):
        """Return the static part in packed order."""
        (rows, columns), edges = self._region, self._edges
        static = F.pad(self._border.full()[:, rows, columns], (*edges[2:], *edges[:2]))
        channels, height, width = static.shape
        moved = static.view(channels // pack, pack, height, width).permute(0, 2, 3, 1)
        return moved.clone(memory_format=torch.contiguous_format)


Feed = Surround | Cut | Paste


def _address(value):
    return value.untyped_storage().data_ptr()
