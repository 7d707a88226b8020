"""The memory left to this process: the system's, and every limit of its control groups."""

import math
import sys

import pytest

from caffe.blobs import memory
from caffe.errors import CaffeError

MEMINFO = "MemTotal: 16000 kB\nMemFree: 1000 kB\nMemAvailable:  8000 kB\nSwapFree: 500 kB\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Replace the system's files: system({path: text}) writes them, /proc/meminfo included."""
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")

    def write(files):
        for path, text in {"proc/meminfo": MEMINFO, **files}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)

    return write


def version_2(folder, limit, usage, inactive):
    return {
        f"cgroup/{folder}memory.max": f"{limit}\n",
        f"cgroup/{folder}memory.current": f"{usage}\n",
        f"cgroup/{folder}memory.stat": f"anon 1\nfile 99\ninactive_file {inactive}\n",
    }


def version_1(folder, limit, usage, inactive):
    """Of version 1 the lines that begin with total_ count the subgroups, as the usage does."""
    return {
        f"cgroup/memory/{folder}memory.limit_in_bytes": f"{limit}\n",
        f"cgroup/memory/{folder}memory.usage_in_bytes": f"{usage}\n",
        f"cgroup/memory/{folder}memory.stat": f"inactive_file 7\ntotal_inactive_file {inactive}\n",
    }


SYSTEM = 1024 * 8500  # what MEMINFO leaves, swap included
UNLIMITED_1 = 9223372036854771712
ONE, TWO = "9:cpu:/a\n4:memory:/a/b\n0::/\n", "0::/a/b\n"


@pytest.mark.parametrize(
    "groups, files, left",
    [
        (None, {}, SYSTEM),
        (TWO, {}, SYSTEM),
        (TWO, version_2("a/b/", "max", 10**6, 0), SYSTEM),
        (TWO, version_2("a/b/", 5 * 10**6, 3 * 10**6, 10**6), 3 * 10**6),
        (TWO, version_2("a/", 5 * 10**6, 3 * 10**6, 0), 2 * 10**6),
        (TWO, version_2("", 5 * 10**6, 4 * 10**6, 0), 10**6),
        (TWO, version_2("a/b/", 6 * 10**6, 0, 0) | version_2("a/", 5 * 10**6, 10**6, 9), 4000009),
        (TWO, version_2("other/", 1, 0, 0), SYSTEM),
        (TWO, version_2("a/b/", 5 * 10**6, 6 * 10**6, 0), 0),
        (TWO, version_2("a/b/", 10**9, 0, 0), SYSTEM),
        (TWO, {"cgroup/a/memory.max": "4000000\n"}, 4 * 10**6),
        (ONE, version_1("a/b/", UNLIMITED_1, 10**6, 0), SYSTEM),
        (ONE, version_1("a/b/", 5 * 10**6, 3 * 10**6, 10**6), 3 * 10**6),
        (ONE, version_1("a/", 5 * 10**6, 3 * 10**6, 0), 2 * 10**6),
        (ONE, version_1("", 5 * 10**6, 4 * 10**6, 0), 10**6),
    ],
)
def test_the_smallest_of_all_limits(system, groups, files, left):
    system(files | ({"proc/self/cgroup": groups} if groups else {}))
    assert memory.available() == left


@pytest.mark.parametrize("meminfo", ["", "MemTotal: 16000 kB\n", "MemAvailable:\n"])
def test_unknown(system, meminfo):
    system({"proc/meminfo": meminfo})
    assert memory.available() == math.inf
    memory.check(2**40, "this takes")


def test_unknown_system_in_a_container(system):
    system({"proc/meminfo": "", "proc/self/cgroup": TWO} | version_2("", 10**6, 0, 0))
    assert memory.available() == 10**6


def test_without_swap(system):
    system({"proc/meminfo": "MemAvailable: 3 kB\n"})
    assert memory.available() == 3 * 1024


def test_this_machine():
    assert 2**20 < memory.available() < math.inf or sys.platform != "linux"


def test_check(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**30)
    memory.check(2**28, "this takes")
    with pytest.raises(CaffeError, match="this takes 1.5 GiB of memory, and 1.0 are left"):
        memory.check(3 * 2**27, "this takes")
    monkeypatch.setattr(memory, "available", lambda: 0)
    memory.check(2**26, "this takes")  # small arrays are not checked
