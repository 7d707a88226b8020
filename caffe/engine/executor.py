"""Executor: runs the layers of one net by number, forward and backward.

It owns the state between runs: the geometry of each layer, the tapes that backward reads, and what
each blob was computed from. The `Net` decides which layers run. Another way to run a range of
layers belongs in a module of its own in this package, with the same interface.
"""

from collections.abc import Mapping, Sequence

from caffe.blobs import device, memory
from caffe.blobs.blob import Blob, refusal
from caffe.blobs.learned import learns
from caffe.engine import compute
from caffe.engine.freshness import Freshness
from caffe.graph import Graph
from caffe.layer_types.base import Blobs, Geometry, LayerType, Shape, StatefulLayer


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
    """

    def __init__(self, graph: Graph, blobs: Mapping[str, Blob], params: Mapping[str, Blobs]):
        self.graph, self.blobs, self.params = graph, blobs, params
        self.geometry: dict[int, tuple[list[Shape], Geometry]] = {}
        self.freshness = Freshness(graph, blobs)
        # layer number -> Tape of its last forward
        self._tapes: dict[int, compute.Tape | None] = {}
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
