"""What `make run` says when all notebooks have run, and results/summary.json."""

import json

from notebooks.results import write_atomically


def summarise(outcomes, results):
    """Merges what the notebooks wrote into results/summary.json; returns it as a dict."""
    summary = {}
    for outcome in outcomes:
        figures = results / f"{outcome.name}.json"
        if outcome.state == "ok" and figures.exists():
            summary[outcome.name] = json.loads(figures.read_text())
    write_atomically(results / "summary.json", json.dumps(summary, indent=1))
    return summary


def table(rows):
    """Text of a list of flat dicts, one line each, columns in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns] + [[show(row.get(c, "")) for c in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def show(value):
    """A table cell: two decimals for a float."""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def print_report(outcomes, results, seconds):
    """Print the figures of each notebook, then how all went, failures last."""
    for name, figures in summarise(outcomes, results).items():
        print(f"\n{name}  ({results / name}.html)\n{table(figures.get('rows', []))}")
    print(f"\nfigures of all: {results / 'summary.json'}")
    states = [outcome.state for outcome in outcomes]
    counts = [
        f"{states.count(state)} {state}" for state in ("ok", "skipped", "failed") if state in states
    ]
    print(f"{len(outcomes)} notebooks in {seconds:.0f} s: {', '.join(counts)}")
    if "failed" in states:
        print("The next run takes up only those that failed; with --anew, all.")
    for outcome in sorted(outcomes, key=lambda o: o.state == "failed"):
        print(f"{outcome.name}: {outcome}")
