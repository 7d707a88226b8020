"""The functions of pycaffe's own module: log, Timer, and the numbers that multi-GPU scripts set.

`Net` and the solvers are handed on, as scripts import them from here too.
"""

import logging
import sys
import time

from caffe.blobs import device
from caffe.errors import SolverError
from caffe.net import Net
from caffe.training.solver import (
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
)

__all__ = [
    "AdaDeltaSolver",
    "AdaGradSolver",
    "AdamSolver",
    "Net",
    "NesterovSolver",
    "RMSPropSolver",
    "SGDSolver",
    "Timer",
    "has_nccl",
    "init_log",
    "log",
    "set_multiprocess",
    "set_solver_count",
    "set_solver_rank",
    "solver_count",
    "solver_rank",
]

LEVELS = logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL  # glog's 0 to 3
logger = logging.getLogger("caffe")
_to_stderr = logging.StreamHandler(sys.stderr)
_to_stderr.setFormatter(logging.Formatter("%(levelname).1s%(asctime)s %(message)s"))


def init_log(level=0, stderr=True):
    """Show messages from glog's `level` on (0 all, 1 warnings, 2 errors, 3 none but the worst).

    stderr: on the screen; False leaves it to the handlers that Python's logging was given.
    """
    logger.setLevel(LEVELS[min(max(int(level), 0), 3)])
    logger.removeHandler(_to_stderr)
    if stderr:
        logger.addHandler(_to_stderr)


def log(message):
    """Say `message` at level 0."""
    logger.info("%s", message)


class Timer:
    """timer.start(); ...; timer.stop(); timer.ms. Work that a GPU still has to do is waited for."""

    def __init__(self):
        self._began, self._ms = None, 0.0

    def start(self):
        """Begin; a timer that runs goes on."""
        if self._began is None:
            device.synchronize()
            self._began = time.perf_counter()

    def stop(self):
        """End; a timer that stands keeps its last time."""
        if self._began is not None:
            device.synchronize()
            self._ms = 1000 * (time.perf_counter() - self._began)
            self._began = None

    @property
    def ms(self):
        """Milliseconds of the last run; stops a timer that runs."""
        self.stop()
        return self._ms


_choice = {"count": 1, "rank": 0, "multiprocess": False}


def solver_count():
    """Number of solvers that train together; 1 unless set."""
    return _choice["count"]


def set_solver_count(count):
    """Set what solver_count answers. SolverError for none."""
    if int(count) < 1:
        raise SolverError(f"set_solver_count({count}): there is one solver at least")
    _choice["count"] = int(count)


def solver_rank():
    """Number of this solver among them, from 0."""
    return _choice["rank"]


def set_solver_rank(rank):
    """Set what solver_rank answers."""
    if int(rank) < 0:
        raise SolverError(f"set_solver_rank({rank}): ranks begin at 0")
    _choice["rank"] = int(rank)


def set_multiprocess(multiprocess):
    """Say whether the solvers are processes of their own; kept, without effect."""
    _choice["multiprocess"] = bool(multiprocess)


def has_nccl():
    """False: gradients are not exchanged between GPUs, and caffe.NCCL does not exist."""
    return False
