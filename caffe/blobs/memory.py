"""The memory that this process can still take, by the system and by its control groups.

Linux overcommits: an allocation succeeds, and the OOM killer ends the process once it uses more
than there is. So `check` compares large arrays with what is left before they are allocated. The
working memory of a layer (unfolded patches, what autograd saves for backward) is not counted.

A container's limits are those of its control groups, files under /sys/fs/cgroup. Version 2 has one
tree of groups, version 1 one tree for each controller. A group's limit holds for its subgroups too.
Source: the Linux kernel's documentation, cgroup-v1/memory.rst and cgroup-v2.rst.
"""

import math
from pathlib import Path

from caffe.errors import CaffeError

CGROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")
# Files of a group with its limit and its usage, and the line of memory.stat with the part of the
# usage that is inactive file cache, which the kernel gives back when memory is short.
MEMORY_FILES = (
    ("memory.max", "memory.current", "inactive_file"),  # version 2
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # version 1
)
UNCHECKED = 2**28  # bytes up to which `check` does not look


def available() -> float:
    """Return the bytes that this process can still take; infinity if the system does not say.

    This is the smallest of what the system has left, swap included, and of what the limits of the
    process's own control group and of the group's ancestors leave.
    """
    groups = control_groups("memory")
    return min([_left_in_system(), *(_left_in_group(folder) for folder in groups)])


def check(count: int, what: str) -> None:
    """Refuse to allocate more than is left.

    Parameters
    ----------
    count : int
        Number of float32 values.
    what : str
        Subject and verb of the message, such as "the weights of this net take".

    Raises
    ------
    CaffeError
        If the values take more memory than `available` says.
    """
    size = 4 * count
    if size > UNCHECKED and size > (left := available()):
        raise CaffeError(
            f"{what} {size / 2**30:.1f} GiB of memory, and {left / 2**30:.1f} are left: make the "
            "net, its input or its batch smaller"
        )


def control_groups(controller: str) -> list[Path]:
    """Return the folders of this process's control group and of the group's ancestors.

    Parameters
    ----------
    controller : str
        "memory" or "cpu": the resource whose limits the folders hold, in either version.

    Returns
    -------
    list of Path
        Empty on systems other than Linux. Inside a container the ancestors end at its own root.
    """
    try:
        lines = (PROC / "self/cgroup").read_text().splitlines()
    except OSError:
        return []
    folders = []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers or controller in controllers.split(","):
            root = CGROUPS / controller if controllers else CGROUPS  # version 1, version 2
            group = root / path.lstrip("/")
            folders += [f for f in (group, *group.parents) if f.is_relative_to(root)]
    return [folder for folder in folders if folder.is_dir()]


def read_numbers(path: Path) -> tuple[int, ...]:
    """Return the whole numbers in a file of limits; () if it is missing or says "max", no limit."""
    try:
        return tuple(int(word) for word in path.read_text().split())
    except (OSError, ValueError):
        return ()


def _left_in_system():
    """Return the bytes that the system can still give out, swap included."""
    kibibytes = _read_table(PROC / "meminfo")
    if "MemAvailable" not in kibibytes:
        return math.inf
    return 1024 * (kibibytes["MemAvailable"] + kibibytes.get("SwapFree", 0))


def _left_in_group(folder):
    """Return the bytes that the limit of one control group leaves."""
    for limit_file, usage_file, cache_line in MEMORY_FILES:
        for limit in read_numbers(folder / limit_file):
            usage = sum(read_numbers(folder / usage_file))
            cache = _read_table(folder / "memory.stat").get(cache_line, 0)
            return max(0, limit - max(0, usage - cache))
    return math.inf


def _read_table(path):
    """Return {name: number} of a file with lines such as `name number` or `name: number kB`."""
    try:
        rows = [line.replace(":", " ").split() for line in path.read_text().splitlines()]
    except (OSError, ValueError):
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}
