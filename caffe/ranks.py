"""Which of several solvers this process is: kept for scripts that set it.

Here one process trains on one device, and there is no NCCL; nothing reads these but the scripts.
"""
from .errors import SolverError

_choice = {'count': 1, 'rank': 0, 'multiprocess': False}


def solver_count():
    """Number of solvers that train together; 1 unless set."""
    return _choice['count']


def set_solver_count(count):
    """Set what solver_count answers. SolverError for none."""
    if int(count) < 1:
        raise SolverError('set_solver_count(%s): there is one solver at least' % count)
    _choice['count'] = int(count)


def solver_rank():
    """Number of this solver among them, from 0."""
    return _choice['rank']


def set_solver_rank(rank):
    """Set what solver_rank answers."""
    if int(rank) < 0:
        raise SolverError('set_solver_rank(%s): ranks begin at 0' % rank)
    _choice['rank'] = int(rank)


def set_multiprocess(multiprocess):
    """Say whether the solvers are processes of their own; kept, without effect."""
    _choice['multiprocess'] = bool(multiprocess)


def has_nccl():
    """False: gradients are not exchanged between GPUs, and caffe.NCCL does not exist."""
    return False
