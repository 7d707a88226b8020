"""ByUnits: windows of convolutions and poolings by ncnn, cut and pasted in its own memory order.

A plan (`caffe.engine.planner`) leaves blobs as Packed. Here a window of a layer is cut out of its
bottom, with what surrounds the image where that is read, run by the unit that the plan uses too,
and pasted into the top in place. Nothing is unpacked.

Winograd's method computes a 3 x 3 convolution in square tiles, and a pixel's last bits depend on
its place in the tile. A window that begins and ends on the grid of tiles, counted from the corner
of what a whole run computes, has the bits of that run. ncnn's other methods have them at any place,
if all channels fill vectors.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from caffe.blobs import device
from caffe.engine.executor import Executor
from caffe.engine.kernels import units
from caffe.engine.kernels.images import Image, image_of, packed_of
from caffe.engine.packed import Packed
from caffe.engine.reach import Need, Window, contains, overlap, place, reach_of, within
from caffe.layer_types.activations import Dropout, ReLU
from caffe.layer_types.base import Geometry
from caffe.layer_types.conv import Convolution
from caffe.layer_types.pooling import Pooling

TILES = 12  # a multiple of 2, 4 and 6, the sizes of ncnn's tiles


class ByUnits:
    """The layers of one net that a plan ran by units, and how to run windows of them.

    Parameters
    ----------
    executor : Executor
        Of the net.
    """

    def __init__(self, executor: Executor):
        self._executor = executor
        # first layer of a group -> the window of its top that a whole run computes
        self._frames: dict[int, Window] = {}
        self._poolings: dict[int, tuple[Geometry, units.Unit]] = {}

    def ran(self, group: Sequence[int]) -> None:
        """Take note of how a group of layers has just run."""
        executor, graph = self._executor, self._executor.graph
        self._frames.pop(group[0], None)
        first, *rest = (graph.layers[i] for i in group)
        if len(graph.tops[group[0]]) != 1 or len(graph.bottoms[group[0]]) != 1:
            return
        resting = executor.blobs[graph.tops[group[0]][0]].synced_data.resting
        simple = all(isinstance(layer, (ReLU, Dropout)) for layer in rest)
        if isinstance(first, (Convolution, Pooling)) and isinstance(resting, Packed) and simple:
            self._frames[group[0]] = resting.window

    def frame(self, group: Sequence[int]) -> Window | None:
        """Return the window that a whole run of a group by units computes; None if by others."""
        return self._frames.get(group[0])

    def is_exact(self, group: Sequence[int]) -> bool:
        """Return whether windows that are `aligned` have the bits of a whole run.

        Channels that do not fill a vector are computed several pixels at a time, and the last
        pixels one by one, which rounds otherwise.
        """
        layer = self._executor.graph.layers[group[0]]
        if isinstance(layer, Pooling):
            return True
        return layer.spec.convolution_param.num_output % 8 == 0

    def aligned(self, group: Sequence[int], window: Window) -> Window:
        """Return the smallest window that holds this one and has the bits of a whole run."""
        i = group[0]
        layer, geometry, frame = self._executor.graph.layers[i], self._geometry(i), self._frames[i]
        if not isinstance(layer, Convolution) or any(k == 1 for k in geometry.kernel):
            return window
        return tuple(
            (low + (begin - low) // TILES * TILES, min(high, low - (low - end) // TILES * TILES))
            for (begin, end), (low, high) in zip(window, frame)
        )

    def run(self, group: Sequence[int], window: Window) -> None:
        """Compute a window of a group's top and write it there.

        Parameters
        ----------
        group : sequence of int
            A convolution or pooling, and the layers that run in place after it.
        window : Window
            Within `frame`.
        """
        (bottom,), (top,) = self._executor.ends(group[0])
        i, layer = group[0], self._executor.graph.layers[group[0]]
        reach = reach_of(layer, self._geometry(i), [bottom.shape])
        assert reach is not None  # else `frame` is None
        needs = reach.needed(window)
        if isinstance(layer, Pooling):
            needs = tuple(need._replace(after=0) for need in needs)  # it may exceed the image
        resting = bottom.synced_data.resting
        if isinstance(resting, Packed):
            parts = cut(resting, needs)
        else:
            parts = cut(bottom.synced_data.tensor(device.CPU), needs)
        unit = self._unit(group)
        images = [unit(image) for image in parts]
        held = top.synced_data.resting
        if isinstance(held, Packed):
            top.synced_data.rest(pasted(held, images, window), top.shape)
        else:  # somebody has asked for the values since the whole run
            part = torch.stack([image.plain() for image in images])
            top.synced_data.paste(place(window), part)

    def _geometry(self, i):
        return self._executor.geometry[i][1]

    def _unit(self, group):
        """Return the kernel of a group."""
        graph, i = self._executor.graph, group[0]
        layer, geometry = graph.layers[i], self._geometry(i)
        if isinstance(layer, Convolution):
            relu = any(isinstance(graph.layers[k], ReLU) for k in group)
            return self._executor.unit(i, relu)
        if i not in self._poolings or self._poolings[i][0] is not geometry:
            unit = units.max_pooling(layer.name, geometry.kernel, geometry.stride)
            self._poolings[i] = geometry, unit
        return self._poolings[i][1]


def cut(value: Packed | torch.Tensor, needs: Sequence[Need]) -> list[Image]:
    """Return what is needed of a blob, with zeros where it lies outside; one image for each N.

    Parameters
    ----------
    value : Packed or torch.Tensor
        The blob.
    needs : sequence of Need
        For rows and columns.
    """
    region: Window = tuple((need.begin, need.end) for need in needs)
    (top, bottom), (left, right) = ((need.before, need.after) for need in needs)
    if isinstance(value, torch.Tensor):
        part = value[place(region)]
        if top or bottom or left or right:
            part = F.pad(part, (left, right, top, bottom))
        return [image_of(image) for image in part]
    images = []
    static = None
    inside = overlap(region, value.window)
    for image in value.images:
        view = image.view
        if inside == region:
            part = view[:, *place(within(region, value.window))[1:]]
        else:
            assert value.border is not None  # else the window is the whole blob
            if static is None:
                static = value.border.part(region)
            pack = view.shape[3]
            split = static.view(static.shape[0] // pack, pack, *static.shape[1:])
            part = split.permute(0, 2, 3, 1).contiguous()
            if inside is not None:
                there = place(within(inside, region))[1:]
                part[:, *there] = view[:, *place(within(inside, value.window))[1:]]
        if top or bottom or left or right:
            part = F.pad(part, (0, 0, left, right, top, bottom))
        images.append(packed_of(part.contiguous()))
    return images


def pasted(held: Packed, images: Sequence[Image], window: Window) -> Packed:
    """Return a blob with a window replaced; the same object, unless others rely on its images."""
    if held.lent:
        copies = [packed_of(image.view.clone()) for image in held.images]
        held = Packed(copies, held.shape, held.border)
    assert contains(held.window, window)
    here = place(within(window, held.window))[1:]
    for image, part in zip(held.images, images):
        image.view[:, *here] = part.view
    return held
