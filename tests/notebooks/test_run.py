"""notebooks.run over tiny notebooks: what it writes, and that one failure stops nothing."""
import json

import nbformat
import numpy as np
import pytest

from notebooks import results, run

WRITES = """from notebooks.results import write_figures
write_figures("good", [{"method": "oracle", "mIU": 70.0}, {"method": "clock", "mIU": 66.957}])"""


@pytest.fixture
def folder(tmp_path):
    def notebook(name, *sources):
        cells = [nbformat.v4.new_markdown_cell(f"# {name}")]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    notebook("good", "x = 40 + 2\nprint(x)", WRITES)
    notebook("bad", "x = 1", "raise ValueError('no such frame')", "print('never')")
    (tmp_path / "cut.ipynb").write_text('{"cells": [')
    (tmp_path / "results").mkdir()
    return tmp_path


@pytest.fixture
def outcomes(folder, monkeypatch, capsys):
    """Exit status, printed lines and results of a run over all three notebooks."""
    (folder / "results/bad.json").write_text('{"rows": [{"method": "stale"}]}')
    monkeypatch.setattr(run, "NOTEBOOKS", {"bad": None, "cut": None, "good": None})
    status = run.main(["--results", str(folder / "results")], folder)
    return status, capsys.readouterr().out.splitlines(), folder / "results"


def test_failures_stop_nothing_and_come_last(outcomes):
    status, lines, _ = outcomes
    assert status == 1
    assert lines[-3].startswith("ok      good")
    assert "cell 3 (raise ValueError('no such frame')): ValueError: no such frame" in lines[-2]
    assert "cut.ipynb cannot be read as a notebook" in lines[-1]


def test_executed_copy_page_and_figures(outcomes):
    *_, results = outcomes
    executed = nbformat.read(results / "good.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].text == "42\n"
    assert "42" in (results / "good.html").read_text()
    assert "no such frame" in (results / "bad.html").read_text()
    summary = json.loads((results / "summary.json").read_text())
    assert list(summary) == ["good"]  # nothing stale of the one that failed
    assert summary["good"]["rows"][1]["mIU"] == 66.957


def test_missing_data_is_skipped_with_the_way_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "NOTEBOOKS", {"street": ("camvid", "val")})
    monkeypatch.setenv("CLOCKWORK_CAMVID", str(tmp_path / "nowhere"))
    [outcome] = run.run(["street"], tmp_path)
    assert outcome.state == "skipped"
    assert "nowhere has no val/" in outcome.note and "To get it:" in outcome.note


def test_table_aligns_columns_of_uneven_rows():
    text = run.table([{"method": "oracle", "mIU": 70.0}, {"method": "clock", "fired": "50 %"}])
    assert text.splitlines() == ["method  mIU    fired", "oracle  70.00", "clock          50 %"]


def test_write_figures_takes_numpy(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path / "new"))
    path = results.write_figures("a", [{"mIU": np.float32(0.5)}], hist=np.eye(2, dtype=int))
    assert json.loads(path.read_text()) == {"rows": [{"mIU": 0.5}], "hist": [[1, 0], [0, 1]]}
