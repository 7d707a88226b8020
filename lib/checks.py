"""Checks of numbers that a caller gives: shares, counts, and names in place of lists of names.

A share is 0..1 everywhere in lib. One in percent, nan or of another type is an error that says so,
as it would pass for "never" or "always" otherwise.
"""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np


def check_share(what: str, value: Any) -> None:
    """Raise ValueError unless `value` is a number from 0 to 1."""
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{what} is {value!r}: give a share from 0 to 1{_of_percent(value)}")


def check_threshold(what: str, value: Any) -> None:
    """Raise ValueError unless `value` is a share of changed pixels, or above 1 for never.

    No more than all pixels change, so a clock with a threshold just above 1 (or infinite) never
    fires after its first frame. From 2 on a number is taken for a percentage.
    """
    if not is_number(value) or not (0 <= value < 2 or value == float("inf")):
        raise ValueError(
            f"{what} is {value!r}: give a share of pixels from 0 (always) to 1, or 1.1 for "
            f"never{_of_percent(value)}"
        )


def check_whole(what: str, value: Any, least: int = 0, most: int | None = None) -> None:
    """Raise ValueError unless `value` is a whole number from `least` to `most`."""
    if not is_whole(value) or value < least or (most is not None and value > most):
        upto = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise ValueError(f"{what} is {value!r}: give a whole number {upto}")


def check_above_zero(what: str, value: Any) -> None:
    """Raise ValueError unless `value` is a finite number above 0."""
    if not is_number(value) or not 0 < value < float("inf"):
        raise ValueError(f"{what} is {value!r}: give a number above 0")


def check_at_least_zero(what: str, value: Any) -> None:
    """Raise ValueError unless `value` is a finite number of 0 or more."""
    if not is_number(value) or not 0 <= value < float("inf"):
        raise ValueError(f"{what} is {value!r}: give a number of 0 or more")


def is_whole(value: Any) -> bool:
    """Tell if a value is a whole number, of any type."""
    return is_number(value) and float(value).is_integer()


def check_names(what: str, names: Any) -> None:
    """Raise ValueError if one text is given for a list of names, or anything but names."""
    if isinstance(names, str):
        raise ValueError(f"{what} are {names!r}, one text: give a list of names, [{names!r}]")
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{what} are {names!r}: give a list of names")


def is_number(value: Any) -> bool:
    """Tell if a value is a real number, such as float, int and NumPy's; nan is none."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    return isinstance(value, Real) and value == value


def _of_percent(value):
    if is_number(value) and 1 < value <= 100:
        return f", {value / 100:g} if {value:g} % is meant"
    return ""
