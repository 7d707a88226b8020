"""Run a function in a process of its own, which may be killed or have a full disk."""

import os
import resource
from collections.abc import Callable


def in_child(function: Callable[[Callable[[int], object]], object]) -> tuple[int, int]:
    """Run ``function(acknowledge)`` in a child; return its exit status and its last number.

    It calls ``acknowledge(n)`` with numbers from 1 to 255. The status is 1 for an exception.
    """
    here, there = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(here)
            function(lambda n: os.write(there, bytes([n])))
            status = 0
        finally:
            os._exit(status)
    os.close(there)
    with open(here, "rb") as f:
        acknowledged = f.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status)  # no signal, such as SIGSEGV, ended it
    return os.WEXITSTATUS(status), acknowledged[-1] if acknowledged else 0


def limit_files(size: int) -> None:
    """Let this process write no file beyond `size` bytes: as on a full disk, a part is written."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
