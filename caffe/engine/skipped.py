"""Skipped: blobs that a planned forward did not keep, computed again if somebody asks for them.

A plan runs several layers as one, and lets go of what lies between. Such a blob rests: its values
are what the layers of the range would have given at that forward. If someone asks, the range runs
once more, layer by layer, on what its inputs held then, of which a copy is kept. Weights are not
copied; if they have changed since, the values cannot be had, and asking raises StaleInput.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import torch

from caffe.blobs.blob import Blob
from caffe.blobs.device import CPU
from caffe.engine.packed import Packed
from caffe.errors import StaleInput
from caffe.graph import Graph
from caffe.layer_types.base import Geometry

Value = torch.Tensor | Packed


@dataclass(frozen=True)
class Layers:
    """A range of layers with all that running them one by one takes.

    Parameters
    ----------
    graph : Graph
    first, last : int
        Numbers of layers, both inclusive.
    geometries : mapping of int to Geometry
    params : mapping of int to sequence of Blob
        The learned blobs of the layers that have some.
    """

    graph: Graph
    first: int
    last: int
    geometries: Mapping[int, Geometry]
    params: Mapping[int, Sequence[Blob]]

    def versions(self) -> list[tuple[int, int, int]]:
        """Return for each learned blob its layer, and numbers that change if its values do."""
        return [
            (i, id(b.synced_data), b.synced_data.version())
            for i, blobs in self.params.items()
            for b in blobs
        ]

    def weights(self, i: int) -> list[torch.Tensor]:
        """Return the learned blobs of layer i, the memory that the net uses."""
        return [b.synced_data.tensor(CPU) for b in self.params.get(i, ())]

    def run(self, i: int, bottoms: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Return the tops of layer i by its own `forward`."""
        layer = self.graph.layers[i]
        if not layer.any_order:
            bottoms = [b.contiguous() for b in bottoms]
        with torch.no_grad():
            tops = layer.forward(self.geometries[i], bottoms, self.weights(i))
        return [top for top in tops if top is not None]


def tensor_of(value: Value) -> torch.Tensor:
    """Return a value as a tensor in the blob's shape."""
    return value if isinstance(value, torch.Tensor) else value.tensor()


class Skipped:
    """The blobs that one forward of a range did not keep.

    Parameters
    ----------
    layers : Layers
    names : sequence of str
        The blobs.
    sources : dict of str to Tensor or Packed
        What the range reads, in memory that nobody writes to.
    asked : callable
        Called with the name of a blob that someone asks for.
    """

    def __init__(
        self,
        layers: Layers,
        names: Sequence[str],
        sources: dict[str, Value],
        asked: Callable[[str], object],
    ):
        self._layers, self._sources, self._asked = layers, sources, asked
        self._versions = layers.versions()
        # the layer that leaves a blob as it stays
        self._makers = {
            name: max(
                i for i in range(layers.first, layers.last + 1) if name in layers.graph.tops[i]
            )
            for name in names
        }
        self._done: dict[str, torch.Tensor] = {}

    def blob(self, name: str) -> SkippedBlob:
        """Return what rests in blob `name`."""
        return SkippedBlob(self, name)

    def tensor(self, name: str) -> torch.Tensor:
        """Return the values of blob `name`; raise StaleInput if the weights have changed."""
        self._asked(name)
        maker = self._makers[name]
        if name not in self._done:
            if any(
                now != then and now[0] <= maker
                for now, then in zip(self._layers.versions(), self._versions)
            ):
                self._refuse(name)
            values = dict(self._sources)
            for i in range(self._layers.first, maker + 1):
                if i not in self._layers.geometries:
                    continue
                bottoms = [tensor_of(values[b]) for b in self._layers.graph.bottoms[i]]
                for top, tensor in zip(self._layers.graph.tops[i], self._layers.run(i, bottoms)):
                    values[top] = tensor
                    if self._makers.get(top) == i:
                        self._done.setdefault(top, tensor)
        return self._done.pop(name).clone(memory_format=torch.contiguous_format)

    def _refuse(self, name: str) -> NoReturn:
        layer = self._layers.graph.layers[self._makers[name]]
        raise layer.error(
            f"the last forward did not keep its top {name!r}, and the weights have changed since, "
            f"so that its values cannot be computed any more: add {name!r} to net.keep, then run "
            "forward",
            StaleInput,
        )


class SkippedBlob:
    """What rests in a blob that a forward did not keep."""

    def __init__(self, skipped: Skipped, name: str):
        self._skipped, self._name = skipped, name

    def tensor(self) -> torch.Tensor:
        """Return its values."""
        return self._skipped.tensor(self._name)
