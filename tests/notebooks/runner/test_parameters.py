"""Parameters of notebooks from a file are injected, and rejected if unknown."""

import json

import nbformat
import pytest

from notebooks import run
from notebooks.runner.parameters import ParametersError, inject_parameters, read_parameters
from notebooks.runner.resume import Journal

CELL = "root = None  # a folder\nnet, (low, high) = 'light', (1, 2)"


@pytest.fixture
def folder(write_notebook, tmp_path, monkeypatch):
    """Return a folder with the notebooks `shots`, which has parameters, and `plain` without."""
    write_notebook(tmp_path / "shots.ipynb", CELL, "print(root, net, low, high)")
    write_notebook(tmp_path / "plain.ipynb", "root = 1")
    notebook = nbformat.read(tmp_path / "shots.ipynb", as_version=4)
    notebook.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, tmp_path / "shots.ipynb")
    monkeypatch.setattr(run, "NOTEBOOKS", dict.fromkeys(["shots", "plain"]))
    return tmp_path


def start(folder, values):
    (folder / "values.json").write_text(json.dumps(values))
    return run.main(
        ["--results", str(folder / "results"), "--parameters", str(folder / "values.json")], folder
    )


def test_notebook_runs_with_the_values_in_the_file(folder):
    assert start(folder, {"shots": {"root": "../data", "high": [3, None]}}) == 0
    executed = nbformat.read(folder / "results/shots.ipynb", as_version=4)
    assert executed.cells[1].source == CELL
    assert executed.cells[2].source == "root = '../data'\nhigh = [3, None]"
    assert executed.cells[2].metadata["tags"] == ["injected-parameters"]
    assert executed.cells[3].outputs[0].text == "../data light 1 [3, None]\n"
    assert not (folder / "results/plain.ipynb").exists()  # the file does not name it


def test_unknown_parameters_are_rejected_with_a_list(folder, capsys):
    assert start(folder, {"shots": {"root": "x", "rot": 1, "nett": 2}}) == 1
    assert (
        "shots: failed, 0 s, shots has no parameter rot, nett; there are: root, net, low, high"
        in capsys.readouterr().out
    )
    notebook = nbformat.read(folder / "plain.ipynb", as_version=4)
    inject_parameters(notebook, {}, "plain")
    assert len(notebook.cells) == 2
    with pytest.raises(ParametersError, match="plain: no cell is tagged `parameters`"):
        inject_parameters(notebook, {"root": 2}, "plain")


def test_unknown_notebooks_and_invalid_files_are_rejected(folder, capsys):
    with pytest.raises(SystemExit, match="2"):
        start(folder, {"shot": {}})
    assert "no notebook shot; there are: shots, plain" in capsys.readouterr().err
    for text, message in (
        ('{"shots": ', "cannot be read as JSON"),
        ("[]", "must contain"),
        ('{"shots": 3}', "must contain"),
    ):
        (folder / "bad.json").write_text(text)
        with pytest.raises(ParametersError, match=f"bad.json {message}"):
            read_parameters(folder / "bad.json")
    with pytest.raises(ParametersError, match="none.json cannot be read"):
        read_parameters(folder / "none.json")


def test_digest_depends_on_the_parameters(folder):
    journal, path = Journal(folder), folder / "shots.ipynb"
    digests = {journal.digest(path, values) for values in (None, {"a": 1}, {"a": 2}, {"b": 1})}
    assert len(digests) == 4 and journal.digest(path, {}) == journal.digest(path)
