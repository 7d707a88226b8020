"""pycaffe, executed on PyTorch: the interface of BVLC pycaffe 1.0, its names, semantics and files.

    import caffe
    net = caffe.Net('net.prototxt', 'net.caffemodel', caffe.TEST)
    net.blobs['data'].data[...] = image
    net.forward(start='conv1_1', end='score_pool4')
"""
from . import coord_map, errors, proto
from .blob import Blob
from .device import set_device, set_mode_cpu, set_mode_gpu, set_precision, set_random_seed
from .errors import CaffeError
from .layer_types import registry as _registry
from .layer_types.python import Layer
from .net import Net
from .net_spec import NetSpec, layers, params, to_proto
from .proto.caffe_pb2 import TEST, TRAIN
from .solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
)

__version__ = '1.0.0'


def layer_type_list():
    """Names of the layer types, sorted."""
    return sorted(_registry)


__all__ = ['AdaDeltaSolver', 'AdaGradSolver', 'AdamSolver', 'Blob', 'CaffeError', 'Layer', 'Net',
           'NetSpec', 'NesterovSolver', 'RMSPropSolver', 'SGDSolver', 'TEST', 'TRAIN', 'coord_map',
           'errors', 'get_solver', 'layer_type_list', 'layers', 'params', 'proto', 'set_device',
           'set_mode_cpu', 'set_mode_gpu', 'set_precision', 'set_random_seed', 'to_proto']
