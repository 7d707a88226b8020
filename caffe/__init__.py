"""pycaffe on PyTorch: the interface, semantics and file formats of BVLC pycaffe 1.0.

For example:

    import caffe
    net = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    net.blobs["data"].data[...] = image
    net.forward(start="conv1_1", end="score_pool4")
"""

from typing import NoReturn

from caffe import coord_map, draw, errors, io, proto
from caffe.blobs.blob import Blob
from caffe.blobs.device import (
    set_device,
    set_mode_cpu,
    set_mode_gpu,
    set_precision,
    set_random_seed,
)
from caffe.classifier import Classifier
from caffe.detector import Detector
from caffe.engine.kernels.choice import set_kernels
from caffe.errors import CaffeError
from caffe.layer_types import registry as _registry
from caffe.layer_types.python import Layer
from caffe.net import Net
from caffe.net_spec import NetSpec, layers, params, to_proto
from caffe.old_names import IN_MODULE as _IN_MODULE
from caffe.old_names import missing as _missing
from caffe.proto.caffe_pb2 import TEST, TRAIN
from caffe.pycaffe import (
    Timer,
    has_nccl,
    init_log,
    log,
    set_multiprocess,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from caffe.training.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)

__version__ = "1.0.0"


def layer_type_list() -> list[str]:
    """Return the names of all layer types, sorted."""
    return sorted(_registry)


def __getattr__(name: str) -> NoReturn:
    """Raise AttributeError; for a name of another version of pycaffe it says what to use."""
    raise _missing("module 'caffe'", name, _IN_MODULE)


__all__ = [
    "AdaDeltaSolver",
    "AdaGradSolver",
    "AdamSolver",
    "Blob",
    "CaffeError",
    "Classifier",
    "Detector",
    "Layer",
    "NesterovSolver",
    "Net",
    "NetSpec",
    "RMSPropSolver",
    "SGDSolver",
    "TEST",
    "TRAIN",
    "Timer",
    "coord_map",
    "draw",
    "errors",
    "get_solver",
    "has_nccl",
    "init_log",
    "io",
    "layer_type_list",
    "layers",
    "log",
    "params",
    "proto",
    "set_device",
    "set_kernels",
    "set_mode_cpu",
    "set_mode_gpu",
    "set_multiprocess",
    "set_precision",
    "set_random_seed",
    "set_solver_count",
    "set_solver_rank",
    "solver_count",
    "solver_rank",
    "to_proto",
]
