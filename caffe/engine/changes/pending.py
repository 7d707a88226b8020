"""Pending: what has changed in the bottoms of each layer since it last ran, and who made each blob.

The windows that a layer writes are noted for all layers that read its tops, and stay noted until
these run, however many frames later. A blob that somebody else wrote to has changed everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from caffe.engine.changes.regions import NOTHING, Region, joined
from caffe.engine.executor import Executor
from caffe.engine.reach import whole


@dataclass(frozen=True)
class _Made:
    """Which layers made what a blob holds: a layer and those that ran in place after it."""

    version: int
    group: tuple[int, ...]


class Pending:
    """The changes that the layers of one net have not taken in yet.

    A group is a layer and those that run in place on its tops.

    Parameters
    ----------
    executor : Executor
        Of the net.
    """

    def __init__(self, executor: Executor):
        self._executor, self._graph = executor, executor.graph
        self._readers: dict[str, list[tuple[int, int]]] = {}
        for i, bottoms in enumerate(self._graph.bottoms):
            for j, name in enumerate(bottoms):
                self._readers.setdefault(name, []).append((i, j))
        self.forget()

    def forget(self) -> None:
        """Know nothing: no layer is known to have run."""
        # (layer, number of the bottom) -> what changed in it since the layer ran; missing: all
        self._pending: dict[tuple[int, int], Region] = {}
        self._made: dict[str, _Made] = {}
        self._weights: dict[int, tuple] = {}

    def note(self, name: str, region: Region, group: Sequence[int] = ()) -> None:
        """Record for all readers of a blob, except those in the group, that windows changed."""
        if not region:
            return
        for i, j in self._readers.get(name, ()):
            if i not in group and (i, j) in self._pending:
                self._pending[i, j] = joined([*self._pending[i, j], *region])

    def ran(self, group: tuple[int, ...], region: Region) -> None:
        """Record that a group ran, and which windows of its tops it changed."""
        for j in range(len(self._graph.bottoms[group[0]])):
            self._pending[group[0], j] = NOTHING
        self._weights[group[0]] = self._versions(group)
        for name in self._graph.tops[group[0]]:
            self.note(name, region, group)
            self._made[name] = self._now(name, group)

    def drop_tops(self, i: int) -> None:
        """Record that the tops of layer i do not hold their values."""
        for name in self._graph.tops[i]:
            del self._made[name]

    def below(self, i: int) -> list[Region] | None:
        """Return what has changed in each bottom since layer i ran, None if that is not known."""
        for name in self._graph.bottoms[i]:
            if name in self._graph.inputs:
                continue
            made = self._made.get(name)
            version = self._executor.blobs[name].synced_data.version()
            if made is None or made.version != version:  # written by others
                self._made[name] = _Made(version, ())
                self.note(name, (whole(self._executor.blobs[name].shape),))
        keys = [(i, j) for j in range(len(self._graph.bottoms[i]))]
        if any(key not in self._pending for key in keys):
            return None
        return [self._pending[key] for key in keys]

    def same_weights(self, group: Sequence[int]) -> bool:
        """Tell whether the group's weights are those with which it ran."""
        return self._weights.get(group[0]) == self._versions(group)

    def same_tops(self, group: tuple[int, ...]) -> bool:
        """Tell whether the tops hold what this very group wrote last."""
        tops = self._graph.tops[group[0]]
        return all(self._made.get(name) == self._now(name, group) for name in tops)

    def _now(self, name, group):
        return _Made(self._executor.blobs[name].synced_data.version(), group)

    def _versions(self, group):
        """Return what changes if weights of these layers do."""
        return tuple(
            (id(blob.synced_data), blob.synced_data.version())
            for i in group
            for blob in self._executor.params.get(self._graph.layers[i].name, ())
        )
