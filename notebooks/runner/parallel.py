"""Execute several notebooks at once, each in its own kernel."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from notebooks.runner.execute import Outcome, execute
from notebooks.runner.failures import shown

T = TypeVar("T")

# the signals that end a run, as Ctrl-C does; Windows has no SIGHUP
SIGNALS = [signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])]


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

    In the main thread, Ctrl-C would reach only one of the nbclients. A second Ctrl-C changes
    nothing: kernels that do not end within a few seconds are killed anyway.
    """
    stop = _Stop()

    async def main():
        stop.begin(asyncio.get_running_loop(), asyncio.current_task())
        return await coroutine

    with quiet_libraries(), stop.at_signals(), ThreadPoolExecutor(1) as thread:
        try:
            result = thread.submit(asyncio.run, main()).result()
        except (asyncio.CancelledError, CancelledError):
            stop.requested = True
    if stop.requested:
        raise KeyboardInterrupt
    return result


class _Stop:
    """Cancels a task at a signal, instead of an exception that may be raised in any line."""

    def __init__(self):
        self.requested, self.cancel = False, lambda: None

    def begin(self, loop, task):
        """Say what is to be cancelled; runs in the thread of `loop`."""

        def cancel():
            # what the libraries leave unfinished is not worth a traceback
            loop.set_exception_handler(lambda loop, context: None)
            task.cancel()

        self.cancel = partial(loop.call_soon_threadsafe, cancel)
        if self.requested:
            cancel()

    def request(self, *_):
        """Cancel the task, or do so when it begins."""
        if not self.requested:
            self.requested = True
            with suppress(RuntimeError):  # the loop has just been closed
                self.cancel()

    @contextmanager
    def at_signals(self):
        """Request the stop at each signal that acts like Ctrl-C."""
        in_main = threading.current_thread() is threading.main_thread()
        numbers = [n for n in SIGNALS if signal.getsignal(n) is signal.default_int_handler]
        numbers = numbers if in_main else []
        for number in numbers:
            signal.signal(number, self.request)
        try:
            yield
        finally:
            for number in numbers:
                signal.signal(number, signal.default_int_handler)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Suppress the log of Jupyter's libraries: what is wrong is in the Outcome of a notebook."""
    logger = logging.getLogger("traitlets")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
