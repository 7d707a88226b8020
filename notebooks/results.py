"""Figures that a notebook writes for `make run` to collect: results/<name>.json."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.compare import agreement
from lib.evaluate import Result

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
RESULTS_VARIABLE = "CLOCKWORK_RESULTS"  # set by notebooks.run; results/ of the clone if unset


def results_folder() -> Path:
    """Return the folder for figures and pictures; create it if missing."""
    folder = Path(os.environ.get(RESULTS_VARIABLE) or ROOT / "results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path`; after an interruption `path` has either the old or the new text."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # otherwise a power cut could leave an empty file
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_figures(name: str, rows: Sequence[dict[str, Any]], **more: Any) -> Path:
    """Write results/<name>.json.

    Parameters
    ----------
    name : str
        Name of the notebook.
    rows : sequence of dict
        A flat dict per scored method; `make run` prints them as a table.
    **more
        Other values that JSON can hold, NumPy numbers and arrays included.

    Returns
    -------
    Path
        The file.
    """
    path = results_folder() / f"{name}.json"
    figures = {"rows": rows, **more}
    write_atomically(path, json.dumps(figures, indent=1, default=lambda x: x.tolist()))
    return path


def write_results(
    name: str, results: Sequence[Result], oracle: Result | None = None, **more: Any
) -> Path:
    """Write results/<name>.json with one row per schedule.

    Parameters
    ----------
    name : str
        Name of the notebook.
    results : sequence of Result
        One per schedule, from lib.evaluate.
    oracle : Result, optional
        One of `results`. Adds the agreement of each schedule with its output; all of them must
        be evaluated with keep=True.
    **more
        As for `write_figures`.

    Returns
    -------
    Path
        The file.
    """
    rows = []
    for result in results:
        summary = result.scores.summary()
        row = {
            "schedule": result.name,
            "mean IU %": 100 * summary.mean_iu,
            "accuracy %": 100 * summary.acc,
            "deep fired %": 100 * result.fired["deep"],
            "GMAC/frame": result.macs_per_frame / 1e9,
            "ms/frame": result.ms_per_frame,
            "latency ms": result.latency_ms,
            "labelled frames": result.n_labelled,
        }
        if oracle:
            scores = agreement(result, oracle, result.scores.n_classes)
            row["agreement mIU %"] = 100 * scores.summary().mean_iu
        rows.append(row)
    return write_figures(name, rows, **more)
