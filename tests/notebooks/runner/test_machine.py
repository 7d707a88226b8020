"""How many notebooks run at once: by cores, memory, and the limits of a container."""

import pytest

from caffe.blobs import memory
from notebooks.runner import machine


@pytest.mark.parametrize(
    "notebooks, cores, gigabytes, workers",
    [(10, 4, 64, 4), (3, 16, 64, 3), (10, 16, 7, 4), (10, 4, 0.5, 1), (0, 4, 64, 1)],
)
def test_workers(notebooks, cores, gigabytes, workers):
    assert machine.workers_for(notebooks, cores, gigabytes * 1e9) == workers


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Write the files of a system with 16 cores and 8 GiB free; system(path, text) adds a file."""

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: range(16), raising=False)
    write("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable:    8388608 kB\n")
    return write


def test_without_a_container(system):
    assert (machine.usable_cores(), machine.free_memory()) == (16, 8 * 2**30)


def test_not_linux(system, tmp_path):
    (tmp_path / "proc/meminfo").unlink()
    assert machine.free_memory() == machine.UNKNOWN_MEMORY


def test_limits_of_control_groups_2(system):
    system("proc/self/cgroup", "0::/pod/me\n")
    system("cgroup/pod/memory.max", "4000000000\n")
    system("cgroup/pod/memory.current", "1500000000\n")
    system("cgroup/pod/memory.stat", "anon 900000000\ninactive_file 600000000\n")
    system("cgroup/pod/me/memory.max", "max\n")
    system("cgroup/pod/me/cpu.max", "250000 100000\n")
    system("cgroup/pod/cpu.max", "max 100000\n")
    assert (machine.usable_cores(), machine.free_memory()) == (2, 3_100_000_000)


def test_limits_of_control_groups_1(system):
    system("proc/self/cgroup", "4:memory:/me\n1:cpu,cpuacct:/me\n0::/\n")
    system("cgroup/memory/me/memory.limit_in_bytes", "3000000000\n")
    system("cgroup/memory/me/memory.usage_in_bytes", "2000000000\n")
    system("cgroup/memory/me/memory.stat", "inactive_file 1\ntotal_inactive_file 500000000\n")
    system("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    system("cgroup/cpu/cpu.cfs_quota_us", "50000\n")
    system("cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert (machine.usable_cores(), machine.free_memory()) == (1, 1_500_000_000)


@pytest.mark.parametrize(
    "groups, files",
    [
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "50000\n"}),
        ("0::/\n", {"cpu.max": "max 100000\n"}),
    ],
)
def test_no_quota(system, groups, files):
    system("proc/self/cgroup", groups)
    for path, text in files.items():
        system(f"cgroup/{path}", text)
    assert machine.usable_cores() == 16
