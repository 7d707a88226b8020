"""How much memory is left, from files as Linux writes them."""

from pathlib import Path

import pytest

from caffe.blobs import memory
from caffe.errors import CaffeError

MEMINFO = """MemTotal:       16384 kB
MemFree:         1000 kB
MemAvailable:    3000 kB
SwapFree:         500 kB
HugePages_Total:       0
"""


@pytest.fixture
def system(tmp_path, monkeypatch):
    """system(text of /proc/meminfo or None, {name: text} of the container's files)."""

    def system(meminfo, cgroup=()):
        files = tmp_path / "cgroup"
        files.mkdir(exist_ok=True)
        for old in files.iterdir():
            old.unlink()
        for name, text in dict(cgroup).items():
            (files / name).write_text(text)
        (tmp_path / "meminfo").unlink(missing_ok=True)
        if meminfo is not None:
            (tmp_path / "meminfo").write_text(meminfo)
        monkeypatch.setattr(memory, "CGROUP", files)
        monkeypatch.setattr(
            memory, "Path", lambda path: {"/proc/meminfo": tmp_path / "meminfo"}[path]
        )

    return system


def limits(most, current, inactive):
    return {
        "memory.max": f"{most}\n",
        "memory.current": f"{current}\n",
        "memory.stat": f"anon 5\ninactive_file {inactive}\nslab 7\n",
    }


def test_the_place_of_the_containers_files():
    assert memory.CGROUP == Path("/sys/fs/cgroup")


def test_what_the_system_says_is_in_kib(system):
    system(MEMINFO)
    assert memory.available() == 3500 * 1024
    system(MEMINFO.replace("SwapFree:         500 kB\n", ""))
    assert memory.available() == 3000 * 1024


def test_a_limit_of_the_container_below_it(system):
    """Its limit less what it uses, but for the files that it can let go of."""
    system(MEMINFO, limits(1_000_000, 400_000, 150_000))
    assert memory.available() == 1_000_000 - (400_000 - 150_000)
    system(MEMINFO, limits(10_000_000, 400_000, 150_000))
    assert memory.available() == 3500 * 1024
    system(MEMINFO, limits("max", 400_000, 150_000))
    assert memory.available() == 3500 * 1024
    system(MEMINFO, limits(1_000_000, 400_000, 150_000) | {"memory.stat": "anon 5\n"})
    assert memory.available() == 3500 * 1024


@pytest.mark.parametrize("meminfo", [None, "", "MemTotal: 5 kB\n", "MemAvailable: x kB\n", "odd\n"])
def test_a_system_that_does_not_say(system, meminfo):
    system(meminfo, limits(1_000_000, 400_000, 150_000))
    assert memory.available() == float("inf")
    memory.check(10**15, "all")


def test_only_what_is_large_and_more_than_is_left_is_refused(monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "available", lambda: asked.append(1) or 2**29)
    memory.check(2**26, "a net takes")  # 2**28 bytes: nobody asks
    assert not asked
    memory.check(2**27, "a net takes")  # 2**29 bytes: just what is left
    assert asked
    with pytest.raises(CaffeError, match="^a net takes 0.5 GiB of memory, and 0.5 are left: make"):
        memory.check(2**27 + 1, "a net takes")
    monkeypatch.setattr(memory, "available", lambda: 0)
    memory.check(2**26, "a net takes")
    with pytest.raises(CaffeError):
        memory.check(2**26 + 1, "a net takes")
