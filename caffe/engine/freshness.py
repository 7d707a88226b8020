"""Whether what a blob holds can still be used: a stage must not run on inputs of another size.

Every computed blob remembers the shapes of the net's inputs that it came from. A blob that the user
filled by hand counts as computed.
"""

from caffe.errors import StaleInput

CLEARED = "no shape"  # of a blob that was computed once and cleared since


class Freshness:
    """Keeps, for each blob computed, its shape and {source blob: shape} of what it came from."""

    def __init__(self, graph, blobs):
        self._graph, self._blobs = graph, blobs
        self._made = {}

    def record(self, i, sources):
        """Layer i has just computed its tops from `sources`, as `check` gave them."""
        for name in self._graph.tops[i]:
            shape = self._blobs[name].shape
            self._made[name] = shape, sources if self._graph.bottoms[i] else {name: shape}

    def forget(self, name):
        """The blob was given another shape and is empty now, even should the old one come back."""
        if name in self._made:
            self._made[name] = CLEARED, {}

    def check(self, i):
        """{source blob: shape} that layer i's bottoms come from.

        StaleInput where a bottom was never computed, or from a source of another shape than now.
        """
        sources = {}
        for name in self._graph.bottoms[i]:
            blob = self._blobs[name]
            if name in self._graph.inputs:
                sources[name] = blob.shape
                continue
            shape, made_from = self._made.get(name, (None, {}))
            if shape != blob.shape:
                if blob.synced_data.blank:
                    self._refuse(
                        i,
                        name,
                        "has not been computed" + (" since the net was reshaped" if shape else ""),
                    )
                made_from = {}  # filled by hand: it stands for itself
            for source, size in made_from.items():
                if self._blobs[source].shape != size:
                    self._refuse(
                        i,
                        name,
                        f"was computed from {source!r} of shape {size}, which is {self._blobs[source].shape} now",
                    )
            sources.update(made_from)
        return sources

    def _refuse(self, i, blob, why):
        graph = self._graph
        maker = next(layer.name for layer, tops in zip(graph.layers, graph.tops) if blob in tops)
        raise graph.layers[i].error(
            f"its bottom {blob!r} {why}: run forward from layer {maker!r} or before it", StaleInput
        )
