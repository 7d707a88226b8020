"""Parameters of notebooks from a file are injected, and rejected if unknown."""

import json
import os

import nbformat
import pytest

from notebooks import run
from notebooks.runner.parameters import (
    ParametersError,
    assigned_names,
    assigned_value,
    inject_parameters,
    read_parameters,
)
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


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"shots": {"low": NaN}}', "NaN is not JSON"),
        ('{"shots": {"low": 1e999}}', "1e999 is too large"),
        ('{"shots": {"low": 1, "low": 2}}', "the key low is there twice"),
        ('{"shots": {"low": ' + "[" * 60 + "]" * 60 + "}}", "within each other"),
        ("[" * 100_000, "within each other"),
        (" " * 1_000_001, "more than the 1000000 that are read"),
    ],
)
def test_values_that_python_or_json_cannot_mean_are_rejected(tmp_path, text, message):
    (tmp_path / "values.json").write_text(text)
    with pytest.raises(ParametersError, match=message):
        read_parameters(tmp_path / "values.json")


def test_a_byte_order_mark_is_read_over(tmp_path):
    (tmp_path / "values.json").write_bytes(b'\xef\xbb\xbf{"a": {"b": 1}}')
    assert read_parameters(tmp_path / "values.json") == {"a": {"b": 1}}


def test_what_is_no_file_is_rejected_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "pipe", "a named pipe"),
        (tmp_path, "Is a directory"),
        ("/dev/zero", "a device"),
    ):
        with pytest.raises(ParametersError, match=message):
            read_parameters(path)


def test_names_inside_of_expressions_are_no_parameters():
    source = "a, (b, *c) = 1, (2, 3)\nd: int = sum(x for x in [y := 4])\nf = lambda: (z := 1)"
    assert assigned_names(source) == ["a", "b", "c", "d", "f"]


@pytest.mark.parametrize(
    "source, value",
    [
        ("root = None  # folder", None),
        ("root, split = '../a', 'test'", "../a"),
        ("root = 'a'\nroot = 'b'", "b"),
        ("other = 1", None),
    ],
)
def test_the_value_of_a_parameter_is_read_without_running_the_notebook(source, value):
    assert assigned_value(source, "root") == value


@pytest.mark.parametrize("source", ["root = Path('a')", "root = f()", "%magic", "root = {[]: 1}"])
def test_a_value_that_only_the_notebook_knows(source):
    with pytest.raises(ValueError):
        assigned_value(source, "root")


def test_a_misspelt_parameter_is_suggested_and_the_notebook_does_not_start(folder, capsys):
    assert start(folder, {"shots": {"rooot": "x"}}) == 1
    shown = capsys.readouterr().out
    assert "no parameter rooot" in shown and "Did you mean root?" in shown
    assert "started" not in shown


@pytest.fixture
def street(folder, monkeypatch):
    """Return a folder with a notebook that reads CamVid from `root`, and CamVid at `there`."""
    monkeypatch.setattr(run, "NOTEBOOKS", {"shots": ("camvid", "val")})
    monkeypatch.setenv("CLOCKWORK_CAMVID", str(folder / "nowhere"))
    (folder / "there/val").mkdir(parents=True)
    return folder


def test_root_of_the_parameters_is_where_data_is_looked_for(street, capsys, monkeypatch):
    monkeypatch.chdir("/")  # paths are relative to the notebook
    assert start(street, {"shots": {"root": "there"}}) == 0
    assert start(street, {"shots": {"root": str(street / "there")}}) == 0
    capsys.readouterr()
    assert start(street, {"shots": {"root": "elsewhere"}}) == 1
    assert f"{street / 'elsewhere'} has no val/" in capsys.readouterr().out


def test_root_in_the_cell_of_the_notebook_counts_too(street, write_notebook):
    path = street / "shots.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for source, missing in (("root = 'there'", ""), ("root = 'no'", "no has no val/"), ("?", "")):
        notebook.cells[1].source = source
        nbformat.write(notebook, path)
        shown = run.missing_data("shots", path)
        assert missing in shown and bool(shown) == bool(missing)


def test_misspelt_is_misspelt_even_if_data_is_missing(street, capsys):
    assert start(street, {"shots": {"rot": "there"}}) == 1
    shown = capsys.readouterr().out
    assert "no parameter rot" in shown and "camvid" not in shown


def test_a_skipped_notebook_is_a_failure_only_if_asked_for(street, capsys):
    options = ["--results", str(street / "results")]
    assert run.main([*options, "shots"], street) == 1
    assert run.main(options, street) == 0
    shown = capsys.readouterr().out
    assert "1 notebook in 0 s: 1 skipped" in shown and "CLOCKWORK_CAMVID" in shown
    assert '{"shots": {"root": "FOLDER"}}' in shown


def test_values_for_a_notebook_that_is_not_executed_are_rejected(folder, capsys):
    (folder / "values.json").write_text('{"shots": {}}')
    with pytest.raises(SystemExit, match="2"):
        run.main(["plain", "--parameters", str(folder / "values.json")], folder)
    assert "values for shots" in capsys.readouterr().err


def test_a_name_with_a_typo_is_suggested(folder, capsys):
    with pytest.raises(SystemExit, match="2"):
        run.main(["shotts"], folder)
    assert "Did you mean shots?" in capsys.readouterr().err
