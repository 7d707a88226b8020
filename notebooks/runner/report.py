"""The final report of `make run`, and results/summary.json."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.report import table
from notebooks.results import write_atomically
from notebooks.runner.execute import Outcome


def summarise(outcomes: Sequence[Outcome], results: Path) -> dict[str, Any]:
    """Merge the figures of the successful notebooks into results/summary.json and return them."""
    summary = {}
    for outcome in outcomes:
        figures = results / f"{outcome.name}.json"
        if outcome.state == "ok" and figures.exists():
            summary[outcome.name] = json.loads(figures.read_text())
    write_atomically(results / "summary.json", json.dumps(summary, indent=1))
    return summary


def table_of_rows(rows: Sequence[dict[str, Any]]) -> str:
    """Return flat dicts as a text table, one line each, columns in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return table(columns, cells)


def _cell(value):
    """Return a value as a table cell; floats get two decimals."""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def print_report(outcomes: Sequence[Outcome], results: Path, seconds: float) -> None:
    """Print the figures of each notebook, then how each ended, failures last."""
    for name, figures in summarise(outcomes, results).items():
        print(f"\n{name}  ({results / name}.html)\n{table_of_rows(figures.get('rows', []))}")
    print(f"\nall figures: {results / 'summary.json'}")
    states = [outcome.state for outcome in outcomes]
    counts = [
        f"{states.count(state)} {state}" for state in ("ok", "skipped", "failed") if state in states
    ]
    print(f"{len(outcomes)} notebooks in {seconds:.0f} s: {', '.join(counts)}")
    if "failed" in states:
        print("The next run executes only the failed ones; with --anew, all.")
    for outcome in sorted(outcomes, key=lambda o: o.state == "failed"):
        print(f"{outcome.name}: {outcome}")
