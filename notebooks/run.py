"""Executes notebooks into results/: python -m notebooks.run [NAME ...]

Without names, all whose data is in place are run. Each leaves an executed copy
(results/NAME.ipynb), a page to read (results/NAME.html) and its figures (results/NAME.json);
results/summary.json holds the figures of all. A notebook that fails stops none of the others and
is named at the end.
"""
import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from tqdm import tqdm

from datasets.errors import DatasetError
from datasets.sources import find_root
from notebooks.results import RESULTS_VARIABLE, ROOT

FOLDER = ROOT / "notebooks"

# Notebooks of `make run`: the dataset each cannot do without and the sub-folder of it that is read;
# None where no download is needed.
NOTEBOOKS = {
    "cityscapes-clockwork-exp": None,
    "camvid-clockwork-exp": ("camvid", "val"),
}


@dataclass
class Outcome:
    """How one notebook went: `state` is "ok", "failed" or "skipped", `note` says why."""
    name: str
    state: str
    note: str = ""
    seconds: float = 0


def missing_data(name):
    """Why notebook `name` cannot run and how to get its data; "" where the data is in place."""
    if NOTEBOOKS[name] is None:
        return ""
    dataset, folder = NOTEBOOKS[name]
    try:
        find_root(dataset, None, folder)
    except DatasetError as error:
        return str(error)
    return ""


def execute(path, results):
    """Runs the notebook at `path`; writes its copy and page into `results`; returns an Outcome."""
    name, start = path.stem, time.monotonic()
    (results / f"{name}.json").unlink(missing_ok=True)  # figures of an earlier run
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # missing, cut short, not JSON: nbformat raises many kinds
        return Outcome(name, "failed", f"{path} cannot be read as a notebook: {error}")
    note = run_cells(notebook, name, path.parent, results)
    nbformat.write(notebook, results / f"{name}.ipynb")
    (results / f"{name}.html").write_text(HTMLExporter().from_notebook_node(notebook)[0])
    return Outcome(name, "failed" if note else "ok", note, time.monotonic() - start)


def run_cells(notebook, name, folder, results):
    """Executes all cells in place, working directory `folder`; returns what failed, "" if none."""
    code_cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    running = ""

    def started(cell, cell_index):
        nonlocal running
        running = f"cell {cell_index + 1} ({cell.source.strip().splitlines()[0]})"

    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {RESULTS_VARIABLE: str(results), "PYTHONPATH": os.pathsep.join(paths)}
    with tqdm(total=len(code_cells), desc=name, unit="cell") as bar:
        client = NotebookClient(
            notebook, timeout=None, kernel_name="python3", extra_arguments=["--log-level=40"],
            resources={"metadata": {"path": str(folder)}}, on_cell_start=started,
            on_cell_executed=lambda **_: bar.update())
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            return f"{running}: {error.ename}: {error.evalue}"
        except DeadKernelError:
            return f"{running}: the kernel died (out of memory?)"
    return ""


def run(names, results, folder=FOLDER):
    """Runs the notebooks `names` of `folder`, skipping those whose data is missing; Outcomes."""
    outcomes = []
    for name in names:
        if missing := missing_data(name):
            outcomes.append(Outcome(name, "skipped", missing))
        else:
            outcomes.append(execute(folder / f"{name}.ipynb", results))
    return outcomes


def summarise(outcomes, results):
    """Merges what the notebooks wrote into results/summary.json; returns it as a dict."""
    summary = {}
    for outcome in outcomes:
        figures = results / f"{outcome.name}.json"
        if outcome.state == "ok" and figures.exists():
            summary[outcome.name] = json.loads(figures.read_text())
    (results / "summary.json").write_text(json.dumps(summary, indent=1))
    return summary


def table(rows):
    """Text of a list of flat dicts, one line each, columns in order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns] + [[show(row.get(c, "")) for c in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip()
                     for line in cells)


def show(value):
    """A table cell: two decimals for a float."""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main(argv=None, folder=FOLDER):
    """Command line; returns the exit status: 1 if a notebook failed."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"notebooks to run, of: {', '.join(NOTEBOOKS)}")
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(NOTEBOOKS):
        parser.error(f"no notebook {', '.join(sorted(unknown))}; there are: {', '.join(NOTEBOOKS)}")
    results = args.results.resolve()
    results.mkdir(parents=True, exist_ok=True)
    outcomes = run(args.names or NOTEBOOKS, results, folder)
    for name, figures in summarise(outcomes, results).items():
        print(f"\n{name}  ({results / name}.html)\n{table(figures.get('rows', []))}")
    print(f"\nfigures of all: {results / 'summary.json'}")
    for outcome in sorted(outcomes, key=lambda o: o.state == "failed"):
        print(f"{outcome.state:8}{outcome.name}  {outcome.seconds:.0f} s  {outcome.note}".rstrip())
    return int(any(outcome.state == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
