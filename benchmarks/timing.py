"""Interleaved timing of several calls: other load on the machine affects all of them equally."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter


def medians(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median time of each call.

    Parameters
    ----------
    calls : mapping of name -> function
        The functions are called in turn, in this order, `repeats` times after one warm-up round. A
        function may use the results of the one before.
    repeats : int
        Measurements of each call.

    Returns
    -------
    dict
        Name -> median seconds.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            if turn:  # round 0 warms up memory, kernels and converted weights
                times[name].append(perf_counter() - start)
    return {name: median(seconds) for name, seconds in times.items()}
