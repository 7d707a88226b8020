"""A clock that was tuned for a net: the schedule, its options, and what it is expected to do.

It is kept in a JSON file, {"schedule": "moving", "threshold": 1.2, "budget": 0.5, "stages":
[[name, first layer, last layer], ...], ...}: the name of a schedule of lib.schedule or
lib.clocks.paced, its options by name, and what the tuning found.
"""

import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from lib import schedule
from lib.atomic import write_atomically
from lib.clocks import paced
from lib.cutting import as_stages
from lib.reading import read_json
from lib.schedule import Schedule, Step
from lib.stages import Net, Stage

LARGEST = 2**20  # bytes of a file
GIVEN = ("net", "frames", "stages")  # arguments of a schedule that are no options


class TunedClockError(ValueError):
    """A file holds no tuned clock, or one that does not fit."""


@dataclass(frozen=True)
class TunedClock:
    """A schedule with options that were chosen for a net and a budget.

    Attributes
    ----------
    name : str
        Of a schedule in lib.schedule or lib.clocks.paced.
    options : mapping of str to object
        Of the schedule.
    stages : tuple of Stage
    share : float
        Of the cost of the net on every frame, 0..1, on the clips of the tuning.
    agreement : float
        Mean IU, 0..1, of its output against the net on every frame, on these clips.
    notes : mapping of str to object
        What else the file says, such as "net" and "budget_ms".
    """

    name: str
    options: Mapping[str, Any]
    stages: tuple[Stage, ...]
    share: float
    agreement: float
    notes: Mapping[str, Any] = field(default_factory=dict)

    def schedule(self, net: Net | None = None) -> Schedule:
        """Return the schedule with its options and stages bound, to call with a net and frames.

        With a net it is checked that the stages fit it; raises ValueError if they do not.
        """
        if net is not None:
            as_stages(net, self.stages)
        return partial(schedules()[self.name], stages=self.stages, **self.options)

    def __str__(self) -> str:
        options = ", ".join(f"{key}={_short(value)}" for key, value in self.options.items())
        return f"{self.name}({options})"

    def save(self, path: os.PathLike[str] | str) -> None:
        """Write the clock to a JSON file; an interruption leaves the old file or the new one."""
        content = {
            "schedule": self.name,
            **self.options,
            "stages": [list(stage) for stage in self.stages],
            "share": self.share,
            "agreement": self.agreement,
            **self.notes,
        }
        write_atomically(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def schedules(
    modules: Iterable[ModuleType] = (schedule, paced),
) -> dict[str, Callable[..., Iterator[Step]]]:
    """Return the schedules of some modules, {name: function}: those that take a net and frames."""
    return {
        name: function
        for module in modules
        for name, function in vars(module).items()
        if inspect.isfunction(function) and not name.startswith("_")
        if list(inspect.signature(function).parameters)[:2] == ["net", "frames"]
    }


def load_clock(path: os.PathLike[str] | str) -> TunedClock:
    """Read a clock that `TunedClock.save` wrote.

    Raises
    ------
    TunedClockError
        If the file cannot be read, or holds no such clock: a schedule that is not there, options
        that it does not take, stages that are no stages.
    """
    path = Path(path)
    try:
        content = read_json(path, LARGEST)
    except (OSError, ValueError) as error:
        raise TunedClockError(f"{path} cannot be read as a tuned clock: {error}") from None
    if not isinstance(content, dict):
        raise TunedClockError(f"{path} is no tuned clock: write one with TunedClock.save")
    name, rows = content.pop("schedule", None), content.pop("stages", None)
    known = schedules()
    if not isinstance(name, str) or name not in known:
        raise TunedClockError(
            f"{path}: no schedule {name!r}: the schedules are {', '.join(sorted(known))}"
        )
    share, agreement = content.pop("share", None), content.pop("agreement", None)
    for what, value in (("share", share), ("agreement", agreement)):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise TunedClockError(f'{path}: "{what}" is {value!r}: give a number')
    takes = [key for key in inspect.signature(known[name]).parameters if key not in GIVEN]
    options = {key: content.pop(key) for key in takes if key in content}
    return TunedClock(name, options, _stages(path, rows), share, agreement, content)


def _stages(path, rows):
    if not isinstance(rows, list) or not rows or not all(
        isinstance(row, list) and len(row) == 3 and all(isinstance(part, str) for part in row)
        for row in rows
    ):  # fmt: skip
        raise TunedClockError(f'{path}: "stages" are [[name, first layer, last layer], ...]')
    return tuple(Stage(*row) for row in rows)


def _short(value):
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_short(item)}" for key, item in value.items()) + "}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
