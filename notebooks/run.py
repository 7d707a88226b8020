"""Executes notebooks into results/: python -m notebooks.run [NAME ...]

Without names, all whose data is in place are run, several at once where cores and memory allow.
Each leaves an executed copy (results/NAME.ipynb), a page to read (results/NAME.html) and its
figures (results/NAME.json); results/summary.json holds the figures of all. A notebook that fails
stops none of the others and is named at the end. After an interruption or a failure the next run
goes on with the notebooks that are not finished, or whose cells or code have changed. Other data
and nets come from a file: --parameters (see notebooks/runner/parameters.py).
"""

import argparse
import signal
import sys
import time
from pathlib import Path

from datasets.errors import DatasetError
from datasets.sources import find_root
from notebooks.results import ROOT
from notebooks.runner.execute import Outcome
from notebooks.runner.machine import free_memory, usable_cores, workers_for
from notebooks.runner.parallel import execute_all, say
from notebooks.runner.parameters import ParametersError, read_parameters
from notebooks.runner.report import print_report
from notebooks.runner.resume import Journal, cells_of

FOLDER = ROOT / "notebooks"

# Notebooks of `make run` in the order they are started, the longest first: the dataset each cannot
# do without and the sub-folder of it that is read; None where no download is needed.
NOTEBOOKS = {
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


def run(names, results, folder=FOLDER, jobs=None, anew=False, parameters=None):
    """Outcomes of the notebooks `names` of `folder`; those whose data is missing are skipped.

    jobs: how many at once, None for as many as the machine has room for. anew: also those that
    finished in a run that was interrupted or had failures. parameters: {name: values that differ
    from those of the notebook}.
    """
    parameters = parameters or {}
    journal = Journal(results, anew)
    paths = {name: folder / f"{name}.ipynb" for name in names}
    outcomes = {}
    for name, path in paths.items():
        if missing := missing_data(name):
            outcomes[name] = Outcome(name, "skipped", missing)
        elif done := journal.finished(path, parameters.get(name)):
            outcomes[name] = done
            say(f"{name}: {done}")
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


def positive(text):
    if (number := int(text)) < 1:
        raise ValueError
    return number


def main(argv=None, folder=FOLDER):
    """Command line; returns the exit status: 1 if a notebook failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.run", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"notebooks to run, of: {', '.join(NOTEBOOKS)}"
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument(
        "--jobs", type=positive, help="notebooks at once; by cores and free memory if not given"
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="run also what an interrupted run, or one with failures, has finished",
    )
    parser.add_argument(
        "--parameters",
        type=Path,
        metavar="FILE.json",
        help="values of parameters by notebook; without NAMEs those that the file names are run",
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
        outcomes = run(names, results, folder, args.jobs, args.anew, parameters)
    except KeyboardInterrupt:
        print(
            "\nStopped. Finished notebooks are kept: the same command goes on from here, or runs "
            "all again with --anew."
        )
        return 130
    print_report(outcomes, results, time.monotonic() - start)
    return int(any(outcome.state == "failed" for outcome in outcomes))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be stopped is to be interrupted
    sys.exit(main())
