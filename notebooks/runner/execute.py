"""Execute one notebook: write an executed copy and an HTML page, and report how it ended."""

import asyncio
import atexit
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from traitlets.config import Config

from datasets.sources import SOURCES, env_var
from lib.atomic import write_atomically
from notebooks.files import read_text
from notebooks.results import RESULTS_VARIABLE, ROOT, FiguresError, read_figures
from notebooks.runner.failures import last_words, place, shown, warnings_in
from notebooks.runner.folders import CONNECTION, SOCKET, kernel_folder
from notebooks.runner.parameters import ParametersError, inject_parameters

KERNEL_OPTIONS = ["--log-level=40", "--HistoryManager.enabled=False"]
STARTUP_TIMEOUT = 300  # seconds; on a busy machine several kernels start slowly
SILENT = logging.Logger("nbclient")  # without a handler: an Outcome says what is wrong
SILENT.addHandler(logging.NullHandler())


@dataclass
class Outcome:
    """How one notebook ended: `state` is "ok", "failed" or "skipped", `note` has details."""

    name: str
    state: str
    note: str = ""
    seconds: float = 0
    earlier: bool = False  # it finished in an earlier run and was not executed again

    def __str__(self) -> str:
        """Return a line such as "ok, 85 s, with warnings in cell 7"."""
        state = "ok (finished earlier)" if self.earlier else self.state
        seconds = "" if self.state == "skipped" else f"{self.seconds:.0f} s"
        return ", ".join(filter(None, [state, seconds, self.note]))


async def execute(
    path: Path,
    results: Path,
    threads: int | None = None,
    on_cell: Callable[[], object] = lambda: None,
    parameters: Mapping[str, Any] | None = None,
) -> Outcome:
    """Execute a notebook and write its copy and page.

    Parameters
    ----------
    path : Path
        The notebook.
    results : Path
        Folder for copy, page and figures.
    threads : int, optional
        OMP_NUM_THREADS of the kernel, unless the user has set it.
    on_cell : callable
        Called after each code cell.
    parameters : mapping, optional
        Parameter -> value, for values that differ from the notebook's own.

    Returns
    -------
    Outcome
        Reports all errors of the notebook.

    Raises
    ------
    asyncio.CancelledError
        If cancelled, after the kernel has ended.
    """
    name, start = path.stem, time.monotonic()
    figures = results / f"{name}.json"
    try:
        figures.unlink(missing_ok=True)  # of an earlier run
        notebook = nbformat.reads(read_text(path), as_version=4)
    except Exception as error:  # nbformat raises many types: missing, truncated, not JSON
        return Outcome(name, "failed", f"{path} cannot be read as a notebook: {shown(error)}")
    try:
        inject_parameters(notebook, parameters, name)
    except ParametersError as error:
        return Outcome(name, "failed", str(error))
    with ipc_config() as config:
        failure = await _run_cells(
            notebook, path.parent, config, kernel_env(results, threads), on_cell
        )
    try:
        await asyncio.to_thread(_write_pages, notebook, results / name)
        if os.path.lexists(figures):
            read_figures(figures)
    except FiguresError as error:
        failure = failure or str(error)
    except Exception as error:  # such as a full disk, or an output that nbconvert cannot render
        failure = failure or f"its page cannot be written: {type(error).__name__}: {shown(error)}"
    seconds = time.monotonic() - start
    if failure:
        return Outcome(name, "failed", failure, seconds)
    return Outcome(name, "ok", warnings_in(notebook), seconds)


def kernel_env(results: Path, threads: int | None) -> dict[str, str]:
    """Return the environment of a kernel: import path, OMP_NUM_THREADS and results folder.

    Folders of datasets that are relative to the working folder become absolute, because the
    working folder of a kernel is that of its notebook.
    """
    default = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    folders = {
        variable: os.path.abspath(os.environ[variable])
        for variable in map(env_var, (*SOURCES, "miniature"))
        if os.environ.get(variable)
    }
    return (
        default
        | os.environ
        | folders
        | {RESULTS_VARIABLE: str(results), "PYTHONPATH": os.pathsep.join(paths)}
    )


@contextmanager
def ipc_config() -> Iterator[Config]:
    """Configure a kernel to communicate through Unix sockets in a temporary folder.

    With TCP, a free port is chosen first and bound later. If two kernels start at the same time,
    one of them may find its port in use and die.

    Yields
    ------
    Config
        For nbclient or papermill.
    """
    with kernel_folder() as folder:
        options = {"connection_file": str(folder / CONNECTION), "ip": str(folder / SOCKET)}
        yield Config({"KernelManager": {"transport": "ipc", **options}})


async def _run_cells(notebook, folder, config, env, on_cell):
    """Execute all cells in place with the working directory `folder`; return the error or ""."""
    running = None

    def started(cell, cell_index):
        nonlocal running
        running = cell_index

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
        log=SILENT,
    )
    with tempfile.TemporaryFile() as said:
        execution = asyncio.ensure_future(client.async_execute(env=env, stdout=said, stderr=said))
        try:
            # Not awaited itself: a cancellation can get lost in nbclient (asyncio.wait_for drops it
            # if a message arrives at the same moment), and the run would never end.
            await asyncio.wait([execution])
        except asyncio.CancelledError:
            await _end_execution(client, execution)
            raise
        try:
            execution.result()
        except CellExecutionError as error:
            return f"{place(notebook, running)}: {error.ename}: {shown(error.evalue)}"
        except DeadKernelError:
            last = last_words(said)
            return f"{place(notebook, running)}: the kernel died (out of memory?){last}"
        except Exception as error:  # such as no kernelspec: affects this notebook only
            where, last = place(notebook, running), last_words(said)
            return f"{where}: {type(error).__name__}: {shown(error)}{last}"
    return ""


async def _end_execution(client, execution):
    """Cancel an execution; if it does not end by that, it does when its kernel is gone."""
    execution.cancel()
    await asyncio.wait([execution], timeout=1)
    await _end_kernel(client)
    await asyncio.wait([execution], timeout=10)
    if execution.done() and not execution.cancelled():
        execution.exception()  # looked at, so that asyncio does not report it as forgotten


async def _end_kernel(client):
    """End what nbclient leaves behind if it is cancelled: the kernel, and a callback at exit."""
    atexit.unregister(client._cleanup_kernel)
    if client.km:
        await client.km.shutdown_kernel(now=True)


def _write_pages(notebook, stem):
    """Write `notebook` as `stem`.ipynb and as an HTML page, `stem`.html."""
    write_atomically(stem.with_name(f"{stem.name}.ipynb"), nbformat.writes(notebook))
    page, _ = HTMLExporter().from_notebook_node(notebook)
    write_atomically(stem.with_name(f"{stem.name}.html"), page)
