"""Parameter values for notebooks: python -m notebooks.run --parameters FILE.json.

The file maps each notebook to the parameters that differ from its own:
    {"youtube-clockwork-exp": {"root": "../data/youtube", "periods": [10, 20, 30]}}
They are injected as a cell after the notebook's cell tagged `parameters`. Paths are relative to the
notebook's folder.
"""

import ast
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import nbformat

from nets.paths import similar
from notebooks.files import read_text

TAG, INJECTED = "parameters", "injected-parameters"  # papermill uses the same tags
LIMIT = 1_000_000  # bytes of a file of parameters
DEEPEST = 50  # lists within lists


class ParametersError(Exception):
    """Parameters cannot be read, or a notebook does not have them."""


def read_parameters(path: os.PathLike[str] | str) -> dict[str, dict[str, Any]]:
    """Read {notebook: {parameter: value}} from a JSON file.

    Raises
    ------
    ParametersError
        If the file cannot be read, names a key twice, holds a number that is not finite, or has
        another structure.
    """
    try:
        values = json.loads(
            read_text(path, LIMIT),
            object_pairs_hook=_distinct_keys,
            parse_constant=_refuse,
            parse_float=_finite,
        )
        deep = _depth(values) > DEEPEST
    except (OSError, ValueError) as error:
        raise ParametersError(f"{path} cannot be read as JSON: {error}") from None
    except RecursionError:
        deep = True
    if deep:
        raise ParametersError(f"{path}: more than {DEEPEST} lists or dicts are within each other")
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise ParametersError(f'{path} must contain {{"notebook": {{"parameter": value}}}}')
    return values


def _distinct_keys(pairs):
    """Return a dict; of a key that is there twice, JSON would take the last value silently."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise ValueError(f"the key {', '.join(twice)} is there twice")
    return values


def _refuse(name):
    raise ValueError(f"{name} is not JSON: write null or a number")


def _finite(text):
    """Return a float; ValueError if it is too large to be one."""
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is too large for a float")
    return value


def _depth(value):
    """Return how many lists and dicts are within each other."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def inject_parameters(
    notebook: nbformat.NotebookNode, values: Mapping[str, Any] | None, name: str
) -> None:
    """Insert a cell that assigns parameters; without values, leave the notebook as it is.

    Parameters
    ----------
    notebook : NotebookNode
        Modified in place.
    values : mapping or None
        Parameter -> value.
    name : str
        Name of the notebook, for messages.

    Raises
    ------
    ParametersError
        If the notebook does not have one of the parameters.
    """
    if not values:
        return
    check_parameters(notebook.cells, values, name)
    at = next(i for i, cell in enumerate(notebook.cells) if _is_tagged(cell))
    lines = [f"{key} = {value!r}" for key, value in values.items()]
    notebook.cells.insert(
        at + 1, nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [INJECTED]})
    )


def check_parameters(
    cells: Sequence[Mapping[str, Any]], values: Mapping[str, Any], name: str
) -> None:
    """Raise ParametersError unless the notebook with these cells has all parameters in `values`."""
    source = parameters_cell(cells)
    if source is None:
        raise ParametersError(f"{name}: no cell is tagged `{TAG}`")
    try:
        known = assigned_names(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ParametersError(
            f"{name}: the cell tagged `{TAG}` is not plain Python, so that no values can be put "
            f"into it: {error}"
        ) from None
    if unknown := [key for key in values if key not in known]:
        hint = " ".join(filter(None, (similar(key, known).strip() for key in unknown)))
        raise ParametersError(
            f"{name} has no parameter {', '.join(unknown)}; there are: {', '.join(known)}"
            + (f". {hint}" if hint else "")
        )


def parameters_cell(cells: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the source of the first cell tagged `parameters`, None if there is none."""
    return next(("".join(cell["source"]) for cell in cells if _is_tagged(cell)), None)


def _is_tagged(cell):
    return TAG in cell.get("metadata", {}).get("tags", [])


def assigned_names(source: str) -> list[str]:
    """Return the names that the assignments in `source` bind, in order.

    Names of loops and functions inside an expression do not count: to assign them has no effect.
    """
    names = [
        node.id
        for node in _outside_functions(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys(names))


def assigned_value(source: str, name: str) -> Any:
    """Return the literal that `source` assigns to `name` last, None if it assigns nothing.

    Raises
    ------
    ValueError
        If it assigns something that is not a literal, or is not plain Python.
    """
    found = None
    try:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    found = _value_for(name, target, node.value) or found
        return ast.literal_eval(found) if found else None
    except (SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise ValueError(f"{name} is not assigned a literal: {error}") from None


def _value_for(name, target, value):
    """Return the node that an assignment of `value` to `target` gives to `name`, or None."""
    if isinstance(target, ast.Name):
        return value if target.id == name else None
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)
        return next(filter(None, (_value_for(name, *pair) for pair in pairs)), None)
    return None


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` and what is in it, but nothing of inner functions and comprehensions."""
    yield node
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp)
    if not isinstance(node, (*inner, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)
