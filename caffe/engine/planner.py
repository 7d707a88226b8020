"""Planner: from a range of layers and the shapes of what it reads to a Plan.

The planner walks the layers in order and knows of each blob in which form it will pass: as a
tensor, or Packed with a window. Convolutions and max pooling may run by ncnn; a convolution takes
the ReLU after it along if nobody asks for what lies between. A layer with one bottom of which a
part is static is computed on the window that the input reaches. What its kernel reads around the
window of the bottom is uniform there, or zeros, and then becomes a margin; or it is neither, and
the window is pasted into the static blob. All other layers run by their own `forward` on whole
blobs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from caffe.blobs import memory
from caffe.blobs.blob import Blob
from caffe.engine import bands
from caffe.engine import border as borders
from caffe.engine.bands import ByBands, Link
from caffe.engine.border import Border
from caffe.engine.kernels import units
from caffe.engine.kernels.choice import kernels, ncnn
from caffe.engine.kernels.ways import Case, choose
from caffe.engine.packed import Packed
from caffe.engine.plan import Plan
from caffe.engine.reach import Need, Window, area, contains, is_restless, reach_of, whole
from caffe.engine.skipped import Layers
from caffe.engine.steps import ByLayer, ByProduct, ByTorch, ByUnit, Cut, Paste, Same, Step, Surround
from caffe.errors import CaffeError
from caffe.graph import Graph
from caffe.layer_types.activations import Dropout, ReLU
from caffe.layer_types.base import Geometry, LayerType, Shape, StatefulLayer
from caffe.layer_types.conv import Convolution
from caffe.layer_types.pooling import Pooling
from caffe.proto import caffe_pb2

WORTH = 2e7  # multiply-adds below which planning a range does not pay
MOST_STATIC = 0.92  # a window that is more than this share of its blob does not pay


@dataclass(frozen=True)
class Form:
    """How a blob passes between steps: Packed or as a tensor, and what is static in it."""

    shape: Shape
    packed: bool = False
    border: Border | None = None


def can_plan(graph: Graph, i: int) -> bool:
    """Tell whether layer i may be part of a plan: a function of its bottoms, without backward."""
    layer = graph.layers[i]
    return not (
        isinstance(layer, StatefulLayer)
        or graph.need[i]
        or layer.content_sized
        or layer.hands_out_params
        or type(layer).initial is not LayerType.initial
        or any(graph.loss_weights[name] for name in graph.tops[i])
        or (layer.spec.type != "Input" and is_restless(layer, Geometry(())))
    )


class Planner:
    """Makes plans for one net; keeps the units of its layers, which plans share.

    Parameters
    ----------
    graph : Graph
    params : mapping of str to sequence of Blob
        The learned blobs by layer name.
    """

    def __init__(self, graph: Graph, params: Mapping[str, Sequence[Blob]]):
        self._graph, self._params = graph, params
        # (layer, relu) -> (what it was made from, the unit)
        self._units: dict[tuple[int, bool], tuple[object, units.Unit]] = {}

    def plan(
        self,
        first: int,
        last: int,
        kept: frozenset[str],
        blobs: Mapping[str, Blob],
        geometry_of: Callable[[int, LayerType, list[Shape]], Geometry],
    ) -> Plan | None:
        """Return a plan for layers first..last, None if running them one by one is as good.

        Parameters
        ----------
        first, last : int
        kept : frozenset of str
            The blobs that are wanted after the run.
        blobs : mapping of str to Blob
            For the shapes and forms of what the range reads.
        geometry_of : callable
            ``geometry_of(i, layer, shapes)`` returns the checked Geometry of layer i.
        """
        sources = sources_of(self._graph, first, last)
        shapes = {name: blobs[name].shape for name in sources}
        geometries = {}
        for i in range(first, last + 1):
            layer = self._graph.layers[i]
            if layer.spec.type == "Input":
                continue
            bottoms = [shapes[name] for name in self._graph.bottoms[i]]
            try:
                geometries[i] = geometry = geometry_of(i, layer, bottoms)
            except CaffeError:  # raised again when the layer's turn comes
                return None
            shapes |= zip(self._graph.tops[i], map(tuple, geometry.tops))
        params = {i: self._params.get(self._graph.layers[i].name, ()) for i in geometries}
        layers = Layers(self._graph, first, last, geometries, params)
        if kernels() == "auto" and not self._worth(layers, shapes):
            return None
        wanted = sum(math.prod(shapes[name]) for name in kept if name in shapes)
        try:
            memory.check(wanted, "forward needs")
        except CaffeError:  # layer by layer the error names the one that is too large
            return None
        walk = _Walk(self, layers, kept, shapes)
        for name in sources:
            walk.forms[name] = self._form(name, blobs[name], layers)
        walk.run()
        plan = Plan(layers, walk.steps, sources, kept, shapes, walk.watched)
        del walk
        units.give_back()
        return plan

    def _worth(self, layers, shapes):
        """Tell whether the convolutions of a range have enough multiply-adds."""
        total = 0
        for i, blobs in layers.params.items():
            if isinstance(layers.graph.layers[i], Convolution) and blobs:
                top = shapes[layers.graph.tops[i][0]]
                total += math.prod(top) * blobs[0].count // blobs[0].shape[0]
        return total >= WORTH

    def _form(self, name, blob, layers):
        """Return the form of a blob that the range reads from outside."""
        resting = blob.synced_data.resting
        if isinstance(resting, Packed):
            return Form(blob.shape, True, resting.border)
        border = None
        if name in self._graph.inputs:
            border = borders.of_input(blob.shape, self._stride())
        return Form(blob.shape, False, border)

    def _stride(self):
        """Return a stride with which all blobs of convolutions and pooling are in step."""
        strides: dict[str, int] = {}
        for layer, bottoms, tops in zip(self._graph.layers, self._graph.bottoms, self._graph.tops):
            below = math.lcm(*(strides.get(name, 1) for name in bottoms)) if bottoms else 1
            if isinstance(layer, Convolution):
                p = layer.spec.convolution_param
                below *= math.lcm(*(list(p.stride) or [1]), p.stride_h or 1, p.stride_w or 1)
            elif isinstance(layer, Pooling):
                q = layer.spec.pooling_param
                below *= math.lcm(q.stride or 1, q.stride_h or 1, q.stride_w or 1)
            strides |= dict.fromkeys(tops, below)
        return math.lcm(*strides.values()) if strides else 1

    def unit(self, i: int, relu: bool, geometry: Geometry) -> units.Unit:
        """Return the unit of convolution i, made anew if its weights have changed."""
        layer = self._graph.layers[i]
        blobs = self._params[layer.name]
        contents = [b.synced_data for b in blobs]
        state = ([(id(c), c.version()) for c in contents], units.threads())
        known = self._units.get((i, relu))
        if known is None or known[0] != state:
            self._units.pop((i, relu), None)
            tensors = Layers(self._graph, i, i, {}, {i: blobs}).weights(i)
            unit = units.convolution(
                layer.name,
                tensors[0],
                tensors[1] if len(tensors) > 1 else None,
                geometry.stride,
                geometry.dilation,
                layer.spec.convolution_param.group,
                relu,
            )
            known = self._units[i, relu] = state, unit
        return known[1]


class _Walk:
    """One walk over the layers of a range; see the module's docstring."""

    def __init__(self, planner, layers, kept, shapes):
        self._planner, self._layers, self._graph = planner, layers, layers.graph
        self._kept, self._shapes = kept, shapes
        self.forms: dict[str, Form] = {}
        self.steps: list[Step] = []
        self.watched: list[Blob] = []

    def run(self):
        """Fill `steps` and `watched`."""
        i = self._layers.first
        while i <= self._layers.last:
            layer = self._graph.layers[i]
            geometry = self._layers.geometries.get(i)
            if isinstance(layer, Convolution) and self._is_image(i, geometry):
                step = self._convolution(i, geometry)
            elif isinstance(layer, Pooling) and self._packs_pooling(i, layer, geometry):
                step = self._pooling(i, layer, geometry)
            elif isinstance(layer, Dropout) and self.forms[self._graph.bottoms[i][0]].packed:
                below = self._graph.bottoms[i][0]
                step = Same(i, i, (below,), tuple(self._graph.tops[i]))
                self.forms[self._graph.tops[i][0]] = self.forms[below]
            else:
                step = self._by_layer(i)
            self.steps.append(step)
            i = step.last + 1
        self._join()
        self._drop()

    def _by_layer(self, i):
        tops = tuple(self._graph.tops[i])
        if self._graph.layers[i].spec.type == "Input":
            return Step(i, i, (), ())
        for name in tops:
            self.forms[name] = Form(self._shapes[name])
        reads = tuple(dict.fromkeys(self._graph.bottoms[i]))
        return ByLayer(i, i, reads, tops, self._layers)

    def _is_image(self, i, geometry):
        """Tell whether a convolution has one bottom, N x C x H x W."""
        return (
            len(self._graph.bottoms[i]) == 1
            and geometry.extra["axis"] == 1
            and len(geometry.kernel) == 2
            and len(geometry.tops[0]) == 4
        )

    def _packs_pooling(self, i, layer, geometry):
        """Tell whether a pooling takes maxima over a Packed, in a way that ncnn does too."""
        return (
            self.forms[self._graph.bottoms[i][0]].packed
            and layer.spec.pooling_param.pool == caffe_pb2.PoolingParameter.MAX
            and layer.spec.pooling_param.round_mode == caffe_pb2.PoolingParameter.CEIL
            and not any(geometry.pad)
            and len(geometry.tops) == 1
            and all(k >= s for k, s in zip(geometry.kernel, geometry.stride))
        )

    def _relu_after(self, i):
        """Return whether layer i + 1 is a ReLU that can run with layer i."""
        top = self._graph.tops[i][0]
        after = self._graph.layers[i + 1] if i < self._layers.last else None
        if not isinstance(after, ReLU) or after.spec.relu_param.negative_slope:
            return False
        if self._graph.bottoms[i + 1] != [top]:
            return False
        readers = sum(top in self._graph.bottoms[j] for j in range(i + 1, self._layers.last + 1))
        return self._graph.tops[i + 1] == [top] or (top not in self._kept and readers == 1)

    def _convolution(self, i, geometry):
        relu = self._relu_after(i)
        last = i + relu
        reads, makes = tuple(self._graph.bottoms[i]), tuple(self._graph.tops[last])
        below = self.forms[reads[0]]
        tensors = self._layers.weights(i)
        border = self._border(i, geometry, below, tensors, relu)
        shape = tuple(geometry.tops[0])
        window = border.window if border is not None else whole(shape)
        layer = self._graph.layers[i]
        reach = reach_of(layer, geometry, [below.shape])
        need = reach.needed(window)

        def by_unit():
            unit = self._planner.unit(i, relu, geometry)
            return ByUnit(
                i, last, reads, makes, self._feed(layer.name, below, need), unit, shape, border
            )

        def by_torch():
            return ByTorch(i, last, reads, makes, self._layers, relu)

        def by_product():
            return ByProduct(i, last, reads, makes, self._layers, relu)

        case = Case(
            below.shape,
            shape,
            geometry.kernel,
            geometry.stride,
            geometry.pad,
            geometry.dilation,
            layer.spec.convolution_param.group,
            relu,
            below.packed,
            window,
        )
        way = choose(case, {"ncnn": by_unit, "torch": by_torch, "product": by_product}, reads[0])
        if way == "ncnn":
            step, form = by_unit(), Form(shape, True, border)
            self.watched += self._layers.params[i]
        else:
            step = by_product() if way == "product" else by_torch()
            form = Form(shape, False, border)
        self.forms[self._graph.tops[i][0]] = self.forms[makes[0]] = form
        return step

    def _pooling(self, i, layer, geometry):
        reads, makes = tuple(self._graph.bottoms[i]), tuple(self._graph.tops[i])
        below, shape = self.forms[reads[0]], tuple(geometry.tops[0])
        border = self._border(i, geometry, below, [], False)
        window = border.window if border is not None else whole(shape)
        need = reach_of(layer, geometry, [below.shape]).needed(window)
        need = tuple(n._replace(after=0) for n in need)  # the last window may exceed the image
        kernel = units.max_pooling(layer.name, geometry.kernel, geometry.stride)
        self.forms[makes[0]] = Form(shape, True, border)
        feed = self._feed(layer.name, below, need)
        return ByUnit(i, i, reads, makes, feed, kernel, shape, border, pools=True)

    def _border(self, i, geometry, below, params, relu):
        """Return what is static in the top of layer i and its ReLU; None if that is little."""
        if below.border is None or ncnn() is None:
            return None
        layer = self._graph.layers[i]
        border = borders.through(layer, geometry, below.border, params)
        if border is None or area(border.window) > MOST_STATIC * area(whole(border.shape)):
            return None
        if relu:
            border.small.relu_()
        # it holds what weights gave it, so a plan with it is for these weights
        self.watched += self._layers.params.get(i, ())
        return border

    def _feed(self, name: str, below: Form, need: Sequence[Need]) -> Surround | Cut | Paste:
        """Return what cuts or surrounds a bottom so that it has just the positions in `need`."""
        rows, columns = (slice(n.begin, n.end) for n in need)
        region = rows, columns
        (top, bottom), (left, right) = ((n.before, n.after) for n in need)
        zeros = (top, bottom, left, right)
        if not below.packed:
            return Cut(region, units.border(name, zeros, None) if any(zeros) else None)
        wanted: Window = tuple((n.begin, n.end) for n in need)
        border = below.border or _nothing_static(below.shape)
        window = border.window
        if wanted == window:
            return Surround(units.border(name, zeros, None) if any(zeros) else None)
        if contains(wanted, window) and not any(zeros) and border.uniform(wanted):
            (a, b), (c, d) = wanted
            (p, q), (r, s) = window
            margin = units.border(name, (p - a, b - q, r - c, d - s), border.constant())
            return Surround(margin)
        return Paste(border, region, zeros)

    def _join(self):
        """Let convolutions by ncnn and the pooling after them run in bands if they are large."""
        steps: list[Step] = []
        for step in self.steps:
            steps.append(step)
            if isinstance(step, ByUnit) and step.pools:
                chain = [step]
                while self._continues(steps, chain):
                    chain.insert(0, steps[-1 - len(chain)])
                if len(chain) > 1 and self._is_large(chain):
                    steps[-len(chain) :] = [self._by_bands(chain)]
        self.steps = steps

    def _continues(self, steps, chain):
        """Tell whether the step before a chain belongs to it: nobody else reads what it makes."""
        before = steps[-1 - len(chain)] if len(steps) > len(chain) else None
        if not isinstance(before, ByUnit) or before.pools or before.makes != chain[0].reads:
            return False
        (name,) = before.makes
        later = [s for s in self.steps if s.first > before.last]
        return name not in self._kept and sum(name in s.reads for s in later) == 1

    def _is_large(self, chain):
        windows = (step.border.window if step.border else whole(step.shape) for step in chain)
        return any(4 * s.shape[1] * area(w) > bands.LARGE for s, w in zip(chain, windows))

    def _by_bands(self, chain):
        links = []
        for step in chain:
            layer, geometry = self._graph.layers[step.first], self._layers.geometries[step.first]
            below = self.forms[step.reads[0]].shape
            reach = reach_of(layer, geometry, [below])
            links.append(Link(reach, step.kernel, step.shape, step.pools))
        first, last = chain[0], chain[-1]
        name = self._graph.layers[first.first].name
        window = last.border.window if last.border is not None else whole(last.shape)
        size = tuple(end - begin for begin, end in window)
        found = bands.cut(
            links,
            window,
            lambda need: self._feed(name, self.forms[first.reads[0]], need),
            functools.cache(lambda edges: units.border(name, edges, None)),
        )
        return ByBands(
            first.first, last.last, first.reads, last.makes, found, size, last.shape, last.border
        )

    def _drop(self):
        """Tell each step what no later one reads."""
        seen = set(self._kept)
        for step in reversed(self.steps):
            step.drops = tuple(
                n for n in dict.fromkeys((*step.reads, *step.makes)) if n not in seen
            )
            seen.update(step.reads)


def _nothing_static(shape):
    """Return the Border of a blob that is Packed whole, for `Paste`."""
    return Border(shape, whole(shape), None, torch.zeros(()).expand(1, *shape[1:]))


def sources_of(graph: Graph, first: int, last: int) -> list[str]:
    """Return the blobs that layers first..last read from outside, net inputs among them too."""
    made: set[str] = set()
    sources: dict[str, None] = {}
    for i in range(first, last + 1):
        if graph.layers[i].spec.type == "Input":
            sources |= dict.fromkeys(graph.tops[i])
            continue
        sources |= dict.fromkeys(name for name in graph.bottoms[i] if name not in made)
        made.update(graph.tops[i])
    return list(sources)
