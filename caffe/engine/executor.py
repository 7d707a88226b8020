"""Executor: runs the layers of one net by number, forward and backward.

It owns what a run leaves behind and later runs look at: the geometry of each layer, the tapes that
backward reads, and what each blob was computed from. The `Net` decides which layers run; other ways
to run a range of layers belong beside this module and take the same arguments.
"""

from caffe.blobs import device, memory
from caffe.blobs.blob import Blob, refusal
from caffe.blobs.learned import learns
from caffe.engine import compute
from caffe.engine.freshness import Freshness
from caffe.layer_types.base import Geometry, LayerType, StatefulLayer


class Executor:
    """Layers of a net by number, their shapes, and the state between runs.

    Parameters
    ----------
    graph : caffe.graph.Graph
        The layers in order and how they are connected.
    blobs : dict of str to Blob
        The net's blobs by name.
    params : dict of str to list of Blob
        The learned blobs by layer name; filled by the net while it sets up its layers.

    Attributes
    ----------
    geometry : dict of int to (list of shapes, Geometry)
        Per layer the bottom shapes and the Geometry that follows from them; stateful layers have
        none.
    freshness : Freshness
        What each blob was computed from.
    """

    def __init__(self, graph, blobs, params):
        self.graph, self.blobs, self.params = graph, blobs, params
        self.geometry = {}
        self.freshness = Freshness(graph, blobs)
        self._tapes = {}  # layer number -> Tape of its last forward
        self._last_reader = {}  # blob name -> place of the reader that wrote its diff last

    def ends(self, i: int) -> tuple[list[Blob], list[Blob]]:
        """Return the Blobs below and above layer i."""
        return (
            [self.blobs[n] for n in self.graph.bottoms[i]],
            [self.blobs[n] for n in self.graph.tops[i]],
        )

    # shapes

    def reshape_layer(self, i: int, setting_up: bool = False) -> Geometry | None:
        """Give layer i's tops the shapes that follow from its bottoms.

        Parameters
        ----------
        i : int
            Number of the layer.
        setting_up : bool
            True once, while the net is built: Input layers then take the shapes of the prototxt.

        Returns
        -------
        Geometry or None
            None for a stateful layer, which shapes its tops itself.
        """
        layer, (bottoms, tops) = self.graph.layers[i], self.ends(i)
        before = [b.shape for b in tops]
        if isinstance(layer, StatefulLayer):
            layer.reshape(bottoms, tops)
            geometry = None
        else:
            geometry = self._geometry_of(i, layer, [b.shape for b in bottoms])
            if setting_up or layer.spec.type != "Input":
                self._shape_tops(i, layer, geometry, setting_up)
        self._write_loss_weights(i, [None] * len(tops) if setting_up else before)
        return geometry

    def _shape_tops(self, i, layer: LayerType, geometry: Geometry, setting_up: bool) -> None:
        """Clear each top whose shape is not the one in `geometry`."""
        for name, shape in zip(self.graph.tops[i], map(tuple, geometry.tops)):
            blob = self.blobs[name]
            fits = blob.shape == shape
            if layer.content_sized and not setting_up:  # fewer rows than the most are right, too
                fits = fits or blob.shape[1:] == shape[1:] and blob.shape[0] <= shape[0]
            if not fits:
                blob.clear(shape)
                self.freshness.forget(name)

    def _write_loss_weights(self, i: int, before: list) -> None:
        """Write the loss weights of layer i's tops to their diffs if the shape is new."""
        for name, shape in zip(self.graph.tops[i], before):
            weight, blob = self.graph.loss_weights[name], self.blobs[name]
            if weight and blob.shape != shape:
                memory.check(blob.count, f"the loss {name!r} takes")
                blob.diff[...] = weight

    def _geometry_of(self, i: int, layer: LayerType, shapes: list) -> Geometry:
        """Return the checked Geometry for bottoms of these shapes; kept until they change."""
        known = self.geometry.get(i)
        if not known or known[0] != shapes:
            geometry = layer.ask(layer.geometry, shapes)
            for name, shape in zip(self.graph.tops[i], geometry.tops):
                if problem := refusal(shape):
                    raise layer.mismatch(f"its top {name!r} {problem}")
            self._check_params(layer, shapes)
            known = self.geometry[i] = shapes, geometry
        return known[1]

    def _check_params(self, layer: LayerType, shapes: list) -> None:
        """Raise ShapeMismatch if bottoms of new shapes need weights of other shapes."""
        asked = layer.ask(layer.param_shapes, shapes)
        for blob, (wanted, _) in zip(self.params.get(layer.name, ()), asked):
            if blob.shape != tuple(wanted):
                raise layer.mismatch(
                    f"its weights are {blob.shape}, but bottoms of shapes {shapes} need "
                    f"{tuple(wanted)}"
                )

    # forward

    def forward_layer(self, i: int) -> None:
        """Run layer i on what its bottoms hold.

        Raises
        ------
        StaleInput
            If a bottom was never computed, or for another input size.
        LayerError
            If the layer cannot run, or there is no memory for its tops.
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
            self._tapes[i] = compute.forward(layer, geometry, bottoms, params, tops, down)
            # a content_sized layer has only now given its tops a shape
            self._write_loss_weights(i, before)
        self.freshness.record(i, sources)

    # backward

    def trace_missing(self, first: int, last: int) -> None:
        """Give the layers first..last that never ran forward the tapes their backward needs."""
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
        wanted = [self.graph.force_backward or learns(layer, k) for k in range(len(params))]
        for name in self.graph.tops[i]:
            self._last_reader.pop(name, None)  # an in-place top is another blob from here down
        first = [
            d and self._begins(name, (-i, j))
            for j, (name, d) in enumerate(zip(self.graph.bottoms[i], down))
        ]
        compute.backward(layer, self._tapes.get(i), bottoms, params, tops, down, first, wanted)

    def _begins(self, name: str, place: tuple[int, int]) -> bool:
        """Return True if the reader at `place` overwrites the blob's diff, False if it adds to it.

        `place` is (- layer number, bottom number), which grows on the way down. A place that comes
        after the last one adds; any other begins a new sweep, whole or from a stage. A sweep of a
        blob that is a loss and is read as well begins at its loss weight.
        """
        begins = place <= self._last_reader.get(name, place)
        self._last_reader[name] = place
        weight = self.graph.loss_weights[name]
        if begins and weight:
            self.blobs[name].diff[...] = weight
        return begins and not weight
