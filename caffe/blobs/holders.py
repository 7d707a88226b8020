"""What blobs and weights need to know of a layer and of a net, as protocols.

Layers and nets are defined above this package. With these, `caffe.blobs` and `caffe.weights` name
what they take without importing it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from caffe.blobs.blob import Blob, BlobVec
from caffe.errors import CaffeError
from caffe.proto import caffe_pb2


class LayerOfNet(Protocol):
    """A layer by its definition; `caffe.layer_types.base.LayerType` is one."""

    spec: caffe_pb2.LayerParameter
    name: str

    def error(self, text: str) -> CaffeError:
        """Return an exception that begins with the layer's name and type."""

    def mismatch(self, text: str) -> CaffeError:
        """Return a ShapeMismatch that begins with the layer's name and type."""


class NetWithWeights(Protocol):
    """Learned blobs by layer name, and the layers they belong to; `caffe.net.Net` is one."""

    _graph: Any
    _learned: Any

    @property
    def params(self) -> Mapping[str, BlobVec]:
        """Learned blobs by layer name."""

    @property
    def blobs(self) -> Mapping[str, Blob]:
        """Blobs by name."""

    @property
    def name(self) -> str:
        """Name in the prototxt."""

    @property
    def layers(self) -> Sequence[Any]:
        """The layers in order, each with its type, name and blobs."""

    @property
    def layer_dict(self) -> Mapping[str, Any]:
        """Layer by name."""

    @property
    def top_names(self) -> Mapping[str, list[str]]:
        """Names of the tops by layer name."""

    @property
    def bottom_names(self) -> Mapping[str, list[str]]:
        """Names of the bottoms by layer name."""

    @property
    def _layer_names(self) -> list[str]:
        """Names of the layers in order."""
