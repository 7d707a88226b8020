"""What a result was measured on, and how fast its processor multiplies matrices."""

import os
import platform
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

# what decides about speed; as Linux calls them
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "bf16", "sve")


def machine(threads: int) -> dict[str, Any]:
    """Describe the machine: processor, cores, threads used, memory, versions and date."""
    fields = _cpu_fields()
    flags = fields.get("flags", fields.get("Features", "")).split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": fields.get("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "memory": memory,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
    }


def matrix_rates(threads: int, size: int = 3072, repeats: int = 7) -> dict[str, float]:
    """Measure the multiply-adds a second of PyTorch's matrix products, interleaved.

    Parameters
    ----------
    threads : int
    size : int
        Rows and columns of both factors.
    repeats : int
        Products of each type; the median counts.

    Returns
    -------
    dict
        "float32" and "bfloat16" -> multiply-adds a second.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        types = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        factors = {name: torch.randn(size, size).to(dtype) for name, dtype in types.items()}
        seconds: dict[str, list[float]] = {name: [] for name in types}
        for turn in range(repeats + 1):
            for name, factor in factors.items():
                start = perf_counter()
                torch.mm(factor, factor)
                if turn:
                    seconds[name].append(perf_counter() - start)
    finally:
        torch.set_num_threads(before)
    return {name: size**3 / median(times) for name, times in seconds.items()}


def _cpu_fields():
    """Return the fields of the first processor in /proc/cpuinfo, none elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
