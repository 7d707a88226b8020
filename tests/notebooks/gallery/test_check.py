"""The check of committed notebooks finds each kind of problem and names file and cell."""

import nbformat
import pytest

from notebooks.gallery import check


def stream(name, text):
    return nbformat.v4.new_output("stream", name=name, text=text)


@pytest.fixture
def path(write_notebook, tmp_path):
    """Return a notebook with a heading and three code cells, executed in order."""
    path = tmp_path / "street.ipynb"
    write_notebook(path, "x = 1", "print(x)", "x")
    change(path, execute)
    return path


def change(path, edit):
    notebook = nbformat.read(path, as_version=4)
    edit(notebook.cells)
    nbformat.write(notebook, path)


def execute(cells):
    for count, cell in enumerate(cells[1:], 1):
        cell.execution_count = count
    cells[2].outputs = [stream("stdout", "1\n")]


def test_executed_notebook_has_no_problems(path, capsys):
    assert check.problems_in(path) == []
    assert check.main(path.parent) == 0
    assert capsys.readouterr().out == "1 notebook: ok\n"


def set_count(cells):
    cells[3].execution_count = 7


def clear_count(cells):
    cells[2].execution_count = None


def swap_counts(cells):
    cells[1].execution_count, cells[2].execution_count = 2, 1


def add_error(cells):
    cells[2].outputs.append(nbformat.v4.new_output("error", ename="ValueError", evalue="no frame"))


def add_warning(cells):
    cells[3].outputs = [stream("stderr", "\nold.py:1: FutureWarning: old\n  warn()\n")]


def remove_outputs(cells):
    cells[2].outputs = []


@pytest.mark.parametrize(
    "edit, expected",
    [
        (set_count, ["cell 4: execution count 7, expected 3"]),
        (clear_count, ["cell 3: execution count None, expected 2"]),
        (swap_counts, ["cell 2: execution count 2, expected 1", "cell 3: execution count 1"]),
        (add_error, ["cell 3: error output: ValueError: no frame"]),
        (add_warning, ["cell 4: stderr output: old.py:1: FutureWarning: old"]),
        (remove_outputs, ["no cell has outputs"]),
    ],
)
def test_problem_is_reported_with_file_and_cell(path, edit, expected, capsys):
    change(path, edit)
    assert check.main(path.parent) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(expected)
    for line, text in zip(lines, expected, strict=True):
        assert line.startswith(f"{path}: {text}")


def test_large_notebook_is_reported(path):
    def add_large_output(cells):
        cells[2].outputs = [stream("stdout", "x" * (check.MAX_BYTES - path.stat().st_size - 1))]

    change(path, add_large_output)
    assert path.stat().st_size < check.MAX_BYTES and check.problems_in(path) == []
    change(path, lambda cells: cells[2].outputs.append(stream("stdout", "x")))
    assert path.stat().st_size >= check.MAX_BYTES
    [problem] = check.problems_in(path)
    assert problem.startswith(f"{path}: 3.0 MB, must be below 3 MB")


def test_unreadable_notebook_is_reported(path, capsys):
    (path.parent / "cut.ipynb").write_text('{"cells": [')
    assert check.main(path.parent) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{path.parent / 'cut.ipynb'}: cannot be read as a notebook")


def test_folder_without_notebooks_is_reported(tmp_path, capsys):
    assert check.main(tmp_path) == 1
    assert "contains no notebooks" in capsys.readouterr().out
