"""Executes one notebook: leaves an executed copy and a page of it, and says how it went."""

import asyncio
import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from traitlets.config import Config

from notebooks.results import RESULTS_VARIABLE, ROOT, write_atomically
from notebooks.runner.parameters import ParametersError, put_in

KERNEL_OPTIONS = ["--log-level=40", "--HistoryManager.enabled=False"]
STARTUP_TIMEOUT = 300  # seconds: a busy machine takes long to start several kernels


@dataclass
class Outcome:
    """How one notebook went: `state` is "ok", "failed" or "skipped", `note` says more."""

    name: str
    state: str
    note: str = ""
    seconds: float = 0
    earlier: bool = False  # it finished in an earlier run and was not run again

    def __str__(self):
        """Such as "ok, 85 s, with warnings in cell 7"."""
        state = "ok (finished earlier)" if self.earlier else self.state
        seconds = "" if self.state == "skipped" else f"{self.seconds:.0f} s"
        return ", ".join(filter(None, [state, seconds, self.note]))


async def execute(path, results, threads=None, on_cell=lambda: None, parameters=None):
    """Runs the notebook at `path`; writes its copy and page into `results`; returns an Outcome.

    Whatever is wrong with the notebook is in the Outcome; only being cancelled is raised, with the
    kernel ended. threads: OMP_NUM_THREADS of the kernel where the user set none. on_cell is called
    after each code cell. parameters: values of parameters that differ from the notebook's own.
    """
    name, start = path.stem, time.monotonic()
    (results / f"{name}.json").unlink(missing_ok=True)  # figures of an earlier run
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # missing, cut short, not JSON: nbformat raises many kinds
        return Outcome(name, "failed", f"{path} cannot be read as a notebook: {error}")
    try:
        put_in(notebook, parameters, name)
    except ParametersError as error:
        return Outcome(name, "failed", str(error))
    with own_sockets() as config:
        failure = await run_cells(
            notebook, path.parent, config, kernel_env(results, threads), on_cell
        )
    try:
        await asyncio.to_thread(write_pages, notebook, results / name)
    except Exception as error:  # a full disk, an output that no page can show
        failure = failure or f"its page cannot be written: {type(error).__name__}: {error}"
    seconds = time.monotonic() - start
    if failure:
        return Outcome(name, "failed", failure, seconds)
    return Outcome(name, "ok", warnings_in(notebook), seconds)


def kernel_env(results, threads):
    """Environment of a kernel: it imports our packages and writes its figures into `results`."""
    default = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return (
        default
        | os.environ
        | {RESULTS_VARIABLE: str(results), "PYTHONPATH": os.pathsep.join(paths)}
    )


@contextmanager
def own_sockets():
    """The configuration of a kernel that talks through files of its own.

    A TCP port is looked for first and bound later: of two kernels that start at the same time one
    may find its port taken, and die.
    """
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        yield Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/socket"}})


async def run_cells(notebook, folder, config, env, on_cell):
    """Executes all cells in place, working directory `folder`; returns what failed, "" if none."""
    running = "no cell"

    def started(cell, cell_index):
        nonlocal running
        running = f"cell {cell_index + 1} ({cell.source.strip().partition(chr(10))[0]})"

    client = NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=STARTUP_TIMEOUT,
        kernel_name="python3",
        config=config,
        extra_arguments=KERNEL_OPTIONS,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=started,
        on_cell_executed=lambda **_: on_cell(),
    )
    try:
        await client.async_execute(env=env)
    except asyncio.CancelledError:
        if client.km:  # cancelled while the kernel started, where nbclient leaves it running
            await client.km.shutdown_kernel(now=True)
        raise
    except CellExecutionError as error:
        return f"{running}: {error.ename}: {error.evalue}"
    except DeadKernelError:
        if asyncio.current_task().cancelling():  # which nbclient takes for a dead kernel
            raise asyncio.CancelledError from None
        return f"{running}: the kernel died (out of memory?)"
    except Exception as error:  # no kernel to start, a broken message: this notebook's alone
        return f"{running}: {type(error).__name__}: {error}"
    return ""


def warnings_in(notebook):
    """Says which cells wrote to stderr, where warnings go; "" if none did."""
    cells = [
        str(i + 1)
        for i, cell in enumerate(notebook.cells)
        if any(output.get("name") == "stderr" for output in cell.get("outputs", []))
    ]
    return f"with warnings in cell{'s' * (len(cells) > 1)} {', '.join(cells)}" if cells else ""


def write_pages(notebook, stem):
    """Writes `notebook` as `stem`.ipynb and as a page to read, `stem`.html."""
    write_atomically(stem.with_name(f"{stem.name}.ipynb"), nbformat.writes(notebook))
    page, _ = HTMLExporter().from_notebook_node(notebook)
    write_atomically(stem.with_name(f"{stem.name}.html"), page)
