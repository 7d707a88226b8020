"""Batches of a net's inputs from any number of rows, and the results put together again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from caffe.errors import CaffeError, ShapeMismatch

Rows = Sequence[npt.ArrayLike] | np.ndarray


def check_rows(
    wanted: Sequence[str], inputs: Mapping[str, Rows], tops: Mapping[str, Rows] | None = None
) -> None:
    """Raise CaffeError unless each input has rows, and all as many.

    Parameters
    ----------
    wanted : sequence of str
        Names of the net's inputs.
    inputs : mapping of str to rows
        What was given for them.
    tops : mapping of str to rows, optional
        Diffs that were given for outputs.
    """
    if not inputs or set(inputs) != set(wanted):
        raise CaffeError(
            f"rows were given for {sorted(inputs)}, the net takes {sorted(wanted)}: give "
            "rows for each input"
        )
    lengths = {name: len(rows) for name, rows in {**inputs, **(tops or {})}.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        given = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ShapeMismatch(f"the numbers of rows must be one or more and agree: {given}")


def batches(rows: Mapping[str, Rows], size: int) -> Iterator[dict[str, Any]]:
    """Yield {name: `size` rows}; the last batch is padded with zeros."""
    for begin in range(0, max(map(len, rows.values()), default=0), size):
        batch = {}
        for name, array in rows.items():
            part = np.asarray(array[begin : begin + size])
            batch[name] = np.zeros((size, *part.shape[1:]), part.dtype)
            batch[name][: len(part)] = part
        yield batch


def concatenated(
    results: Sequence[Mapping[str, np.ndarray]], n: int, size: int
) -> dict[str, np.ndarray]:
    """Concatenate the arrays of all batches, without the rows that padded the last one.

    Parameters
    ----------
    results : sequence of mapping of str to array
        Of each batch.
    n : int
        How many rows there were.
    size : int
        Of a batch.

    Raises
    ------
    CaffeError
        If the last batch was padded and an array has no row for each of the batch.
    """
    arrays = {}
    for name in results[0]:
        parts = [np.atleast_1d(result[name]) for result in results]
        if n % size and len(parts[-1]) != size:
            raise CaffeError(
                f"{name!r} has shape {results[-1][name].shape}, not a row for each of the "
                f"{size} of a batch: give a multiple of {size} rows, because the last batch "
                "is otherwise padded with zeros"
            )
        arrays[name] = np.concatenate(parts)[: n if n % size else None]
    return arrays
