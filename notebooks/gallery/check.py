"""Check the committed notebooks: python -m notebooks.gallery.check.

Each notebook must have been executed from top to bottom, without errors or warnings, show outputs,
and stay small. The command prints every problem with its file and cell.
"""

import sys
from pathlib import Path

import nbformat

from notebooks.results import FOLDER

MAX_BYTES = 3_000_000


def problems_in(path: Path) -> list[str]:
    """Return what is wrong with a notebook file.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    list of str
        One line per problem, with file and cell (numbered from 1); empty if there is none.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many types: missing, truncated, not JSON
        return [f"{path}: cannot be read as a notebook: {error}"]
    problems = []
    if (size := path.stat().st_size) >= MAX_BYTES:
        problems.append(
            f"{path}: {size / 1e6:.1f} MB, must be below {MAX_BYTES / 1e6:.0f} MB: show fewer or "
            "smaller pictures"
        )
    cells = [(i, cell) for i, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]
    if not any(cell.outputs for _, cell in cells):
        problems.append(f"{path}: no cell has outputs: execute the notebook and save it")
    for count, (i, cell) in enumerate(cells, 1):
        if cell.execution_count != count:
            problems.append(
                f"{path}: cell {i}: execution count {cell.execution_count}, expected {count}: "
                "restart the kernel and run all cells"
            )
        problems += [f"{path}: cell {i}: {fault}" for fault in _faults(cell.outputs)]
    return problems


def _faults(outputs):
    """Return the errors and the first line of each stderr text in the outputs of a cell."""
    faults = []
    for output in outputs:
        if output.output_type == "error":
            faults.append(f"error output: {output.ename}: {output.evalue}")
        elif output.get("name") == "stderr":
            first_line, *_ = output.text.strip().splitlines() or [""]
            faults.append(f"stderr output: {first_line}")
    return faults


def main(folder: Path = FOLDER) -> int:
    """Check all notebooks in `folder`, print the problems, and return the exit status."""
    paths = sorted(folder.glob("*.ipynb"))
    problems = [problem for path in paths for problem in problems_in(path)]
    if not paths:
        problems.append(f"{folder}: contains no notebooks")
    print(*problems or [f"{len(paths)} notebook{'s' * (len(paths) != 1)}: ok"], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
