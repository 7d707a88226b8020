"""Say in one line where a notebook failed, and what its cells wrote to stderr."""

import re
from typing import BinaryIO

import nbformat

ANSI = re.compile(r"\x1b\[[0-9;]*m")  # the colours of IPython's tracebacks
FRAME = re.compile(r"^\s*Cell In\[(\d+)\], line (\d+)", re.MULTILINE)
LINE, MESSAGE = 80, 2000  # characters that are shown at most
LOG = 1_000_000  # bytes of what a kernel printed that are read


def place(notebook: nbformat.NotebookNode, index: int | None) -> str:
    """Return where a notebook failed, such as "cell 3, line 2 (clip = clips[7])".

    Parameters
    ----------
    notebook : NotebookNode
        With the outputs up to the failure.
    index : int or None
        Of the cell that ran last; None if none did.

    Returns
    -------
    str
        Names the innermost line of that cell in the traceback. Without a traceback, as when the
        kernel has died, the line is not known: the first line of code stands in brackets.
    """
    if index is None:
        return "before the first cell"
    cell = notebook.cells[index]
    lines = cell.source.splitlines()
    number = _failing_line(cell)
    if number is not None and number <= len(lines):
        return f"cell {index + 1}, line {number} ({lines[number - 1].strip()[:LINE]})"
    code = (line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))
    return f"cell {index + 1} ({next(code, '')[:LINE]})"


def _failing_line(cell):
    """Return the number of the innermost line of `cell` in its traceback, None if unknown."""
    for output in reversed(cell.get("outputs", [])):
        if output.output_type == "error":
            frames = FRAME.findall(ANSI.sub("", "\n".join(output.traceback)))
            lines = [int(line) for count, line in frames if int(count) == cell.execution_count]
            return lines[-1] if lines else None
    return None


def shown(error: BaseException | str) -> str:
    """Return an error's message, cut to a length that fits a report."""
    text = str(error)
    return text if len(text) <= MESSAGE else f"{text[:MESSAGE]} ..."


def last_words(log: BinaryIO) -> str:
    """Return ": " and the last line that a kernel printed outside of its cells, "" if none."""
    log.seek(0)
    lines = [line.strip() for line in log.read(LOG).decode(errors="replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return f": {shown(ANSI.sub('', last))}" if last else ""


def warnings_in(notebook: nbformat.NotebookNode) -> str:
    """Return a note on the cells that wrote to stderr, such as warnings; "" if none did."""
    cells = [
        str(i + 1)
        for i, cell in enumerate(notebook.cells)
        if any(output.get("name") == "stderr" for output in cell.get("outputs", []))
    ]
    plural = "s" if len(cells) > 1 else ""
    return f"with warnings in cell{plural} {', '.join(cells)}" if cells else ""
