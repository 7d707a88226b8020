"""Executor: runs the layers of one net by number, forward and backward.

It owns the state between runs: the geometry of each layer, the tapes that backward reads, and what
each blob was computed from. The `Net` decides which layers run. A range runs layer by layer, which
is always possible, or by a plan (`caffe.engine.planner`) where nothing has to be recorded.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

import torch

from caffe.blobs import device, memory
from caffe.blobs.blob import Blob, refusal
from caffe.blobs.learned import learns
from caffe.engine import compute
from caffe.engine.freshness import Freshness
from caffe.engine.kernels.choice import kernels
from caffe.engine.kernels.units import Unit
from caffe.engine.plan import Plan, form
from caffe.engine.planner import Planner, can_plan, sources_of
from caffe.graph import Graph
from caffe.layer_types.base import Blobs, Geometry, LayerType, Shape, StatefulLayer

MOST_PLANS = 16  # of a net: for its ranges, at the last input sizes


class Executor:
    """Layers of a net by number, their shapes, and the state between runs.

    Parameters
    ----------
    graph : Graph
        The layers in order and how they are connected.
    blobs : mapping of str to Blob
        The net's blobs by name.
    params : mapping of str to sequence of Blob
        The learned blobs by layer name; the net fills it while it sets up its layers.

    Attributes
    ----------
    geometry : dict of int to (list of shapes, Geometry)
        Per layer the bottoms' shapes and the Geometry that follows from them; stateful layers have
        none.
    freshness : Freshness
        What each blob was computed from.
    keep : set of str
        Blobs that a plan keeps though no layer outside of its range reads them.
    """

    def __init__(self, graph: Graph, blobs: Mapping[str, Blob], params: Mapping[str, Blobs]):
        self.graph, self.blobs, self.params = graph, blobs, params
        self.geometry: dict[int, tuple[list[Shape], Geometry]] = {}
        self.freshness = Freshness(graph, blobs)
        # layer number -> Tape of its last forward
        self._tapes: dict[int, compute.Tape | None] = {}
        self.keep: set[str] = set()
        self._asked: set[str] = set()  # blobs whose values someone asked for after a plan had run
        self._planner = Planner(graph, params)
        self._plans: OrderedDict[tuple, Plan | None] = OrderedDict()
        # blob name -> place of the reader that wrote its diff last
        self._last_reader: dict[str, tuple[int, int]] = {}

    def ends(self, i: int) -> tuple[list[Blob], list[Blob]]:
        """Return the bottoms and tops of layer i."""
        return (
            [self.blobs[n] for n in self.graph.bottoms[i]],
            [self.blobs[n] for n in self.graph.tops[i]],
        )

    # Shapes

    def reshape_layer(self, i: int, setting_up: bool = False) -> Geometry | None:
        """Give layer i's tops the shapes that follow from its bottoms.

        Parameters
        ----------
        i : int
            Number of the layer.
        setting_up : bool
            True once, while the net is built: Input layers then get the shapes of the prototxt.

        Returns
        -------
        Geometry or None
            None for a stateful layer, which shapes its tops itself.
        """
        layer, (bottoms, tops) = self.graph.layers[i], self.ends(i)
        before = [b.shape for b in tops]
        if isinstance(layer, StatefulLayer):
            try:
                layer.reshape(bottoms, tops)
            except BaseException:  # the user's code may have reshaped some of the tops
                self.fail(i)
                raise
            geometry = None
        else:
            geometry = self._geometry_of(i, layer, [b.shape for b in bottoms])
            if setting_up or layer.spec.type != "Input":
                self._shape_tops(i, layer, geometry, setting_up)
        self._write_loss_weights(i, [None] * len(tops) if setting_up else before)
        return geometry

    def _shape_tops(self, i: int, layer: LayerType, geometry: Geometry, setting_up: bool) -> None:
        """Clear each top whose shape is not the one in `geometry`."""
        for name, shape in zip(self.graph.tops[i], map(tuple, geometry.tops)):
            blob = self.blobs[name]
            fits = blob.shape == shape
            if layer.content_sized and not setting_up:  # the geometry has the largest row number
                fits = fits or blob.shape[1:] == shape[1:] and blob.shape[0] <= shape[0]
            if not fits:
                blob.clear(shape)
                self.freshness.forget(name)

    def _write_loss_weights(self, i: int, before: Sequence[Shape | None]) -> None:
        """Write the loss weights of layer i's tops to their diffs if the shape has changed."""
        for name, shape in zip(self.graph.tops[i], before):
            weight, blob = self.graph.loss_weights[name], self.blobs[name]
            if weight and blob.shape != shape:
                memory.check(blob.count, f"the loss {name!r} takes")
                blob.diff[...] = weight

    def _geometry_of(self, i: int, layer: LayerType, shapes: list[Shape]) -> Geometry:
        """Return the checked Geometry for bottoms of these shapes, cached until they change."""
        known = self.geometry.get(i)
        if not known or known[0] != shapes:
            geometry = layer.ask(layer.geometry, shapes)
            for name, shape in zip(self.graph.tops[i], geometry.tops):
                if problem := refusal(shape):
                    raise layer.mismatch(f"its top {name!r} {problem}")
            self._check_params(layer, shapes)
            known = self.geometry[i] = shapes, geometry
        return known[1]

    def _check_params(self, layer: LayerType, shapes: list[Shape]) -> None:
        """Raise ShapeMismatch if bottoms of new shapes need weights of other shapes."""
        needed = layer.ask(layer.param_shapes, shapes)
        for blob, (wanted, _) in zip(self.params.get(layer.name, ()), needed):
            if blob.shape != tuple(wanted):
                raise layer.mismatch(
                    f"its weights are {blob.shape}, but bottoms of shapes {shapes} need "
                    f"{tuple(wanted)}"
                )

    # Forward

    def forward_range(self, first: int, last: int, wanted: Iterable[str] = ()) -> None:
        """Run layers first..last, both inclusive, by plans where that is possible.

        Parameters
        ----------
        first, last : int
        wanted : iterable of str
            Blobs whose values will be read next.

        Raises
        ------
        CaffeError
            As `forward_layer` does.
        """
        planned = kernels() != "torch" and device.device() == device.CPU
        planned = planned and device.precision() == torch.float32
        i = first
        while i <= last:
            end = i
            while planned and end <= last and can_plan(self.graph, end):
                end += 1
            if end > i and (plan := self._plan(i, end - 1, wanted)):
                plan.run(self.blobs, self.freshness, self._asked.add, self._give_shape)
                for k in range(i, end):
                    self._tapes.pop(k, None)
                i = end
                continue
            for k in range(i, max(end, i + 1)):
                self.forward_layer(k)
            i = max(end, i + 1)

    def _plan(self, first, last, wanted):
        """Return the plan for a range as it is called now, None if there is no use in one."""
        outside = self._read_outside(first, last)
        names = {name for i in range(first, last + 1) for name in self.graph.tops[i]}
        kept = frozenset(
            name
            for name in names
            if name in outside
            or name in self.keep
            or name in self._asked
            or name in wanted
            or self.blobs[name].synced_data.viewed
        )
        sources = sources_of(self.graph, first, last)
        forms = tuple(form(self.blobs[name]) for name in sources)
        key = (first, last, kept, forms, kernels(), torch.get_num_threads())
        if key in self._plans:
            plan = self._plans[key]
            if plan is None or plan.current():
                self._plans.move_to_end(key)
                return plan
            del self._plans[key], plan
        plan = self._planner.plan(first, last, kept, self.blobs, self._geometry_of)
        self._plans[key] = plan
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)
        return plan

    def unit(self, i: int, relu: bool) -> Unit:
        """Return the unit of convolution i at its last geometry, with the weights as they are."""
        return self._planner.unit(i, relu, self.geometry[i][1])

    def _read_outside(self, first, last):
        """Return the blobs of a range that others may read: layers outside, the user at its end."""
        graph = self.graph
        names = set(graph.tops[last]).union(graph.outputs)
        return names.union(*graph.bottoms[:first], *graph.bottoms[last + 1 :])

    def _give_shape(self, name: str, shape: Shape) -> None:
        """Clear a blob that has another shape."""
        blob = self.blobs[name]
        if blob.shape != shape:
            blob.clear(shape)
            self.freshness.forget(name)

    def forward_layer(self, i: int) -> None:
        """Run layer i on the present values of its bottoms.

        Raises
        ------
        StaleInput
            If a bottom was never computed, or was computed for another input size.
        LayerError
            If the layer cannot run.
        CaffeError
            If there is not enough memory for its tops.
        """
        layer, (bottoms, tops) = self.graph.layers[i], self.ends(i)
        sources = self.freshness.check(i)
        geometry = self.reshape_layer(i)
        params = self.params.get(layer.name, ())
        down = self.graph.down[i] if self.graph.need[i] else None
        if device.device() == device.CPU and not all(b.synced_data.held for b in tops):
            memory.check(sum(b.count for b in tops), f"layer {layer.name!r} needs")
        if layer.spec.type != "Input":
            before = [b.shape for b in tops]
            try:
                self._tapes[i] = compute.forward(layer, geometry, bottoms, params, tops, down)
                # only now do the tops of a content_sized layer have their shape
                self._write_loss_weights(i, before)
                self.freshness.record(i, sources)
            except BaseException:  # KeyboardInterrupt too
                self.fail(i)
                raise
        else:
            self.freshness.record(i, sources)

    def fail(self, i: int) -> None:
        """Record that layer i did not end: neither its tops nor its tape may be used."""
        self.freshness.unfinished(i)
        self._tapes.pop(i, None)

    # Backward

    def trace_missing(self, first: int, last: int) -> None:
        """Record tapes for backward through those layers of first..last that never ran forward."""
        for i in range(first, last + 1):
            layer, (bottoms, tops) = self.graph.layers[i], self.ends(i)
            if self.graph.need[i] and i not in self._tapes and not isinstance(layer, StatefulLayer):
                geometry = self._geometry_of(i, layer, [b.shape for b in bottoms])
                params = self.params.get(layer.name, ())
                self._tapes[i] = compute.trace(
                    layer, geometry, bottoms, params, tops, self.graph.down[i]
                )

    def backward_layer(self, i: int) -> None:
        """Propagate the diffs of layer i's tops to its bottoms and add to those of its weights."""
        if not self.graph.need[i]:
            return
        layer, (bottoms, tops) = self.graph.layers[i], self.ends(i)
        params, down = self.params.get(layer.name, ()), self.graph.down[i]
        learning = [self.graph.force_backward or learns(layer, k) for k in range(len(params))]
        for name in self.graph.tops[i]:
            self._last_reader.pop(name, None)  # below an in-place layer it is another blob
        overwrite = [
            d and self._begins(name, (-i, j))
            for j, (name, d) in enumerate(zip(self.graph.bottoms[i], down))
        ]
        tape = self._tapes.get(i)
        compute.backward(layer, tape, bottoms, params, tops, down, overwrite, learning)

    def _begins(self, name: str, place: tuple[int, int]) -> bool:
        """Return True if the reader at `place` overwrites the blob's diff, False if it adds to it.

        `place` is (- layer number, bottom number), which grows on the way down. A place after the
        last one adds to the same sweep; any other place begins a new sweep. If the blob is a loss
        as well, the new sweep begins at its loss weight, to which the reader then adds.
        """
        begins = place <= self._last_reader.get(name, place)
        self._last_reader[name] = place
        weight = self.graph.loss_weights[name]
        if begins and weight:
            self.blobs[name].diff[...] = weight
        return begins and not weight
