"""The final report of `make run`, and results/summary.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.atomic import write_atomically
from lib.report import table
from notebooks.results import FiguresError, read_figures, to_json
from notebooks.runner.execute import Outcome

SUMMARY = "summary.json"


def collect(outcomes: Sequence[Outcome], results: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the figures of the successful notebooks, and what is wrong with some of them."""
    figures, problems = {}, []
    for outcome in outcomes:
        path = results / f"{outcome.name}.json"
        if outcome.state == "ok" and path.exists():
            try:
                figures[outcome.name] = read_figures(path)
            except FiguresError as error:  # something else has written there since
                problems.append(f"{outcome.name}: {error}")
    return figures, problems


def table_of_rows(rows: Sequence[dict[str, Any]]) -> str:
    """Return flat dicts as a text table, one line each, columns in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return table(columns, cells)


def _cell(value):
    """Return a value as a table cell; floats get two decimals, "-" stands for no value."""
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def write_report(outcomes: Sequence[Outcome], results: Path, seconds: float) -> bool:
    """Write results/summary.json; print the figures of each notebook, then how each ended.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Failed ones are printed last.
    results : Path
        Folder of the figures and of the summary.
    seconds : float
        Duration of the run.

    Returns
    -------
    bool
        Whether all figures could be read and the summary written.
    """
    figures, problems = collect(outcomes, results)
    for name, of_notebook in figures.items():
        print(f"\n{name}  ({results / name}.html)\n{table_of_rows(of_notebook['rows'])}")
    try:
        write_atomically(results / SUMMARY, to_json(figures))
        print(f"\nall figures: {results / SUMMARY}")
    except OSError as error:
        problems.append(f"{results / SUMMARY} cannot be written: {error}")
    states = [outcome.state for outcome in outcomes]
    counts = [
        f"{states.count(state)} {state}" for state in ("ok", "skipped", "failed") if state in states
    ]
    plural = "s" if len(outcomes) != 1 else ""
    print(f"{len(outcomes)} notebook{plural} in {seconds:.0f} s: {', '.join(counts)}")
    if "failed" in states:
        print("The next run executes only what failed; with --anew, all.")
    for outcome in sorted(outcomes, key=lambda o: o.state == "failed"):
        print(f"{outcome.name}: {outcome}")
    print(*problems, sep="\n", end="\n" if problems else "")
    return not problems
