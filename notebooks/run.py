"""Execute notebooks into results/: python -m notebooks.run [NAME ...].

Without names, every notebook whose data is available is executed, several at once as cores and
memory allow. Each leaves an executed copy (results/NAME.ipynb), a page (results/NAME.html) and its
figures (results/NAME.json); results/summary.json collects all figures. A failing notebook does not
stop the others and is reported at the end. After an interruption or a failure, the next run
executes only notebooks that have not finished or whose cells or code have changed. --parameters
FILE.json selects other data and nets (see notebooks/runner/parameters.py).
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets.errors import DatasetError
from datasets.sources import find_root
from notebooks.results import FOLDER, ROOT
from notebooks.runner.execute import Outcome
from notebooks.runner.machine import free_memory, usable_cores, workers_for
from notebooks.runner.parallel import execute_all, print_line
from notebooks.runner.parameters import ParametersError, read_parameters
from notebooks.runner.report import print_report
from notebooks.runner.resume import Journal, cells_of

# Notebooks of `make run`, the longest first so that they start first. Value: the dataset that the
# notebook requires and the subfolder that it reads, or None if it needs no download.
NOTEBOOKS: dict[str, tuple[str, str] | None] = {
    "cityscapes-clockwork-exp": None,
    "youtube-clockwork-exp": None,
    "nyud-clockwork-exp": None,
    "youtube-pipeline-exp": None,
    "youtube-differences": None,
    "pascal-translate-exp": None,
    "data-youtube": None,
    "data-cityscapes": None,
    "data-nyud": None,
    "camvid-clockwork-exp": ("camvid", "val"),
}


def missing_data(name: str) -> str:
    """Return what data notebook `name` lacks and how to get it, "" if it can run."""
    needed = NOTEBOOKS[name]
    if needed is None:
        return ""
    dataset, folder = needed
    try:
        find_root(dataset, None, folder)
    except DatasetError as error:
        return str(error)
    return ""


def run(
    names: Sequence[str],
    results: Path,
    folder: Path = FOLDER,
    jobs: int | None = None,
    rerun: bool = False,
    parameters: dict[str, dict[str, Any]] | None = None,
) -> list[Outcome]:
    """Execute notebooks; skip those whose data is missing.

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
    paths = {name: folder / f"{name}.ipynb" for name in names}
    outcomes = {}
    for name, path in paths.items():
        if missing := missing_data(name):
            outcomes[name] = Outcome(name, "skipped", missing)
        elif earlier := journal.finished(path, parameters.get(name)):
            outcomes[name] = earlier
            print_line(f"{name}: {earlier}")
    waiting = {name: path for name, path in paths.items() if name not in outcomes}
    digests = {name: journal.digest(path, parameters.get(name)) for name, path in waiting.items()}
    cores = usable_cores()
    workers = jobs or workers_for(len(waiting), cores, free_memory())
    outcomes |= execute_all(
        waiting.values(),
        results,
        workers,
        threads=max(1, cores // workers),
        parameters=parameters,
        cells=sum(kind == "code" for path in waiting.values() for kind, _ in cells_of(path)),
        on_end=lambda outcome: journal.add(outcome, digests[outcome.name]),
    )
    if all(outcome.state != "failed" for outcome in outcomes.values()):
        journal.forget(names)
    return [outcomes[name] for name in names]


def positive(text: str) -> int:
    """Return `text` as an int of at least 1; ValueError otherwise."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def main(argv: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit status: 0, 1 if a notebook failed, 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m notebooks.run", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"notebooks to execute, from {', '.join(NOTEBOOKS)} (default: all)",
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument(
        "--jobs", type=positive, help="notebooks at once (default: as cores and memory allow)"
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        dest="rerun",
        help="also execute notebooks that finished in an interrupted or failed run",
    )
    parser.add_argument(
        "--parameters",
        type=Path,
        metavar="FILE.json",
        help="parameter values by notebook; without NAMEs, the notebooks in the file are executed",
    )
    args = parser.parse_args(argv)
    try:
        parameters = read_parameters(args.parameters) if args.parameters else {}
    except ParametersError as error:
        parser.error(str(error))
    if unknown := {*args.names, *parameters} - set(NOTEBOOKS):
        parser.error(f"no notebook {', '.join(sorted(unknown))}; there are: {', '.join(NOTEBOOKS)}")
    names = list(dict.fromkeys(args.names or parameters or NOTEBOOKS))
    results, start = args.results.resolve(), time.monotonic()
    results.mkdir(parents=True, exist_ok=True)
    try:
        outcomes = run(names, results, folder, args.jobs, args.rerun, parameters)
    except KeyboardInterrupt:
        print(
            "\nStopped. Finished notebooks are kept: the same command resumes here, or starts over "
            "with --anew."
        )
        return 130
    print_report(outcomes, results, time.monotonic() - start)
    return int(any(outcome.state == "failed" for outcome in outcomes))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM acts like Ctrl-C
    sys.exit(main())
