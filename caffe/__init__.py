"""pycaffe, executed on PyTorch: the interface of BVLC pycaffe 1.0, its names, semantics and files.

    import caffe
    net = caffe.Net('net.prototxt', 'net.caffemodel', caffe.TEST)
    net.blobs['data'].data[...] = image
    net.forward(start='conv1_1', end='score_pool4')
"""
from . import coord_map, draw, errors, io, proto
from .blob import Blob
from .classifier import Classifier
from .detector import Detector
from .device import set_device, set_mode_cpu, set_mode_gpu, set_precision, set_random_seed
from .errors import CaffeError
from .layer_types import registry as _registry
from .layer_types.python import Layer
from .messages import init_log, log
from .net import Net
from .net_spec import NetSpec, layers, params, to_proto
from .proto.caffe_pb2 import TEST, TRAIN
from .ranks import (
    has_nccl,
    set_multiprocess,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from .solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)
from .timer import Timer

__version__ = '1.0.0'


def layer_type_list():
    """Names of the layer types, sorted."""
    return sorted(_registry)


__all__ = ['AdaDeltaSolver', 'AdaGradSolver', 'AdamSolver', 'Blob', 'CaffeError', 'Classifier',
           'Detector', 'Layer', 'NesterovSolver', 'Net', 'NetSpec', 'RMSPropSolver', 'SGDSolver',
           'TEST', 'TRAIN', 'Timer', 'coord_map', 'draw', 'errors', 'get_solver', 'has_nccl',
           'init_log', 'io', 'layer_type_list', 'layers', 'log', 'params', 'proto', 'set_device',
           'set_mode_cpu', 'set_mode_gpu', 'set_multiprocess', 'set_precision', 'set_random_seed',
           'set_solver_count', 'set_solver_rank', 'solver_count', 'solver_rank', 'to_proto']
