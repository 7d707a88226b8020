"""Clocks by name, with options from the command line or from a file of a tuned clock.

Such a file is JSON, {"schedule": "adaptive", "threshold": 0.05, "stages": [...], ...}: the name of
a schedule and its options. Other entries say how it was tuned and are not used.
"""

import inspect
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lib import schedule
from lib.checks import check_whole
from lib.clocks.tuned_clock import GIVEN, LARGEST, schedules
from lib.reading import read_json
from lib.schedule import Schedule, Step
from lib.stages import Net, Stage, check_stages

MODULES = (schedule,)  # whose schedules have names here


class ClockError(ValueError):
    """No clock has this name, or not these options."""


class Clock(NamedTuple):
    """A schedule with its options.

    Attributes
    ----------
    name : str
        With the options, for people and files.
    run : callable
        ``run(net, frames)``, see lib.schedule.
    stages : tuple of Stage
        Those that it runs.
    """

    name: str
    run: Schedule
    stages: tuple[Stage, ...]


def named_clock(name: str, stages: Sequence[Stage], **options: Any) -> Clock:
    """Return a clock.

    Parameters
    ----------
    name : str
        Of a schedule of lib.schedule, such as 'adaptive'.
    stages : sequence of Stage
        Of the net.
    **options
        Of the schedule, such as ``threshold=0.1``.

    Raises
    ------
    ClockError
        If there is no such schedule, or it lacks an option or has none of that name.
    """
    known = schedules(MODULES)
    if name not in known:
        raise ClockError(f"no schedule {name!r}: the schedules are {', '.join(sorted(known))}")
    takes = {k: p for k, p in inspect.signature(known[name]).parameters.items() if k not in GIVEN}
    if strange := sorted(options.keys() - takes.keys()):
        raise ClockError(
            f"the schedule {name} has no option {strange[0]!r}, it has {', '.join(takes) or 'none'}"
        )
    empty = inspect.Parameter.empty
    if missing := [k for k, p in takes.items() if p.default is empty and k not in options]:
        raise ClockError(f"the schedule {name} needs the option {missing[0]!r}")
    shown = ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in sorted(options.items())
    )
    chosen = tuple(stages)
    run = partial(known[name], stages=chosen, **options)
    return Clock(f"{name}({shown})" if shown else name, run, chosen)


def read_clock(path: os.PathLike[str] | str) -> dict[str, Any]:
    """Read the entries of the file of a tuned clock; raise ClockError if it is damaged."""
    try:
        entries = read_json(path, LARGEST)
    except (OSError, ValueError) as error:
        raise ClockError(f"{path} cannot be read as a tuned clock: {error}") from None
    if not isinstance(entries, dict) or not isinstance(entries.get("schedule"), str):
        raise ClockError(f'{path} is no tuned clock: it names no "schedule"')
    return entries


def clock_from(
    entries: Mapping[str, Any], net: Net, stages: Sequence[Stage], place: str = "a tuned clock"
) -> Clock:
    """Return the clock that the entries of a file describe.

    Parameters
    ----------
    entries : mapping
        "schedule", and its options. "stages" may cut the net in another way, as [name, first
        layer, last layer] each. With "period_of_all" n the clock gets every n-th frame only, and
        its output is repeated in between.
    net : Net
        That the clock is for.
    stages : sequence of Stage
        Of the net, if the entries have none.
    place : str
        Where the entries are from, for messages.

    Returns
    -------
    Clock

    Raises
    ------
    ClockError
        If they name no schedule, or stages of another net.
    """
    known = schedules(MODULES).get(entries["schedule"])
    takes = inspect.signature(known).parameters if known else {}
    options = {k: v for k, v in entries.items() if k in takes and k not in GIVEN and v is not None}
    period = entries.get("period_of_all", 1)
    try:
        chosen = _stages(entries.get("stages"), stages)
        check_stages(net, chosen)
        check_whole('"period_of_all"', period, least=1)
        clock = named_clock(entries["schedule"], chosen, **options)
    except ValueError as error:
        raise ClockError(f"{place}: {error}") from None
    if period == 1:
        return clock
    run = partial(every_nth, schedule=clock.run, period=period)
    return Clock(f"{clock.name} on 1 of {period} frames", run, chosen)


def every_nth(
    net: Net, frames: Iterable[np.ndarray], schedule: Schedule, period: int
) -> Iterator[Step]:
    """Run a schedule on every `period`-th frame, the first one too, and repeat its output."""
    due: deque[np.ndarray] = deque()
    steps = schedule(net, _given(due))
    for t, frame in enumerate(frames):
        if t % period == 0:
            due.append(frame)
            step = next(steps)
            yield step
        else:
            yield Step(step.label, ran=())


def _given(due):
    """Yield what is in the queue when a frame is asked for."""
    while True:
        yield due.popleft()


def _stages(entry, usual):
    if entry is None:
        return tuple(usual)
    rows = [list(row.values()) if isinstance(row, Mapping) else row for row in entry]
    if not all(isinstance(row, list | tuple) and len(row) == 3 for row in rows):
        raise ClockError('"stages" are [[name, first layer, last layer], ...]')
    return tuple(Stage(*map(str, row)) for row in rows)
