"""Execute several notebooks at once, each in its own kernel."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from notebooks.runner.execute import Outcome, execute
from notebooks.runner.failures import shown

T = TypeVar("T")


def execute_all(
    paths: Iterable[Path],
    results: Path,
    workers: int,
    threads: int,
    cells: int,
    on_end: Callable[[Outcome], None],
    parameters: Mapping[str, Mapping[str, Any]],
) -> dict[str, Outcome]:
    """Execute notebooks in the given order, several at a time; Ctrl-C ends the kernels.

    Parameters
    ----------
    paths : iterable of Path
        The notebooks.
    results : Path
        Folder for pages and figures.
    workers : int
        Number of notebooks at a time.
    threads : int
        OMP_NUM_THREADS of each kernel.
    cells : int
        Total number of code cells, for the progress bar.
    on_end : callable
        on_end(outcome) is called when a notebook ends.
    parameters : mapping
        Notebook -> {parameter: value}, for values that differ from the notebook's own.

    Returns
    -------
    dict
        Notebook -> Outcome.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, after the kernels have ended.
    """
    with tqdm(total=cells, unit="cell", disable=None) as bar:  # None: no bar if not on a terminal
        return _run_in_thread(
            _execute_all(paths, results, workers, threads, bar, on_end, parameters)
        )


async def _execute_all(paths, results, workers, threads, bar, on_end, parameters):
    free = asyncio.Semaphore(workers)

    async def execute_one(path):
        async with free:
            print_line(f"{path.stem}: started")
            try:
                values = parameters.get(path.stem)
                outcome = await execute(path, results, threads, bar.update, values)
            except Exception as error:  # of the runner or its libraries: the others go on
                note = f"it could not be executed: {type(error).__name__}: {shown(error)}"
                outcome = Outcome(path.stem, "failed", note)
            print_line(f"{path.stem}: {outcome}")
            on_end(outcome)
            return outcome

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(execute_one(path)) for path in paths]
    return {task.result().name: task.result() for task in tasks}


def print_line(line: str) -> None:
    """Print a line above the progress bar."""
    with tqdm.external_write_mode():
        print(line, flush=True)


def _run_in_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in another thread; Ctrl-C cancels it and waits for its cleanup.

    In the main thread, Ctrl-C would reach only one of the nbclients.
    """
    started: Future = Future()

    async def main():
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await coroutine

    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(asyncio.run, main())
        try:
            return result.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            loop.call_soon_threadsafe(task.cancel)
            raise
