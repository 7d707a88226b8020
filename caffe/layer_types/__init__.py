"""The layer types, one family per file; importing this package fills the registry.

`base` defines what a layer type is and holds the registry. The layers that read or write data are
in the subpackage `data`.
"""

from caffe.layer_types import (  # noqa: F401
    activations,
    arithmetic,
    class_losses,
    conv,
    inner_product,
    loss,
    normalization,
    pooling,
    python,
    regression_losses,
    rows,
    scores,
    shaping,
    wiring,
)
from caffe.layer_types.base import Geometry, LayerType, make, registry
from caffe.layer_types.data import database, dummy_data, hdf5, image_data, memory_data  # noqa: F401

__all__ = ["Geometry", "LayerType", "make", "registry"]
