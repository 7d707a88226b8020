"""Times of several calls, taken turn by turn, so that a busy machine slows all of them alike."""

from statistics import median
from time import perf_counter


def medians(calls, repeats):
    """{name: median seconds} of {name: function}, each called `repeats` times after a warm-up.

    The functions take turns in their order; what one leaves behind, the next may use.
    """
    times = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            if turn:  # the first turn warms up: memory, kernels, converted weights
                times[name].append(perf_counter() - start)
    return {name: median(taken) for name, taken in times.items()}
