"""Compare FCN-8s in this engine with the engines of others: python -m benchmarks.compare.

`make bench` runs it in full, `make bench-quick` with fewer engines, rounds and cases. Times of one
run are interleaved and can be compared with each other; leave the machine alone meanwhile.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.loop import measure_loop
from benchmarks.machine import machine, matrix_rates
from benchmarks.measure import Effort, measure
from benchmarks.peers.case import Case
from benchmarks.peers.case import write as write_case
from benchmarks.peers.changing import points
from benchmarks.peers.process import CHANGING, KINDS, ROOT, BenchmarkError, Process
from benchmarks.plots import plot
from benchmarks.solver_steps import compare_steps
from benchmarks.tables import markdown

FULL = Case("FCN-8s, 500 x 500", 500, 500)
LIGHT = Case("light FCN-8s of CamVid, 360 x 360", 360, 360, bundled="camvid-fcn8s-light")
SIZES = (250, 500, 750, 1000)
WIDTHS = (0.25, 0.5, 1.0)
MEMORY = ((500, 500), (1024, 2048))
STAGES = ("frame", "shallow", "middle", "deep", "fuse", "in turn", "clockwork")
GROWING = ("eager", "clockwork", "onnxruntime", "openvino", "ncnn")
RESULTS = ROOT / "benchmarks" / "results"
QUICK = ROOT / "results" / "bench-quick"


class Run(NamedTuple):
    """How to measure.

    Attributes
    ----------
    engines : sequence of str
        Keys of `KINDS`.
    folder : Path
        For the files of the cases. Those that are there already are used.
    peers : Path or None
        The peers' environment.
    threads : int
    quick : bool
        Few rounds, and scores are compared with PyTorch's, not with those in float64.
    before : Path or None
        A checkout of an earlier version, for steps of the solver.
    rounds : int or None
        Rounds over the engines of a case, in place of each part's own number.
    """

    engines: Sequence[str]
    folder: Path
    peers: Path | None
    threads: int
    quick: bool = False
    before: Path | None = None
    rounds: int | None = None

    def measure(
        self,
        name: str,
        case: Case,
        effort: Effort,
        engines: Sequence[str] = (),
        calls: Sequence[str] = ("frame",),
        exact: bool = False,
    ) -> dict[str, Any]:
        """Return `benchmarks.measure.measure` of a case, and the matrix rates before it.

        Of `engines`, those that are chosen run.
        """
        chosen = [name for name in engines or self.engines if name in self.engines]
        if self.quick:
            chosen = [name for name in chosen if name != "compiled"]
        folder = self.folder / name
        effort = effort._replace(rounds=self.rounds or effort.rounds)
        rates = matrix_rates(self.threads)
        found = measure(case, chosen, folder, effort, self.threads, self.peers, calls, exact)
        return found | {"matrix_rates": rates}


def light(run: Run) -> dict[str, Any]:
    """Measure the light net."""
    return run.measure("light", LIGHT, Effort(5 if run.quick else 15, 1, 3), (), STAGES, True)


def full(run: Run) -> dict[str, Any]:
    """Measure FCN-8s."""
    return run.measure("500", FULL, Effort(2 if run.quick else 7), (), STAGES, not run.quick)


def memory(run: Run) -> dict[str, dict[str, int]]:
    """Return the bytes of one frame of FCN-8s, resident and peak, beside the imports, by size."""
    found = {}
    for height, width in MEMORY[: 1 if run.quick else None]:
        case = FULL._replace(title=f"{height} x {width}", height=height, width=width)
        case = FULL if case[1:] == FULL[1:] else case
        folder = run.folder / ("500" if case == FULL else f"{height}x{width}")
        write_case(case, folder, (), None, run.threads)
        with Process(KINDS["clockwork"], folder, run.threads, None) as process:
            found[f"{height} x {width}"] = process.ask("memory")
    return found


def changed(run: Run) -> dict[str, Any]:
    """Return what frames cost of which only a part changes: seconds of a full one, and points."""
    folder = run.folder / "500"
    write_case(FULL, folder, (), None, run.threads)
    seconds: dict[str, list[float]] = {}
    with Process(CHANGING, folder, run.threads, None) as process:
        for turn in range(1 if run.quick else 4):
            for call in process.about["calls"]:
                # after another call all is computed once, and kernels are chosen by a probe
                answer = process.ask("time", call=call, frame=turn, warm=2, count=2)
                seconds.setdefault(call, []).extend(answer["seconds"])
        reached = process.about["facts"]
    total = sum(json.loads((folder / "cost.json").read_text()).values())
    medians = {call: median(times) for call, times in seconds.items()}
    return {"full": medians["frame"], "points": points(medians, reached, total)}


def loop(run: Run) -> dict[str, Any]:
    """Measure the loop around the light net."""
    return measure_loop(40 if run.quick else 160, run.threads)


def solver(run: Run) -> dict[str, Any] | None:
    """Compare steps of the solver with those of an earlier version, if there is one."""
    return compare_steps(run.before, run.threads) if run.before else None


def size(run: Run) -> list[dict[str, Any]]:
    """Measure frames of several sizes."""
    cases = [FULL._replace(title=f"{n} x {n}", height=n, width=n) for n in SIZES]
    return [
        run.measure(str(case.height), FULL if case[1:] == FULL[1:] else case, Effort(3), GROWING)
        for case in cases
    ]


def channels(run: Run) -> list[dict[str, Any]]:
    """Measure nets of several widths."""
    found = []
    for share in WIDTHS:
        case = FULL._replace(title=f"{share:.0%} of the channels", channels=share)
        name = "500" if share == 1 else f"width-{share}"
        case = FULL if share == 1 else case
        found.append(run.measure(name, case, Effort(3, 1), GROWING))
    return found


PARTS: dict[str, Callable[[Run], Any]] = {
    part.__name__: part for part in (light, full, memory, changed, loop, solver, size, channels)
}
QUICK_PARTS = ("light", "full", "loop")


def compare(run: Run, parts: Sequence[str]) -> dict[str, Any]:
    """Measure some parts.

    Parameters
    ----------
    run : Run
    parts : sequence of str
        Keys of `PARTS`.

    Returns
    -------
    dict
        For bench.json: machine, and each part that was measured.
    """
    results: dict[str, Any] = {"machine": machine(run.threads)}
    for part in parts:
        if (found := PARTS[part](run)) is not None:
            results[part] = found
    return results


def write(results: dict[str, Any], out: Path) -> None:
    """Write bench.json, bench.md and bench.png."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "bench.md").write_text(markdown(results))
    plot(results, out / "bench.png")


def main() -> None:
    """Parse the command line, measure, write the results and print the bars."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under three minutes")
    parser.add_argument("--peers", type=Path, help="the environment of the other engines")
    parser.add_argument("--engines", help=f"of {','.join(KINDS)} (default: all)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cases", type=Path, help="keep the files of the nets here: some GB")
    parser.add_argument("--before", type=Path, help="a checkout to compare solver steps with")
    parser.add_argument("--rounds", type=int, help="rounds over the engines of a case")
    parser.add_argument("--parts", help=f"of {','.join(PARTS)}; the results of others are kept")
    parser.add_argument("--out", type=Path, help="folder for the results")
    args = parser.parse_args()
    engines = args.engines.split(",") if args.engines else list(KINDS)
    parts = args.parts.split(",") if args.parts else QUICK_PARTS if args.quick else list(PARTS)
    for what, given, known in (("engine", engines, KINDS), ("part", parts, PARTS)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"no {what} {unknown[0]!r}: choose from {', '.join(known)}")
    out = args.out or (QUICK if args.quick else RESULTS)
    peers = args.peers.resolve() if args.peers else None
    with tempfile.TemporaryDirectory() as scratch:
        cases = (args.cases or Path(scratch)).resolve()
        run = Run(engines, cases, peers, args.threads, args.quick, args.before, args.rounds)
        try:
            results = compare(run, parts)
        except BenchmarkError as error:
            parser.exit(1, f"{error}\n")
    if args.parts and (out / "bench.json").exists():
        results = json.loads((out / "bench.json").read_text()) | results
    write(results, out)
    print(markdown(results))
    print(f"written to {out}")


if __name__ == "__main__":
    main()
