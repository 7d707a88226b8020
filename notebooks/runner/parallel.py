"""Executes several notebooks at once, each in a kernel of its own."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor

from tqdm import tqdm

from notebooks.runner.execute import execute


def execute_all(paths, results, workers, threads, cells, on_end, parameters):
    """Outcomes of the notebooks at `paths`, by name; `workers` of them at a time, in that order.

    threads: OMP_NUM_THREADS of each kernel. cells: the code cells of all, for the progress bar.
    on_end(outcome) is called as each one ends. parameters: {name: values that differ from those of
    the notebook}. Ctrl-C ends the kernels and is raised.
    """
    with tqdm(total=cells, unit="cell", disable=None) as bar:  # None: no bar if not on a terminal
        return in_a_thread(_execute_all(paths, results, workers, threads, bar, on_end, parameters))


async def _execute_all(paths, results, workers, threads, bar, on_end, parameters):
    free = asyncio.Semaphore(workers)

    async def one(path):
        async with free:
            say(f"{path.stem}: started")
            outcome = await execute(path, results, threads, bar.update, parameters.get(path.stem))
            say(f"{path.stem}: {outcome}")
            on_end(outcome)
            return outcome

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(path)) for path in paths]
    return {task.result().name: task.result() for task in tasks}


def say(line):
    """Print a line above the progress bar."""
    with tqdm.external_write_mode():
        print(line, flush=True)


def in_a_thread(coroutine):
    """asyncio.run(coroutine) in another thread; Ctrl-C cancels it, and waits for its cleaning up.

    In the main thread each nbclient would take Ctrl-C for itself alone.
    """
    started = Future()

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
