"""Compare FCN-8s in this engine with the engines of others: python -m benchmarks.compare.

`make bench` runs it in full, `make bench-quick` with fewer engines, rounds and cases. Times of one
run are interleaved and can be compared with each other; leave the machine alone meanwhile.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bars import bars
from benchmarks.loop import measure_loop
from benchmarks.machine import machine, matrix_rates
from benchmarks.measure import Effort, measure
from benchmarks.peers.case import Case
from benchmarks.peers.case import write as write_case
from benchmarks.peers.changing import points
from benchmarks.peers.process import CHANGING, KINDS, ROOT, BenchmarkError, Process
from benchmarks.plots import plot
from benchmarks.solver_steps import compare_steps
from benchmarks.tables import bar_table, markdown

FULL = Case("FCN-8s, 500 x 500", 500, 500)
LIGHT = Case("light FCN-8s of CamVid, 360 x 360", 360, 360, bundled="camvid-fcn8s-light")
SIZES = (250, 500, 750, 1000)
WIDTHS = (0.25, 0.5, 1.0)
SMALL_FRAME, LARGE_FRAME = (500, 500), (1024, 2048)
STAGES = ("frame", "shallow", "middle", "deep", "fuse", "in turn", "clockwork")
GROWING = ("eager", "clockwork", "onnxruntime", "openvino", "ncnn")
RESULTS = ROOT / "benchmarks" / "results"
QUICK = ROOT / "results" / "bench-quick"


def compare(
    engines: Sequence[str],
    folder: Path,
    peers: Path | None,
    threads: int,
    quick: bool,
    before: Path | None = None,
) -> dict[str, Any]:
    """Measure everything.

    Parameters
    ----------
    engines : sequence of str
        Keys of `KINDS`.
    folder : Path
        For the files of the cases: about 2.5 GB. Files that are there already are used.
    peers : Path or None
        The peers' environment.
    threads : int
    quick : bool
        Only the two main cases, in few rounds, and without torch.compile.
    before : Path, optional
        A checkout of an earlier version, for steps of the solver.

    Returns
    -------
    dict
        What bench.json holds: machine, matrix_rates, full, light, growth, ...
    """
    if quick:
        engines = [name for name in engines if name != "compiled"]
    results: dict[str, Any] = {
        "machine": machine(threads),
        "matrix_rates": matrix_rates(threads),
        "quick": quick,
    }

    def run(name, case, effort, **options):
        chosen = [engine for engine in options.pop("engines", engines) if engine in engines]
        return measure(case, chosen, folder / name, effort, threads, peers, **options)

    results["light"] = run("light", LIGHT, Effort(5 if quick else 15, 1, 3), calls=STAGES)
    results["full"] = run("500", FULL, Effort(2 if quick else 7), calls=STAGES, exact=not quick)
    if "clockwork" in engines:
        results["memory"] = {
            f"{height} x {width}": memory_of_frame(height, width, folder, threads)
            for height, width in (SMALL_FRAME, LARGE_FRAME)[: 1 if quick else 2]
        }
        results["changed"] = static_camera(folder / "500", Effort(1 if quick else 4, 2, 2), threads)
        results["loop"] = measure_loop(40 if quick else 160, threads)
    if before and not quick:
        results["solver"] = compare_steps(before, threads)
    if not quick:
        results["growth"] = {
            "size": [
                run(str(n), Case(f"{n} x {n}", n, n), Effort(3), engines=GROWING, exact=False)
                for n in SIZES
            ],
            "channels": [
                run(
                    f"width-{share}",
                    Case(f"{share:.0%} of the channels", 500, 500, share),
                    Effort(3, 1),
                    engines=GROWING,
                    exact=False,
                )
                for share in WIDTHS
            ],
        }
    return results


def memory_of_frame(height: int, width: int, folder: Path, threads: int) -> dict[str, int]:
    """Return the bytes of one frame of the full net, resident and peak, beside the imports."""
    case = Case(f"FCN-8s, {height} x {width}", height, width)
    folder = folder / f"{height}x{width}"
    write_case(case, folder, (), None, threads)
    with Process(KINDS["clockwork"], folder, threads, None) as process:
        return process.ask("memory")


def static_camera(folder: Path, effort: Effort, threads: int) -> dict[str, Any]:
    """Return what frames cost of which only a part changes: full (seconds) and points (by share).

    Parameters
    ----------
    folder : Path
        The files of a case.
    effort : Effort
    threads : int
    """
    seconds: dict[str, list[float]] = {}
    with Process(CHANGING, folder, threads, None) as process:
        for turn in range(effort.rounds):
            for call in process.about["calls"]:
                settings = {"warm": effort.warm, "count": effort.timed}
                answer = process.ask("time", call=call, frame=turn, **settings)
                seconds.setdefault(call, []).extend(answer["seconds"])
        reached = process.about["facts"]
    total = sum(json.loads((folder / "cost.json").read_text()).values())
    medians = {call: median(times) for call, times in seconds.items()}
    return {"full": medians["frame"], "points": points(medians, reached, total)}


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
    parser.add_argument("--out", type=Path, help="folder for the results")
    args = parser.parse_args()
    engines = args.engines.split(",") if args.engines else list(KINDS)
    if unknown := [name for name in engines if name not in KINDS]:
        parser.error(f"no engine {unknown[0]!r}: choose from {', '.join(KINDS)}")
    out = args.out or (QUICK if args.quick else RESULTS)
    peers = args.peers.resolve() if args.peers else None
    with tempfile.TemporaryDirectory() as scratch:
        cases = (args.cases or Path(scratch)).resolve()
        try:
            results = compare(engines, cases, peers, args.threads, args.quick, args.before)
        except BenchmarkError as error:
            parser.exit(1, f"{error}\n")
    write(results, out)
    print(markdown(results))
    print(f"written to {out}: {bar_table(bars(results)).count('| yes |')} bars met")


if __name__ == "__main__":
    main()
