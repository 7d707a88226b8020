"""The functions of pycaffe's own module: logging, Timer and the solver ranks of multi-GPU scripts.

Net and the solvers are re-exported because scripts import them from here too.
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

# Logging

LEVELS = logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL  # glog's 0 to 3
logger = logging.getLogger("caffe")
_to_stderr = logging.StreamHandler(sys.stderr)
_to_stderr.setFormatter(logging.Formatter("%(levelname).1s%(asctime)s %(message)s"))


def init_log(level: int = 0, stderr: bool = True) -> None:
    """Show log messages of glog's `level` and above.

    Parameters
    ----------
    level : int
        0 for all messages, 1 for warnings, 2 for errors, 3 for fatal errors only.
    stderr : bool
        Write them to stderr. If False, only the handlers configured with Python's logging get them.
    """
    logger.setLevel(LEVELS[min(max(int(level), 0), 3)])
    logger.removeHandler(_to_stderr)
    if stderr:
        logger.addHandler(_to_stderr)


def log(message: str) -> None:
    """Log `message` at level 0."""
    logger.info("%s", message)


# Timing


class Timer:
    """Wall-clock timer: ``timer.start(); ...; timer.stop(); timer.ms``.

    Both ends wait until the GPU has finished its queued work.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._ms = 0.0

    def start(self) -> None:
        """Start the timer; no-op if it is running."""
        if self._began is None:
            device.synchronize()
            self._began = time.perf_counter()

    def stop(self) -> None:
        """Stop the timer; no-op if it is not running."""
        if self._began is not None:
            device.synchronize()
            self._ms = 1000 * (time.perf_counter() - self._began)
            self._began = None

    @property
    def ms(self) -> float:
        """Milliseconds of the last run; stops a running timer."""
        self.stop()
        return self._ms


# Ranks of solvers that train together. They are stored for scripts that set and read them; this
# package does not train on several GPUs.

_settings = {"count": 1, "rank": 0}


def solver_count() -> int:
    """Return the number of solvers that train together, 1 unless set."""
    return _settings["count"]


def set_solver_count(count: int) -> None:
    """Set the value of `solver_count`.

    Raises
    ------
    SolverError
        If `count` is less than 1.
    """
    if int(count) < 1:
        raise SolverError(f"set_solver_count({count}): there must be at least one solver")
    _settings["count"] = int(count)


def solver_rank() -> int:
    """Return the number of this solver, from 0."""
    return _settings["rank"]


def set_solver_rank(rank: int) -> None:
    """Set the value of `solver_rank`.

    Raises
    ------
    SolverError
        If `rank` is negative.
    """
    if int(rank) < 0:
        raise SolverError(f"set_solver_rank({rank}): ranks begin at 0")
    _settings["rank"] = int(rank)


def set_multiprocess(multiprocess: bool) -> None:
    """Accept pycaffe's flag for solvers in separate processes; it has no effect here."""


def has_nccl() -> bool:
    """Return False: gradients are not exchanged between GPUs, and there is no ``caffe.NCCL``."""
    return False
