"""The layer types, one family a file; importing this package fills the registry."""
from . import common, conv, loss, neuron, pooling, python  # noqa: F401  (they register themselves)
from .base import Geometry, LayerType, make, registry

__all__ = ['Geometry', 'LayerType', 'make', 'registry']
