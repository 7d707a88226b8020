"""The functions of pycaffe's own module: logging, Timer and the solver ranks of multi-GPU scripts.

Net and the solvers are re-exported because scripts import them from here too.
"""

import io
import logging
import os
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


class _ToStderr(logging.StreamHandler):
    """Writes to what sys.stderr is now, unless a handler of the application does it already.

    Parameters
    ----------
    asked : bool
        Whether `init_log` asked for it. If not, any handler of the application is enough.
    """

    def __init__(self, asked: bool):
        super().__init__()
        self._asked = asked
        self.set_name(f"caffe, stderr, {'asked for' if asked else 'default'}")
        self.setFormatter(logging.Formatter("%(levelname).1s%(asctime)s %(message)s"))

    def emit(self, record):
        """Write a record."""
        enough = _is_terminal if self._asked else _is_shown
        if sys.stderr is not None and not any(enough(h) for h in _handlers() if h is not self):
            self.stream = sys.stderr  # notebooks and tests replace it
            super().emit(record)


def _handlers():
    """Yield the handlers that get the records of `logger`, looked up anew at each record."""
    at = logger
    while at:
        yield from at.handlers
        at = at.parent if at.propagate else None


def _is_shown(handler):
    """Tell whether a handler brings records before somebody; one that only captures does not."""
    in_memory = isinstance(getattr(handler, "stream", None), io.StringIO)
    nowhere = getattr(handler, "baseFilename", None) == os.path.abspath(os.devnull)
    return not (in_memory or nowhere or isinstance(handler, logging.NullHandler))


def _is_terminal(handler):
    """Tell whether a handler writes to stderr or stdout."""
    stream = getattr(handler, "stream", None)
    return stream is not None and any(
        stream is s for s in (sys.stderr, sys.__stderr__, sys.stdout, sys.__stdout__)
    )


_by_default, _to_stderr = _ToStderr(asked=False), _ToStderr(asked=True)


def _show_by_default():
    """Let records be seen without a call, as those of Caffe are."""
    names = {_by_default.name, _to_stderr.name}
    if not any(h.name in names for h in logger.handlers):  # there may be some after a reload
        logger.addHandler(_by_default)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)


_show_by_default()


def init_log(level: int = 0, stderr: bool = True) -> None:
    """Show log messages of glog's `level` and above.

    Without a call all messages are written to stderr, if the application has configured no handler
    of Python's logging.

    Parameters
    ----------
    level : int
        0 for all messages, 1 for warnings, 2 for errors, 3 for fatal errors only.
    stderr : bool
        Write them to stderr, also if the application logs to a file. If False, only the handlers
        configured with Python's logging get them.
    """
    logger.setLevel(LEVELS[min(max(int(level), 0), 3)])
    for handler in (_by_default, _to_stderr):
        logger.removeHandler(handler)
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
