"""How much memory can still be had, so that too large a net is refused instead of killed.

Linux lends memory that it does not have; who then uses it is killed without a word. What a layer
takes beside its blobs (columns of patches, what backward keeps) is not counted here.
"""

from pathlib import Path

from caffe.errors import CaffeError

CGROUP = Path("/sys/fs/cgroup")
ENOUGH = 2**28  # bytes for which nobody asks


def available():
    """Bytes that this process can still take, or infinity where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        held = {
            name: 1024 * int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)
        }
        free = held["MemAvailable"] + held.get("SwapFree", 0)
    except (OSError, ValueError, KeyError, IndexError):
        return float("inf")
    return min(free, _left_by_cgroup())


def _left_by_cgroup():
    """What the container's limit leaves; files that it keeps in memory give way."""
    try:
        limit = int((CGROUP / "memory.max").read_text())  # 'max' where there is none
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        used = int((CGROUP / "memory.current").read_text()) - int(stat["inactive_file"])
        return limit - used
    except (OSError, ValueError, KeyError):
        return float("inf")


def check(count, what):
    """CaffeError where `count` float32 values are more than can be had. what: begins the message."""
    if 4 * count > ENOUGH and 4 * count > (left := available()):
        raise CaffeError(
            f"{what} {4 * count / 2**30:.1f} GiB of memory, and {left / 2**30:.1f} are left: make the net, its input or its "
            "batch smaller"
        )
