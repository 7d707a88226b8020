"""Other values for the parameters of notebooks: python -m notebooks.run --parameters FILE.json

The file holds, for each notebook that is to run, the parameters that differ from its own:
    {"youtube-clockwork-exp": {"root": "../data/youtube", "periods": [10, 20, 30]}}
They are put in as a cell after the notebook's cell tagged `parameters`. Paths are relative to the
folder of the notebook.
"""

import ast
import json

import nbformat

TAG, INJECTED = "parameters", "injected-parameters"  # the tags that papermill goes by as well


class ParametersError(Exception):
    """Parameters that cannot be read, or that a notebook does not have."""


def read_parameters(path):
    """{notebook: {parameter: value}} in the JSON file at `path`. Raises ParametersError."""
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except (OSError, ValueError) as error:
        raise ParametersError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise ParametersError(f'{path} holds no {{"notebook": {{"parameter": value}}}}')
    return values


def put_in(notebook, values, name):
    """Insert a cell that gives the parameters of `notebook` these values, a dict; none if empty.

    name: of the notebook, for messages. Raises ParametersError for a parameter it does not have.
    """
    if not values:
        return
    at = next(
        (i for i, cell in enumerate(notebook.cells) if TAG in cell.metadata.get("tags", [])), None
    )
    if at is None:
        raise ParametersError(f"{name}: no cell is tagged `{TAG}`")
    known = assigned(notebook.cells[at].source)
    if unknown := [key for key in values if key not in known]:
        raise ParametersError(
            f"{name} has no parameter {', '.join(unknown)}; there are: {', '.join(known)}"
        )
    lines = [f"{key} = {value!r}" for key, value in values.items()]
    notebook.cells.insert(
        at + 1, nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [INJECTED]})
    )


def assigned(source):
    """The names that the assignments in `source` bind, in order."""
    names = [
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    return list(dict.fromkeys(names))
