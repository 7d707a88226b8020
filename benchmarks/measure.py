"""Times of several engines on one case: interleaved rounds, errors, memory."""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peers.case import Case, write
from benchmarks.peers.process import KINDS, BenchmarkError, Process


class Effort(NamedTuple):
    """How often things are timed."""

    rounds: int  # rounds over all engines, besides one that warms up
    warm: int = 0  # calls of a turn that are not timed: small nets leave the caches between turns
    timed: int = 1  # calls of a turn that are


def measure(
    case: Case,
    engines: Sequence[str],
    folder: Path,
    effort: Effort,
    threads: int,
    peers: Path | None,
    calls: Collection[str] = ("frame",),
    exact: bool = True,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Run engines on a case, in turns.

    Parameters
    ----------
    case : Case
    engines : sequence of str
        Keys of `KINDS`. One that fails has its reason in place of times.
    folder : Path
        For the files of the case.
    effort : Effort
    threads : int
        Threads of each engine; only one runs at a time.
    peers : Path or None
        The peers' environment.
    calls : collection of str
        What is timed, of the calls that an engine has.
    exact : bool
        Compare scores with those in float64, which take a while; else with the first engine's.
    say : function
        Takes lines about progress.

    Returns
    -------
    dict
        For JSON: "case", "against" (what scores were compared with), "multiply_adds" by stage, and
        under "rows" a dict for each engine: engine, title, precision, version, error (the largest
        difference of the scores, as a share of the largest score), labels (share of the pixels with
        the same best class), resident and peak (bytes of one frame, beside the imports), seconds
        (lists by call); or engine, title and failed.
    """
    say(f"{case.title}: writing files")
    formats = {KINDS[name].format for name in engines} | {"scores" if exact else ""}
    write(case, folder, formats - {""}, peers, threads)
    against = np.load(folder / "scores.npy") if exact else None
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        running: list[tuple[dict, Process]] = []
        for name in engines:
            kind = KINDS[name]
            row: dict[str, Any] = {"engine": name, "title": kind.title, "precision": kind.precision}
            rows.append(row)
            try:
                process = stack.enter_context(Process(kind, folder, threads, peers))
                row["version"] = process.about["version"]
                row |= process.ask("memory")
                scores = scores_of(process, folder / f"{name}.npy")
                against = scores if against is None else against
                row |= differences(scores, against, kind.title)
            except BenchmarkError as error:
                _fail(row, error, say)
                continue
            row["seconds"] = {call: [] for call in process.about["calls"] if call in calls}
            running.append((row, process))
            say(f"{case.title}: {kind.title} is ready, error {row['error']:.1e}")
        for turn in range(effort.rounds + 1):
            for row, process in list(running):
                try:
                    for call, seconds in row["seconds"].items():
                        settings = {"warm": effort.warm, "count": effort.timed}
                        timed = process.ask("time", call=call, frame=turn, **settings)["seconds"]
                        seconds += timed if turn else []
                except BenchmarkError as error:
                    _fail(row, error, say)
                    running.remove((row, process))
        say(f"{case.title}: {effort.rounds} rounds are done")
    return {
        "case": case._asdict(),
        "against": "float64" if exact else KINDS[engines[0]].title,
        "multiply_adds": json.loads((folder / "cost.json").read_text()),
        "rows": rows,
    }


def scores_of(process: Process, path: Path) -> np.ndarray:
    """Return an engine's scores of the first frame, C x H x W; `path` is for its use."""
    process.ask("scores", frame=0, path=str(path))
    scores = np.load(path)
    path.unlink()
    return scores[0]


def differences(scores: np.ndarray, exact: np.ndarray, title: str) -> dict[str, float]:
    """Return how scores differ: error and labels, see `measure`.

    Raises
    ------
    BenchmarkError
        If the scores are of another shape: the engine, called `title`, runs another net.
    """
    if scores.shape != exact.shape:
        raise BenchmarkError(f"{title}: scores of the shape {scores.shape}, not {exact.shape}")
    error = np.abs(scores - exact).max() / np.abs(exact).max()
    return {"error": float(error), "labels": float((scores.argmax(0) == exact.argmax(0)).mean())}


def _fail(row, error, say):
    """Turn a row into one of an engine that failed."""
    row["failed"] = str(error)
    for key in ("seconds", "resident", "peak"):
        row.pop(key, None)
    say(f"failed: {error}")
