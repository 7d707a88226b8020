"""What a notebook leaves for `make run` to collect: results/<name>.json."""

import json
import os
from pathlib import Path

from lib.compare import agreement

ROOT = Path(__file__).resolve().parents[1]
RESULTS_VARIABLE = "CLOCKWORK_RESULTS"  # set by notebooks.run; by hand, results/ of the clone


def results_folder():
    """Folder that figures and pictures go to, made if missing."""
    folder = Path(os.environ.get(RESULTS_VARIABLE) or ROOT / "results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_atomically(path, text):
    """Writes `text` to `path`; whatever interrupts it, `path` holds the whole of the old or new."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name without the content
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_figures(name, rows, **more):
    """Writes results/<name>.json: `rows`, a list of flat dicts (one for each method scored, printed
    as a table by `make run`), and whatever else JSON can hold. NumPy numbers and arrays are taken.
    """
    path = results_folder() / f"{name}.json"
    figures = {"rows": rows, **more}
    write_atomically(path, json.dumps(figures, indent=1, default=lambda x: x.tolist()))
    return path


def write_results(name, results, oracle=None, **more):
    """`write_figures` for the Results of lib.evaluate: one row for each schedule. With an `oracle`,
    one of them, also how far each agrees with its output (all evaluated with keep=True).
    """
    rows = [
        {
            "schedule": r.name,
            "mean IU %": 100 * r.scores.summary().mean_iu,
            "accuracy %": 100 * r.scores.summary().acc,
            "deep fired %": 100 * r.fired["deep"],
            "GMAC/frame": r.macs_per_frame / 1e9,
            "ms/frame": r.ms_per_frame,
            "latency ms": r.latency_ms,
            "labelled frames": r.n_labelled,
        }
        for r in results
    ]
    if oracle:
        for row, result in zip(rows, results, strict=True):
            scores = agreement(result, oracle, result.scores.n_classes)
            row["agreement mIU %"] = 100 * scores.summary().mean_iu
    return write_figures(name, rows, **more)
