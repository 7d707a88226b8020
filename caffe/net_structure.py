"""The structure of a net: its blobs, weights and layers, by name and by number.

Names are in the order of the net. Layers and blobs by number are what scripts for pycaffe use.
"""

from collections import OrderedDict
from dataclasses import dataclass

from caffe.blobs.blob import BlobVec
from caffe.blobs.by_name import ByName
from caffe.definition.split_names import NamedBlobs
from caffe.errors import CaffeError
from caffe.graph import Graph
from caffe.layer_types.python import Layer


@dataclass(frozen=True, eq=False)
class LayerView:
    """An entry of `net.layers`: the type, name and learned blobs of a layer."""

    type: str
    name: str
    blobs: BlobVec


class NetStructure:
    """The part of `caffe.net.Net` that tells what the net consists of; Net fills it."""

    _name: str
    _graph: Graph
    _blobs_by_name: NamedBlobs
    _params: OrderedDict[str, BlobVec]
    _params_by_name: ByName[BlobVec]
    _layers: list[LayerView | Layer]
    _top_names: ByName[list[str]]
    _bottom_names: ByName[list[str]]
    _layer_dict: ByName[LayerView | Layer]

    @property
    def blobs(self) -> NamedBlobs:
        """The blobs by name, in the order in which layers produce them."""
        return self._blobs_by_name

    @property
    def params(self) -> ByName[BlobVec]:
        """The learned blobs of each layer that has some, by its name."""
        return self._params_by_name

    @property
    def layers(self) -> list[LayerView | Layer]:
        """A `LayerView` per layer, or the user's own object for a Python layer."""
        return self._layers

    @property
    def name(self) -> str:
        """Name in the prototxt."""
        return self._name

    @property
    def inputs(self) -> list[str]:
        """Names of the tops of the Input layers."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[str]:
        """Names of the blobs that no layer reads."""
        return list(self._graph.outputs)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """Loss weight by blob name."""
        return OrderedDict((b, self._graph.loss_weights[b]) for b in self.blobs)

    @property
    def top_names(self) -> ByName[list[str]]:
        """Names of the tops by layer name."""
        return self._top_names

    @property
    def bottom_names(self) -> ByName[list[str]]:
        """Names of the bottoms by layer name."""
        return self._bottom_names

    @property
    def layer_dict(self) -> ByName[LayerView | Layer]:
        """Layer by name."""
        return self._layer_dict

    _layer_names = property(lambda self: [layer.name for layer in self._graph.layers])

    # Layers and blobs by number, in the order of the net. Scripts for pycaffe use these names.

    _blob_names = property(lambda self: list(self.blobs), doc="Names of the blobs.")
    _blobs = property(lambda self: list(self.blobs.values()), doc="The blobs.")
    _blob_loss_weights = property(
        lambda self: list(self.blob_loss_weights.values()), doc="Loss weight of each blob."
    )
    _inputs = property(lambda self: self._numbers(self.inputs), doc="Numbers of the inputs.")
    _outputs = property(lambda self: self._numbers(self.outputs), doc="Numbers of the outputs.")

    def _bottom_ids(self, layer):
        """Return the numbers of the blobs below layer number `layer`."""
        return self._numbers(self._graph.bottoms[layer])

    def _top_ids(self, layer):
        """Return the numbers of the blobs above layer number `layer`."""
        return self._numbers(self._graph.tops[layer])

    def _numbers(self, names):
        order = {name: i for i, name in enumerate(self.blobs)}
        return [order[name] for name in names]

    def _layer_index(self, name, what):
        try:
            return self._graph.index[name]
        except KeyError:
            raise CaffeError(
                f"{what}={name!r}: the net has no layer of that name; it has "
                f"{' '.join(self._layer_names)}"
            ) from None

    def _range(self, start, end):
        """Return the numbers of the layers `start` and `end`; of the first and last for None."""
        first = self._layer_index(start, "start") if start is not None else 0
        last = self._layer_index(end, "end") if end is not None else len(self.layers) - 1
        return first, last

    def _check_names(self, names):
        """Raise CaffeError unless all names are blobs or BVLC Caffe's names of copies."""
        for name in names:
            try:
                self.blobs[name]
            except KeyError:
                raise CaffeError(
                    f"the net has no blob {name!r}; it has {' '.join(self.blobs)}"
                ) from None
