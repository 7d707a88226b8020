"""Freshness: whether a blob's values may still be used as the input of a stage.

A stage must not run on values that were computed for another input size, so each computed blob
remembers the shapes of the net inputs that it depends on. A blob that the user filled by hand
counts as computed: `caffe.blobs.watched` notices writes, whatever the values, and what it cannot
see counts if it is not all zero. The tops of a layer that raised, or was interrupted, are half
written and count as not computed.
"""

from collections.abc import Mapping
from typing import NoReturn

from caffe.blobs.blob import Blob
from caffe.errors import StaleInput
from caffe.graph import Graph
from caffe.layer_types.base import NO_SHAPE, Shape

Sources = dict[str, Shape]  # net input, or blob filled by hand -> its shape


class Freshness:
    """Records for each computed blob its shape and the sources that it was computed from.

    Parameters
    ----------
    graph : Graph
    blobs : mapping of str to Blob
        The net's blobs by name.
    """

    def __init__(self, graph: Graph, blobs: Mapping[str, Blob]):
        self._graph, self._blobs = graph, blobs
        # shape None: was computed once and has been cleared since
        self._computed: dict[str, tuple[Shape | None, Sources]] = {}
        self._unfinished: dict[str, str] = {}  # blob -> layer that did not end
        self._inputs = frozenset(graph.inputs)
        for name, blob in blobs.items():
            blob.watch(self, name)

    def record(self, i: int, sources: Sources) -> None:
        """Record that layer i has just computed its tops.

        Parameters
        ----------
        i : int
            Number of the layer.
        sources : dict of str to shape
            The result of `check` before the layer ran.
        """
        for name in self._graph.tops[i]:
            shape = self._blobs[name].shape
            self._computed[name] = shape, sources if self._graph.bottoms[i] else {name: shape}
            self._unfinished.pop(name, None)

    def unfinished(self, i: int) -> None:
        """Record that layer i raised or was interrupted, so that its tops are half written."""
        for name in self._graph.tops[i]:
            if name not in self._inputs:
                self._unfinished[name] = self._graph.layers[i].name

    def filled(self, name: str) -> None:
        """Record that a blob was filled by hand: an outdated one is valid and has no source now."""
        if self.outdated(name):
            self._computed[name] = self._blobs[name].shape, {}
            self._unfinished.pop(name, None)

    def outdated(self, name: str) -> bool:
        """Tell whether a blob was never computed, was half computed, or for another input size."""
        if name in self._inputs:
            return False
        if name in self._unfinished:
            return True
        shape, sources = self._computed.get(name, (None, {}))
        return shape != self._blobs[name].shape or any(
            self._blobs[source].shape != then for source, then in sources.items()
        )

    def forget(self, name: str) -> None:
        """Record that a blob was cleared; it stays so even if its old shape comes back."""
        if name in self._computed:
            self._computed[name] = None, {}

    def check(self, i: int) -> Sources:
        """Return the sources of layer i's bottoms.

        Parameters
        ----------
        i : int
            Number of the layer.

        Returns
        -------
        dict of str to shape
            Shapes of the inputs that the bottoms were computed from.

        Raises
        ------
        StaleInput
            If a bottom was never computed, its layer did not end, or a source has another shape
            now.
        """
        sources: Sources = {}
        for name in self._graph.bottoms[i]:
            blob = self._blobs[name]
            if name in self._graph.inputs:
                if name in self._graph.unshaped and blob.shape == NO_SHAPE:
                    raise self._graph.layers[i].error(
                        f"its bottom {name!r} has no shape in the prototxt: call "
                        f"net.blobs[{name!r}].reshape(...) first, and fill it",
                        StaleInput,
                    )
                sources[name] = blob.shape
                continue
            if name in self._unfinished:
                self._refuse(i, name, f"is half computed: layer {self._unfinished[name]!r} failed")
            shape, own_sources = self._computed.get(name, (None, {}))
            if shape != blob.shape:
                if blob.synced_data.blank:
                    since = " since the net was reshaped" if name in self._computed else ""
                    self._refuse(i, name, f"has not been computed{since}")
                own_sources = {}  # filled by hand, so it has no source
            for source, then in own_sources.items():
                now = self._blobs[source].shape
                if now != then:
                    self._refuse(
                        i,
                        name,
                        f"was computed from {source!r} of shape {then}, which has shape {now} now",
                    )
            sources.update(own_sources)
        return sources

    def _refuse(self, i: int, blob: str, why: str) -> NoReturn:
        graph = self._graph
        maker = next(layer.name for layer, tops in zip(graph.layers, graph.tops) if blob in tops)
        raise graph.layers[i].error(
            f"its bottom {blob!r} {why}: run forward from layer {maker!r} or before it, or fill "
            "the blob by hand (.data[...] = values)",
            StaleInput,
        )
