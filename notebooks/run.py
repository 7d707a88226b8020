"""Execute notebooks into results/: python -m notebooks.run [NAME ...].

Without names, every notebook whose data is available is executed, several at once as cores and
memory allow. Each leaves an executed copy (results/NAME.ipynb), a page (results/NAME.html) and its
figures (results/NAME.json); results/summary.json collects all figures. A failing notebook does not
stop the others and is reported at the end. After an interruption or a failure, the next run
executes only notebooks that have not finished or whose cells or code have changed. --parameters
FILE.json selects other data and nets (see notebooks/runner/parameters.py).
"""

import sys

if __name__ == "__main__":  # before the other imports take their time
    from notebooks.runner.early import end_quietly

    sys.excepthook = end_quietly

import argparse
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets.errors import DatasetError
from datasets.sources import find_root
from nets.paths import similar
from notebooks.results import FOLDER, ROOT
from notebooks.runner.execute import Outcome
from notebooks.runner.folders import remove_abandoned, remove_unfinished
from notebooks.runner.machine import free_memory, usable_cores, workers_for
from notebooks.runner.parallel import SIGNALS, execute_all, print_line
from notebooks.runner.parameters import (
    ParametersError,
    assigned_value,
    check_parameters,
    parameters_cell,
    read_parameters,
)
from notebooks.runner.report import write_report
from notebooks.runner.resume import FILE as JOURNAL
from notebooks.runner.resume import Journal, cells_of, read_cells

# Notebooks of `make run`, the longest first so that they start first. Value: the dataset that the
# notebook requires and the subfolder that it reads, or None if it needs no download.
NOTEBOOKS: dict[str, tuple[str, str] | None] = {
    "cityscapes-clockwork-exp": None,
    "youtube-clockwork-exp": None,
    "nyud-clockwork-exp": None,
    "youtube-pipeline-exp": None,
    "youtube-differences": None,
    "pascal-translate-exp": None,
    "new-movie": None,
    "data-youtube": None,
    "data-cityscapes": None,
    "data-nyud": None,
    "camvid-clockwork-exp": ("camvid", "val"),
}


def missing_data(name: str, path: Path | None = None, values: Mapping[str, Any] = {}) -> str:
    """Return what data notebook `name` lacks and how to get it, "" if it can run.

    Parameters
    ----------
    name : str
        Name of the notebook.
    path : Path, optional
        The notebook, whose parameters may name another folder of the dataset as `root`.
    values : mapping
        Parameter -> value, for values that differ from the notebook's own.
    """
    needed = NOTEBOOKS[name]
    if needed is None:
        return ""
    dataset, folder = needed
    try:
        root = values["root"] if "root" in values else own_root(path)
    except ValueError:  # the notebook computes it, so only the notebook can tell
        return ""
    try:
        find_root(dataset, path.parent / root if path and root else None, folder)
    except DatasetError as error:
        hint = f'{{"{name}": {{"root": "FOLDER"}}}}'
        return f"{error}" if root else f"{error}\nOr pass {hint} in a file as --parameters."
    except TypeError:  # no path: the notebook says so where it uses it
        pass
    return ""


def own_root(path: Path | None) -> Any:
    """Return the `root` in a notebook's parameters cell, None if there is none.

    Raises ValueError if the notebook computes it.
    """
    source = parameters_cell(read_cells(path)) if path else None
    return assigned_value(source, "root") if source else None


def run(
    names: Sequence[str],
    results: Path,
    folder: Path = FOLDER,
    jobs: int | None = None,
    rerun: bool = False,
    parameters: dict[str, dict[str, Any]] | None = None,
) -> list[Outcome]:
    """Execute notebooks; skip those whose data is missing.

    The journal in `results` keeps those that succeed: to start over after a success, call
    ``Journal(results).forget(names)``, as `main` does after its report.

    Parameters
    ----------
    names : sequence of str
        Notebooks of `folder`.
    results : Path
        Folder for pages and figures.
    folder : Path
        Folder of the notebooks.
    jobs : int, optional
        Number of notebooks at once, by default as many as cores and memory allow.
    rerun : bool
        Also execute notebooks that finished in an interrupted or failed run.
    parameters : dict, optional
        Notebook -> {parameter: value}, for values that differ from the notebook's own.

    Returns
    -------
    list of Outcome
        In the order of `names`.
    """
    parameters = parameters or {}
    journal = Journal(results, rerun)
    remove_abandoned()
    remove_unfinished(results)
    paths = {name: folder / f"{name}.ipynb" for name in names}
    outcomes = {}
    for name, path in paths.items():
        if outcome := without_running(name, path, parameters.get(name, {}), journal):
            outcomes[name] = outcome
            print_line(f"{name}: {outcome}")
    waiting = {name: path for name, path in paths.items() if name not in outcomes}
    digests = {name: journal.digest(path, parameters.get(name)) for name, path in waiting.items()}
    cores = usable_cores()
    workers = jobs or workers_for(len(waiting), cores, free_memory())

    def record(outcome):
        try:
            journal.add(outcome, digests[outcome.name])
        except OSError as error:
            print_line(f"{results / JOURNAL}: {error}: {outcome.name} will be executed again")

    outcomes |= execute_all(
        waiting.values(),
        results,
        workers,
        threads=max(1, cores // workers),
        parameters=parameters,
        cells=sum(kind == "code" for path in waiting.values() for kind, _ in cells_of(path)),
        on_end=record,
    )
    return [outcomes[name] for name in names]


def without_running(
    name: str, path: Path, values: Mapping[str, Any], journal: Journal
) -> Outcome | None:
    """Return the Outcome of a notebook that cannot run or has finished earlier, otherwise None."""
    cells = read_cells(path)
    if values and cells:  # if it has no cells, execution tells what is wrong with the file
        try:
            check_parameters(cells, values, name)
        except ParametersError as error:
            return Outcome(name, "failed", str(error))
    if missing := missing_data(name, path, values):
        return Outcome(name, "skipped", missing)
    return journal.finished(path, values)


def positive(text: str) -> int:
    """Return `text` as an int of at least 1; ValueError otherwise."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def notebook_name(text: str) -> str:
    """Return the name of a notebook that is given by name, or as NAME.ipynb with or without folder.

    Raises ArgumentTypeError for a notebook that is not in the folder of the notebooks.
    """
    path = Path(text)
    if path.suffix != ".ipynb":
        return text
    if path.parent != Path() and path.parent.resolve() != FOLDER:
        raise argparse.ArgumentTypeError(f"{text} is not in {FOLDER}")
    return path.stem


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line; exit with a message if they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.run", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        type=notebook_name,
        metavar="NAME",
        help=f"notebooks to execute, from {', '.join(NOTEBOOKS)} (default: all)",
    )
    parser.add_argument(
        "--results", type=Path, default=ROOT / "results", help="folder for pages and figures"
    )
    parser.add_argument(
        "--jobs", type=positive, help="notebooks at once (default: as cores and memory allow)"
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        dest="rerun",
        help="start from the beginning: also execute notebooks that an interrupted or failed run "
        "has finished",
    )
    parser.add_argument(
        "--parameters",
        type=Path,
        metavar="FILE.json",
        help="parameter values by notebook; without NAMEs, the notebooks in the file are executed",
    )
    args = parser.parse_args(argv)
    try:
        args.parameters = read_parameters(args.parameters) if args.parameters else {}
        args.results = args.results.resolve()
        args.results.mkdir(parents=True, exist_ok=True)
    except ParametersError as error:
        parser.error(str(error))
    except (OSError, ValueError) as error:
        parser.error(f"--results {args.results}: {error}: name a folder that can be written")
    if unknown := sorted({*args.names, *args.parameters} - set(NOTEBOOKS)):
        hint = "".join(f". {similar(name, NOTEBOOKS).strip()}" for name in unknown).rstrip(". ")
        parser.error(f"no notebook {', '.join(unknown)}; there are: {', '.join(NOTEBOOKS)}{hint}")
    if args.names and (unused := sorted(set(args.parameters) - set(args.names))):
        parser.error(
            f"--parameters has values for {', '.join(unused)}, which is not to be executed"
        )
    return args


def main(argv: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status: 0, 1 if a notebook failed, or was asked for by name and cannot run; 130 after
        Ctrl-C.
    """
    start = time.monotonic()
    try:
        args = parse(argv)
        asked = list(dict.fromkeys(args.names or args.parameters))
        names = asked or list(NOTEBOOKS)
        outcomes = run(names, args.results, folder, args.jobs, args.rerun, args.parameters)
        written = write_report(outcomes, args.results, time.monotonic() - start)
        failed = any(outcome.state == "failed" for outcome in outcomes)
        if written and not failed:
            Journal(args.results).forget(names)
    except KeyboardInterrupt:
        print(
            "\nStopped. Finished notebooks are kept: the same command resumes here, or starts from "
            "the beginning with --anew."
        )
        return 130
    except OSError as error:  # such as a terminal that has gone
        print(f"notebooks.run: {error}; the same command resumes here", file=sys.stderr)
        return 1
    skipped = any(outcome.state == "skipped" and outcome.name in asked for outcome in outcomes)
    return int(failed or skipped or not written)


if __name__ == "__main__":
    for number in SIGNALS:  # all act like Ctrl-C, but nohup has SIGHUP ignored
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    sys.exit(main())
