"""SplitSums: a convolution with a large kernel, where the same part of its bottom changes again.

VGG's fc6 sees 7 x 7 of 22 x 22 pixels, so a small change reaches all of its outputs. Yet each
output is a sum over 49 pixels, most of which have not changed:

    top = (bias + sum over the pixels outside of a window) + sum over those in the window.

The first part is kept while nothing outside of the window changes; the second is computed for
each frame. Neither depends on earlier frames, so nothing drifts. The second part multiplies each
pixel of the window by the weights of each place in the kernel, for which the weights are held in
that order as well. So this is done only for a window that changes again and again, if there is
memory for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from caffe.blobs import device, memory
from caffe.engine.changes.regions import Region, joined
from caffe.engine.executor import Executor
from caffe.engine.kernels import product
from caffe.engine.packed import Packed
from caffe.engine.reach import Window, contains, place, whole
from caffe.errors import CaffeError
from caffe.layer_types.conv import Convolution

LEAST_WEIGHTS = 2**24  # below, a whole run takes a few milliseconds
TIMES = 2  # a window changed so many times in a row, before it is taken for one that will again


@dataclass
class _Split:
    """A window of the bottom, and what all pixels outside of it give."""

    window: Window
    outside: torch.Tensor  # 1 x rows x columns x outputs
    versions: tuple


class SplitSums:
    """The split convolutions of one net.

    Parameters
    ----------
    executor : Executor
        Of the net.
    """

    def __init__(self, executor: Executor):
        self._executor = executor
        self._splits: dict[int, _Split] = {}
        self._last: dict[int, tuple[Window, int]] = {}  # what changed last, and how often in a row
        self._by_place: dict[int, tuple[tuple, torch.Tensor]] = {}  # the weights, kernel first

    def forget(self, i: int | None = None) -> None:
        """Drop what is kept of layer i, or of all: its bottom has changed in another way."""
        if i is None:
            self._splits.clear()
            self._by_place.clear()
        else:
            self._splits.pop(i, None)

    def takes(self, i: int, changed: Region, computed: int) -> bool:
        """Return whether `run` is to compute layer i, given what changed in its bottom.

        It must be asked at each change, as it counts them.

        Parameters
        ----------
        i : int
        changed : tuple of Window
            What changed in the bottom since the layer ran.
        computed : int
            Positions of the top that would be computed otherwise.
        """
        if not self._fits(i) or not changed:
            return False
        (window,) = joined(changed, most=1)
        split, versions = self._splits.get(i), self._versions(i)
        if split and split.versions == versions and contains(split.window, window):
            return self._pairs(i, split.window) < computed * self._kernel(i)
        self._splits.pop(i, None)
        last, times = self._last.get(i, (window, 0))
        again = contains(last, window)
        self._last[i] = (last, times + 1) if again else (window, 1)
        if not again or times < TIMES:
            return False
        if self._pairs(i, last) > computed * self._kernel(i) * 2 // 3:
            return False
        return self._split(i, last, versions)

    def run(self, i: int) -> torch.Tensor:
        """Return the top of layer i, 1 x outputs x rows x columns, without the layers in place."""
        split, (_, weights) = self._splits[i], self._by_place[i]
        top = split.outside.clone()
        (y0, y1), (x0, x1) = split.window
        pixels = self._bottom(i, split.window)[0].permute(1, 2, 0).contiguous()
        rows, columns = top.shape[1:3]
        height, width = self._executor.geometry[i][1].kernel
        for k, weight in enumerate(weights):
            dy, dx = divmod(k, width)
            reached = (
                (max(y0 - dy, 0), min(y1 - dy, rows)),
                (max(x0 - dx, 0), min(x1 - dx, columns)),
            )
            if any(begin >= end for begin, end in reached):
                continue
            (a, b), (c, d) = reached
            part = pixels[a + dy - y0 : b + dy - y0, c + dx - x0 : d + dx - x0].reshape(
                -1, pixels.shape[2]
            )
            top[0, a:b, c:d] += product.linear(part, weight, None).view(b - a, d - c, -1)
        return top.permute(0, 3, 1, 2)

    def _fits(self, i):
        """Tell whether layer i is a plain convolution of one image with very many weights."""
        layer, executor = self._executor.graph.layers[i], self._executor
        if not isinstance(layer, Convolution) or len(executor.graph.bottoms[i]) != 1:
            return False
        geometry, weight = executor.geometry[i][1], executor.params[layer.name][0]
        return (
            weight.count >= LEAST_WEIGHTS
            and layer.spec.convolution_param.group == 1
            and len(geometry.kernel) == 2
            and self._kernel(i) > 1
            and geometry.tops[0][0] == 1
            and not any(geometry.pad)
            and all(n == 1 for n in (*geometry.stride, *geometry.dilation))
            and device.device() == device.CPU
            and device.precision() == torch.float32
        )

    def _split(self, i, window, versions):
        """Keep what the pixels outside of a window give; return False if there is no memory."""
        executor = self._executor
        layer, geometry = executor.graph.layers[i], executor.geometry[i][1]
        blobs = executor.params[layer.name]
        if self._by_place.get(i, ((), None))[0] != versions:
            self._by_place.pop(i, None)
            try:
                memory.check(2 * blobs[0].count, f"a copy of the weights of {layer.name!r} takes")
            except CaffeError:
                return False
            weight = blobs[0].synced_data.tensor(device.CPU)
            ordered = weight.permute(2, 3, 0, 1).contiguous().flatten(0, 1)
            self._by_place[i] = versions, ordered
        bottom = self._bottom(i, whole(executor.blobs[executor.graph.bottoms[i][0]].shape)).clone()
        bottom[place(window)] = 0
        params = [blob.synced_data.tensor(device.CPU) for blob in blobs]
        outside = product.convolve(bottom, params, geometry, relu=False)
        self._splits[i] = _Split(window, outside.permute(0, 2, 3, 1).contiguous(), versions)
        return True

    def _bottom(self, i, window):
        """Return a window of the bottom of layer i."""
        content = self._executor.blobs[self._executor.graph.bottoms[i][0]].synced_data
        if isinstance(content.resting, Packed):
            return content.resting.part(window)
        return content.tensor(device.CPU)[place(window)]

    def _kernel(self, i):
        height, width = self._executor.geometry[i][1].kernel
        return height * width

    def _pairs(self, i, window):
        """Count the pairs of a pixel of the window and an output that reads it."""
        geometry, count = self._executor.geometry[i][1], 1
        for (begin, end), kernel, size in zip(window, geometry.kernel, geometry.tops[0][2:]):
            count *= sum(
                max(0, min(p, size - 1) - max(p - kernel + 1, 0) + 1) for p in range(begin, end)
            )
        return count

    def _versions(self, i):
        blobs: Sequence = self._executor.params[self._executor.graph.layers[i].name]
        shape = self._executor.blobs[self._executor.graph.bottoms[i][0]].shape
        return shape, *((id(b.synced_data), b.synced_data.version()) for b in blobs)
