"""NetReach: what a change of some pixels reaches in a whole net, and what computing it costs.

`caffe.engine.reach` has the maths of one layer. Here windows go from layer to layer, and the
multiply-adds of the layers with dense weights (Convolution, Deconvolution, InnerProduct) are
counted: all of them, or those of the positions that a change reaches. A weight of a convolution is
used once per position of its top, of a deconvolution once per position of its bottom.
"""

import math
from collections.abc import Mapping, Sequence

from caffe.blobs.blob import Blob
from caffe.engine.reach import (
    LayerReach,
    Window,
    area,
    contains,
    hull,
    is_restless,
    reach_of,
    whole,
)
from caffe.graph import Graph
from caffe.layer_types.base import Blobs, Geometry, LayerType, Shape
from caffe.layer_types.conv import Convolution, Deconvolution
from caffe.layer_types.inner_product import InnerProduct

Windows = dict[str, Window]  # blob name -> what may differ in it; blobs that are missing are equal


class NetReach:
    """How windows pass through the layers of a net, at the present shapes of its blobs.

    Parameters
    ----------
    graph : Graph
    blobs : mapping of str to Blob
        The net's blobs by name, after their shapes were propagated.
    params : mapping of str to sequence of Blob
        The learned blobs by layer name.
    geometry : mapping of int to (list of shapes, Geometry)
        As in `Executor`.

    Attributes
    ----------
    layers : list of LayerReach or None
        Per layer; None if a change of a bottom may change all of its tops.
    restless : list of bool
        Per layer, whether its tops may change though no bottom did.
    """

    def __init__(
        self,
        graph: Graph,
        blobs: Mapping[str, Blob],
        params: Mapping[str, Blobs],
        geometry: Mapping[int, tuple[list[Shape], Geometry]],
    ):
        self._graph, self._params = graph, params
        self._shapes: dict[str, Shape] = {name: blob.shape for name, blob in blobs.items()}
        self.layers: list[LayerReach | None] = []
        self.restless: list[bool] = []
        for i, layer in enumerate(graph.layers):
            known = geometry.get(i)
            own = known[1] if known else None
            shapes = [self._shapes[name] for name in graph.bottoms[i]]
            self.layers.append(reach_of(layer, own, shapes))
            self.restless.append(is_restless(layer, own))

    def through(self, i: int, bottoms: Sequence[Window | None]) -> list[Window | None]:
        """Return the window of each top of layer i that these windows of its bottoms reach.

        Parameters
        ----------
        i : int
            Number of the layer.
        bottoms : sequence of Window or None
            One per bottom; None for a bottom that did not change.

        Returns
        -------
        list of Window or None
            One per top; None for a top that cannot change.
        """
        tops = [whole(self._shapes[name]) for name in self._graph.tops[i]]
        if self.restless[i]:
            return list(tops)
        reach = self.layers[i]
        if reach is None:
            return [top if any(b is not None for b in bottoms) else None for top in tops]
        reached: list[Window | None] = []
        for reads in reach.reads:
            window = None
            for place in reads:
                below = bottoms[place]
                window = hull(window, reach.reached(below) if below is not None else None)
            reached.append(window)
        return reached

    def reached(
        self, changed: Mapping[str, Window], first: int = 0, last: int | None = None
    ) -> list[list[Window | None]]:
        """Return what a change reaches in each layer of a range.

        Parameters
        ----------
        changed : mapping of str to Window
            What differs in the blobs that the range reads, such as the net's inputs.
        first, last : int
            Numbers of layers, both inclusive; all if not given.

        Returns
        -------
        list of list of (Window or None)
            Per layer of the range, one window per top.
        """
        now: dict[str, Window | None] = dict(changed)
        last = len(self.layers) - 1 if last is None else last
        found = []
        for i in range(first, last + 1):
            tops = self._graph.tops[i]
            if self._graph.layers[i].spec.type == "Input":
                windows = [now.get(name) for name in tops]
            else:
                windows = self.through(i, [now.get(name) for name in self._graph.bottoms[i]])
            now.update(zip(tops, windows))
            found.append(windows)
        return found

    def interiors(self) -> dict[str, Window | None]:
        """Return for each blob the window that no outer edge of a blob below it reaches.

        Within it, outside of what the net's inputs reach, the blob is one constant per channel.
        None stands for an input, which continues as zeros; an empty window if that is not known.
        """
        found: dict[str, Window | None] = {}
        for i, layer in enumerate(self._graph.layers):
            for k, name in enumerate(self._graph.tops[i]):
                if layer.spec.type == "Input":
                    found[name] = None
                    continue
                reach = self.layers[i]
                empty = tuple((0, 0) for _ in whole(self._shapes[name]))
                if reach is None or self.restless[i]:
                    found[name] = empty
                    continue
                parts = [reach.interior(found[self._graph.bottoms[i][b]]) for b in reach.reads[k]]
                found[name] = tuple(
                    (max(s[0] for s in spans), max(0, min(s[1] for s in spans)))
                    for spans in zip(*parts)
                )
        return found

    def multiply_adds(self, i: int, tops: Sequence[Window | None] | None = None) -> int:
        """Count the multiply-adds of layer i: all, or those for windows of its tops.

        Parameters
        ----------
        i : int
            Number of the layer.
        tops : sequence of Window or None, optional
            One per top, as `through` returns them.
        """
        layer, graph = self._graph.layers[i], self._graph
        weights = self._params.get(layer.name, ())
        pairs = [
            (self._shapes[b], self._shapes[t]) for b, t in zip(graph.bottoms[i], graph.tops[i])
        ]
        return multiply_adds(layer, self.layers[i], weights, pairs, tops)

    def all_multiply_adds(self, changed: Mapping[str, Window] | None = None) -> dict[str, int]:
        """Count the multiply-adds of every layer: all, or those that a change reaches.

        Parameters
        ----------
        changed : mapping of str to Window, optional
            The window of each input in which it differs, ((top, bottom), (left, right)).

        Returns
        -------
        dict of str to int
            By layer name.
        """
        reached = None if changed is None else self.reached(changed)
        return {
            layer.name: self.multiply_adds(i, reached[i] if reached is not None else None)
            for i, layer in enumerate(self._graph.layers)
        }


def multiply_adds(
    layer: LayerType,
    reach: LayerReach | None,
    weights: Blobs,
    pairs: Sequence[tuple[Shape, Shape]],
    tops: Sequence[Window | None] | None = None,
) -> int:
    """Count the multiply-adds of a layer: all, or those for windows of its tops.

    Parameters
    ----------
    layer : LayerType
    reach : LayerReach or None
        As `reach_of` returns it.
    weights : sequence of Blob
        Its learned blobs.
    pairs : sequence of (Shape, Shape)
        The shape of each top, with that of the bottom of the same number.
    tops : sequence of Window or None, optional
        One per top; None for a top of which nothing is computed.
    """
    if not isinstance(layer, (Convolution, Deconvolution, InnerProduct)):
        return 0
    count, positions = weights[0].count, 0
    for k, (below, above) in enumerate(pairs):
        window = whole(above) if tops is None else tops[k]
        if window is None:
            continue
        if isinstance(layer, InnerProduct):
            positions += math.prod(above) // weights[0].shape[0]
            continue
        spread = isinstance(layer, Deconvolution)
        counted = below if spread else above
        if reach is None:  # its channel axis is another one
            axis = layer.spec.convolution_param.axis % len(counted)
            positions += math.prod(counted[:axis]) * math.prod(counted[axis + 1 :])
            continue
        if spread and contains(window, whole(above)):
            window = whole(below)
        elif spread:
            window = tuple((need.begin, need.end) for need in reach.needed(window))
        positions += counted[0] * area(window)
    return positions * count
