"""The layer types, one family a file; importing this package fills the registry."""
from . import (  # noqa: F401  (they register themselves)
    activations,
    affine,
    class_losses,
    common,
    conv,
    data,
    dummy_data,
    hdf5,
    im2col,
    image_data,
    inner_product,
    loss,
    memory_data,
    neuron,
    normalization,
    parameter,
    pooling,
    python,
    reduction,
    regression,
    rows,
    scores,
    shaping,
    spp,
)
from .base import Geometry, LayerType, make, registry

__all__ = ['Geometry', 'LayerType', 'make', 'registry']
