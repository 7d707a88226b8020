"""What this machine has free for notebooks: cores and memory, no more than its container may use.

A container's limits stand in the files of its control group: of version 2 under /sys/fs/cgroup, of
version 1 in a folder for each controller below it.
"""

import os
from pathlib import Path

NOTEBOOK_MEMORY = 1.5e9  # bytes that a notebook takes at most: its net, its frames and its films
UNKNOWN_MEMORY = 4e9  # bytes, where the system does not say: room for two
CGROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")


def workers_for(notebooks, cores, memory):
    """How many of `notebooks` to run at once on `cores` and `memory` bytes; at least 1."""
    return max(1, min(notebooks, cores, int(memory // NOTEBOOK_MEMORY)))


def usable_cores():
    """Cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for folder in control_groups("cpu"):
        quota, period = (
            numbers(folder / "cpu.max")
            or (numbers(folder / "cpu.cfs_quota_us") + numbers(folder / "cpu.cfs_period_us"))
            or (-1, 1)
        )
        if quota > 0:
            cores = min(cores, int(quota // period))
    return max(1, cores or 1)


def free_memory():
    """Bytes that programs may still take, or UNKNOWN_MEMORY."""
    limits = [
        n
        for folder in control_groups("memory")
        for file in ("memory.max", "memory.limit_in_bytes")
        for n in numbers(folder / file)
    ]
    return min([system_memory(), *limits])


def system_memory():
    try:
        for line in (PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
        return UNKNOWN_MEMORY
    except OSError:  # not Linux
        return UNKNOWN_MEMORY


def control_groups(controller):
    """Folders with the limits of this process: of its control group, and of those that hold it."""
    try:
        lines = (PROC / "self/cgroup").read_text().splitlines()
    except OSError:
        return []
    folders = []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers or controller in controllers.split(","):
            group = (CGROUPS / controller if controllers else CGROUPS) / path.lstrip("/")
            folders += [f for f in (group, *group.parents) if f.is_relative_to(CGROUPS)]
    return [folder for folder in folders if folder.is_dir()]


def numbers(path):
    """The numbers in a file of limits; none where it is missing, or says "max": no limit."""
    try:
        return tuple(int(word) for word in path.read_text().split())
    except (OSError, ValueError):
        return ()
