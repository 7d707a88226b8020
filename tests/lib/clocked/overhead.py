"""What a clock costs and saves: times of models under always-firing and resting clocks.

Run it on a quiet machine: ``python -m tests.lib.clocked.overhead [PAIRS [MODEL ...]]``. The plain
model and the clocked one take turns; a ratio is the median over turns, with the quartiles.
"""

import sys
import time
from functools import partial

import numpy as np
import torch

from lib import schedule
from lib.clocked import Clocked
from tests.lib.clocked.models import MODELS, build

CLOCKS = {
    "always": schedule.per_frame,
    "adaptive, always": partial(schedule.adaptive, threshold=0),
    "deep on every 4th": partial(schedule.fixed_rate, rates={"deep": 4}),
}


def seconds(function, frame):
    start = time.perf_counter()
    function(frame)
    return time.perf_counter() - start


def main(pairs=12, *names):
    print(f"{torch.get_num_threads()} threads; times of the model, and ratios to it")
    for name in names or MODELS:
        model, about = build(name), MODELS[name]
        runs = [model, *(Clocked(model, about.stages, clock) for clock in CLOCKS.values())]
        frame = torch.randn(1, 3, *about.size)
        with torch.no_grad():
            for run in runs:
                run(frame)
            # the order of a turn is the reverse of the one before it
            times = [
                [seconds(run, frame) for run in runs]
                if turn % 2
                else [seconds(run, frame) for run in runs[::-1]][::-1]
                for turn in range(int(pairs))
            ]
        times = np.array(times)
        said = [
            f"{name:14s} {about.size[0]} x {about.size[1]}: {1e3 * np.median(times[:, 0]):6.1f} ms"
        ]
        for i, clock in enumerate(CLOCKS, 1):
            ratio = times[:, i] / times[:, 0]
            low, middle, high = np.percentile(ratio, (25, 50, 75))
            mean = f", mean {ratio.mean():.3f}" if "4th" in clock else ""
            said.append(f"{clock} {middle:.3f} ({low:.3f} to {high:.3f}{mean})")
        print("; ".join(said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
