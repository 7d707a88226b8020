"""Parameter values for notebooks: python -m notebooks.run --parameters FILE.json.

The file maps each notebook to the parameters that differ from its own:
    {"youtube-clockwork-exp": {"root": "../data/youtube", "periods": [10, 20, 30]}}
They are injected as a cell after the notebook's cell tagged `parameters`. Paths are relative to the
notebook's folder.
"""

import ast
import json
import os
from collections.abc import Mapping
from typing import Any

import nbformat

TAG, INJECTED = "parameters", "injected-parameters"  # papermill uses the same tags


class ParametersError(Exception):
    """Parameters cannot be read, or a notebook does not have them."""


def read_parameters(path: os.PathLike[str] | str) -> dict[str, dict[str, Any]]:
    """Read {notebook: {parameter: value}} from a JSON file.

    Raises
    ------
    ParametersError
        If the file cannot be read or has another structure.
    """
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except (OSError, ValueError) as error:
        raise ParametersError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise ParametersError(f'{path} must contain {{"notebook": {{"parameter": value}}}}')
    return values


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
    at = next(
        (i for i, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", [])), None
    )
    if at is None:
        raise ParametersError(f"{name}: no cell is tagged `{TAG}`")
    known = assigned_names(notebook.cells[at].source)
    if unknown := [key for key in values if key not in known]:
        raise ParametersError(
            f"{name} has no parameter {', '.join(unknown)}; there are: {', '.join(known)}"
        )
    lines = [f"{key} = {value!r}" for key, value in values.items()]
    notebook.cells.insert(
        at + 1, nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [INJECTED]})
    )


def assigned_names(source: str) -> list[str]:
    """Return the names that the assignments in `source` bind, in order."""
    names = [
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys(names))
