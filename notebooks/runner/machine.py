"""The cores and the memory that notebooks may use on this machine or in this container."""

import math
import os

from caffe.blobs.memory import available, control_groups, read_numbers

NOTEBOOK_MEMORY = 1.5e9  # bytes that a notebook takes at most: its net, frames and clips
UNKNOWN_MEMORY = 4e9  # bytes to assume if the system does not say: room for two notebooks


def workers_for(notebooks: int, cores: int, memory: float) -> int:
    """Return how many of `notebooks` to run at once on `cores` and `memory` bytes; at least 1."""
    return max(1, min(notebooks, cores, int(memory // NOTEBOOK_MEMORY)))


def usable_cores() -> int:
    """Return the cores that this process may use, by its affinity and its control groups' quotas.

    A quota is a time of CPU per period, in microseconds. Version 2 has both in cpu.max, version 1
    in two files, with a quota of -1 for no limit.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    for folder in control_groups("cpu"):
        limit = read_numbers(folder / "cpu.max")
        if not limit:
            limit = read_numbers(folder / "cpu.cfs_quota_us")
            limit += read_numbers(folder / "cpu.cfs_period_us")
        if len(limit) == 2 and limit[0] > 0:
            quota, period = limit
            cores = min(cores, quota // period)
    return max(1, cores)


def free_memory() -> float:
    """Return the bytes that programs can still take; UNKNOWN_MEMORY if the system does not say."""
    left = available()
    return UNKNOWN_MEMORY if math.isinf(left) else left
