"""Steps of a solver, by this version of caffe against an earlier one.

    git worktree add ../before COMMIT
    python -m benchmarks.solver_steps ../before

Both versions train the same net on the same random batch, in processes of their own, in turns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from google.protobuf import text_format

from benchmarks.peers.process import ROOT, BenchmarkError
from nets.fcn8s import fcn8s

# net: arguments of fcn8s
NETS: dict[str, dict[str, Any]] = {
    "light FCN-8s, 2 x 120 x 160": {"width": 0.25, "fc_width": 256, "size": (120, 160), "batch": 2},
    "light FCN-8s, 1 x 240 x 320": {"width": 0.25, "fc_width": 256, "size": (240, 320)},
}
LIGHT = {"pad": 37, "fc_kernel": 3, "fc_dilation": 2, "train": True, "filler": "msra"}
SOLVER = """net: "{net}"
base_lr: 1e-6
lr_policy: "fixed"
momentum: 0.9
weight_decay: 0.0005
max_iter: 1000000
random_seed: 1
"""
# runs with the caffe of either version, and with nothing else of ours
CHILD = """
import json, logging, sys, time
import numpy as np, torch, caffe
logging.getLogger("caffe").setLevel(logging.ERROR)
torch.set_num_threads(int(sys.argv[2]))
solver = caffe.SGDSolver(sys.argv[1])
rng = np.random.default_rng(0)
data, label = (solver.net.blobs[name].data for name in ("data", "label"))
data[...] = rng.normal(0, 50, data.shape)
label[...] = rng.integers(0, 11, label.shape)
for line in sys.stdin:
    start = time.perf_counter()
    solver.step(int(line))
    took = time.perf_counter() - start
    print(json.dumps([took, float(solver.net.blobs["loss"].data)]), flush=True)
"""


def compare_steps(before: Path, threads: int, rounds: int = 9, steps: int = 3) -> dict[str, Any]:
    """Time steps of SGD with two versions of caffe.

    Parameters
    ----------
    before : Path
        A checkout of the earlier version.
    threads : int
    rounds : int
        Turns of each version, besides one that warms up.
    steps : int
        Steps of a turn.

    Returns
    -------
    dict
        "rows": for each net a dict of net, ratio (time now over time before), now and before
        (seconds for a step), and loss_now and loss_before (after the last step).

    Raises
    ------
    BenchmarkError
        If one of the versions fails.
    """
    return {"rows": [_compare(name, before, threads, rounds, steps) for name in NETS]}


def _compare(name, before, threads, rounds, steps):
    """Return the row of one net."""
    with tempfile.TemporaryDirectory() as folder:
        net, solver = Path(folder) / "net.prototxt", Path(folder) / "solver.prototxt"
        net.write_text(text_format.MessageToString(fcn8s(11, **LIGHT, **NETS[name])))
        solver.write_text(SOLVER.format(net=net))
        versions = {"now": ROOT, "before": before.resolve()}
        children = {which: _start(root, solver, threads) for which, root in versions.items()}
        seconds: dict[str, list[float]] = {which: [] for which in versions}
        losses = {}
        try:
            for turn in range(rounds + 1):
                for which, child in children.items():
                    took, losses[which] = _turn(child, which, steps)
                    if turn:
                        seconds[which].append(took / steps)
        finally:
            for child in children.values():
                child.kill()
                child.communicate()
    now, then = (median(seconds[which]) for which in ("now", "before"))
    times = {"ratio": now / then, "now": now, "before": then}
    return {"net": name, **times, "loss_now": losses["now"], "loss_before": losses["before"]}


def _start(root, solver, threads):
    # -P: the folder of this file, which has a nets.py, stays off the path
    return subprocess.Popen(
        [sys.executable, "-P", "-c", CHILD, str(solver), str(threads)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": str(threads)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _turn(child, which, steps):
    """Let a child run some steps; return their seconds and the loss."""
    try:
        child.stdin.write(f"{steps}\n")
        child.stdin.flush()
    except OSError:
        pass  # it has ended: the answer is missing
    line = child.stdout.readline()
    if not line:
        raise BenchmarkError(f"the solver of the version {which!r} failed; see its error above")
    return json.loads(line)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and print a line for each net."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="a checkout of the earlier version")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args(arguments)
    for row in compare_steps(args.before, args.threads, args.rounds)["rows"]:
        print(
            f"{row['net']}: a step takes {1000 * row['now']:.1f} ms, {row['ratio']:.2f} times as "
            f"long as before; loss {row['loss_now']:.4f}, before {row['loss_before']:.4f}"
        )


if __name__ == "__main__":
    main()
