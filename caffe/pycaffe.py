"""Names that scripts import from caffe.pycaffe; each lives in the module named."""
from .net import Net
from .solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
)
from .timer import Timer

__all__ = ['AdaDeltaSolver', 'AdaGradSolver', 'AdamSolver', 'Net', 'NesterovSolver',
           'RMSPropSolver', 'SGDSolver', 'Timer']
