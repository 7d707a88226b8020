"""Figures that a notebook writes for `make run` to collect: results/<name>.json."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.atomic import write_atomically
from lib.compare import agreement
from lib.evaluate import Result
from notebooks.files import read_text

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
RESULTS_VARIABLE = "CLOCKWORK_RESULTS"  # set by notebooks.run; results/ of the clone if unset


def results_folder() -> Path:
    """Return the folder for figures and pictures; create it if missing."""
    folder = Path(os.environ.get(RESULTS_VARIABLE) or ROOT / "results")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_figures(name: str, rows: Sequence[dict[str, Any]], **more: Any) -> Path:
    """Write results/<name>.json.

    Parameters
    ----------
    name : str
        Name of the notebook.
    rows : sequence of dict
        A flat dict per scored method; `make run` prints them as a table.
    **more
        Other values that JSON can hold, NumPy numbers and arrays included. NaN and infinite values,
        such as the score of a class without pixels, are written as null: JSON has no other.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If a row is not a dict, or a value is of a type that JSON cannot hold.
    """
    for row in rows:
        if not isinstance(row, Mapping):
            raise TypeError(
                f"{name}: a row of figures is {type(row).__name__} ({str(row)[:60]}): give a dict "
                "per method, {column: value}"
            )
    path = results_folder() / f"{name}.json"
    write_atomically(path, to_json({"rows": rows, **more}))
    return path


def to_json(figures: Any) -> str:
    """Return figures as JSON; NumPy values become numbers and lists, NaN and infinities null."""
    return json.dumps(_plain(figures), indent=1, allow_nan=False)


def _plain(value):
    """Return `value` with NumPy's values as Python's, and None for numbers that are not finite."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class FiguresError(Exception):
    """A file is not what `write_figures` writes."""


def read_figures(path: Path) -> dict[str, Any]:
    """Read what `write_figures` wrote.

    Parameters
    ----------
    path : Path
        results/<name>.json.

    Returns
    -------
    dict
        Its values; "rows" holds a list of dicts.

    Raises
    ------
    FiguresError
        If the file cannot be read, is damaged, or holds something else.
    """
    try:
        figures = json.loads(read_text(path), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise FiguresError(f"{path} holds no figures: {error}") from None
    rows = figures.get("rows") if isinstance(figures, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise FiguresError(
            f"{path} holds no figures: it has no list of rows: write it with write_figures"
        )
    return figures


def _refuse_constant(name):
    """Refuse NaN, Infinity and -Infinity, which Python reads as JSON but others do not."""
    raise ValueError(f"{name} is not JSON")


def write_results(
    name: str, results: Sequence[Result], oracle: Result | None = None, **more: Any
) -> Path:
    """Write results/<name>.json with one row per schedule.

    Parameters
    ----------
    name : str
        Name of the notebook.
    results : sequence of Result
        One per schedule, from lib.evaluate. If two have the same name, as thresholds that are equal
        when rounded, the second is written as "name (2)".
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
    for title, result in zip(_distinct([r.name for r in results]), results, strict=True):
        row = {"schedule": title, **_scores(result)}
        if oracle:
            scores = agreement(result, oracle, result.scores.n_classes)
            row["agreement mIU %"] = 100 * scores.summary().mean_iu
        rows.append(row)
    return write_figures(name, rows, **more)


def _scores(result):
    """Return the figures of one Result; the deep stage is left out for nets that are not cut."""
    summary = result.scores.summary()
    fired = {"deep fired %": 100 * result.fired["deep"]} if "deep" in result.fired else {}
    return {
        "mean IU %": 100 * summary.mean_iu,
        "accuracy %": 100 * summary.acc,
        **fired,
        "GMAC/frame": result.macs_per_frame / 1e9,
        "ms/frame": result.ms_per_frame,
        "latency ms": result.latency_ms,
        "labelled frames": result.n_labelled,
    }


def _distinct(names):
    """Return `names` with " (2)", " (3)" ... after those that were there before."""
    distinct: list[str] = []
    for name in names:
        title, number = name, 2
        while title in distinct:
            title, number = f"{name} ({number})", number + 1
        distinct.append(title)
    return distinct
