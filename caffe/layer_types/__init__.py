"""The layer types, one family a file; importing this package fills the registry."""
from . import (  # noqa: F401  (they register themselves)
    activations,
    affine,
    common,
    conv,
    dummy_data,
    inner_product,
    loss,
    neuron,
    normalization,
    pooling,
    python,
    regression,
    scores,
    shaping,
)
from .base import Geometry, LayerType, make, registry

__all__ = ['Geometry', 'LayerType', 'make', 'registry']
