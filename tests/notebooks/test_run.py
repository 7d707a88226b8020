"""notebooks.run on tiny notebooks: parallel execution, written files, and failures last."""

import argparse
import io
import json
from contextlib import redirect_stdout

import nbformat
import numpy as np
import pytest

from lib.evaluate import Result
from lib.score_util import Scores
from notebooks import results, run
from notebooks.runner import report
from notebooks.runner.execute import kernel_env

FIGURES = """from notebooks.results import write_figures
write_figures("good", [{"method": "oracle", "mIU": 70.0}, {"method": "clock", "mIU": 66.957}])"""
THREADS = "import os; print(os.environ['OMP_NUM_THREADS'], 'threads')"


def meet(me, other):
    """Return code that ends only if the notebook `other` runs at the same time as `me`."""
    return f"""import time, pathlib
pathlib.Path("{me}.here").touch()
start = time.monotonic()
while not pathlib.Path("{other}.here").exists():
    assert time.monotonic() < start + 60, "the other notebook is not running"
    time.sleep(0.05)"""


@pytest.fixture(scope="module")
def finished_run(write_notebook, tmp_path_factory):
    """Return (exit status, printed lines, results) of a run in which some notebooks fail."""
    folder = tmp_path_factory.mktemp("run")
    write_notebook(folder / "bad.ipynb", "x = 1", "# third\nraise ValueError('no frame')", "x = 2")
    write_notebook(folder / "dies.ipynb", "import os\nos._exit(1)")
    write_notebook(folder / "good.ipynb", meet("good", "warns"), THREADS, FIGURES)
    write_notebook(
        folder / "warns.ipynb", meet("warns", "good"), "", "import warnings\nwarnings.warn('old')"
    )
    (folder / "cut.ipynb").write_text('{"cells": [')
    (folder / "results").mkdir()
    (folder / "results/bad.json").write_text('{"rows": [{"method": "stale"}]}')
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(run, "NOTEBOOKS", dict.fromkeys(["bad", "cut", "dies", "good", "warns"]))
        patch.setattr(run, "usable_cores", lambda: 6)
        patch.delenv("OMP_NUM_THREADS", raising=False)
        status = run.main(["--results", str(folder / "results"), "--jobs", "2"], folder)
    return status, printed.getvalue().splitlines(), folder / "results"


def test_failures_do_not_stop_the_run_and_are_listed_last_with_their_cells(finished_run):
    status, lines, _ = finished_run
    assert status == 1
    assert lines[-7].startswith("5 notebooks in ") and lines[-7].endswith(": 2 ok, 3 failed")
    good, warns, bad, cut, dies = lines[-5:]
    assert good.startswith("good: ok, ") and good.endswith(" s")
    assert warns.startswith("warns: ok, ") and warns.endswith(" s, with warnings in cell 4")
    assert bad.startswith("bad: failed, ")
    assert bad.endswith(" s, cell 3, line 2 (raise ValueError('no frame')): ValueError: no frame")
    assert "cut.ipynb cannot be read as a notebook" in cut
    assert "cell 2 (import os): the kernel died" in dies


def test_start_and_end_of_each_notebook_are_printed(finished_run):
    _, lines, _ = finished_run
    for name in ("bad", "cut", "dies", "good", "warns"):
        start = lines.index(f"{name}: started")
        assert any(line.startswith(f"{name}: ") for line in lines[start + 1 : -5])


def test_copy_page_and_figures_are_written(finished_run):
    *_, results = finished_run
    executed = nbformat.read(results / "good.ipynb", as_version=4)
    assert executed.cells[2].outputs[0].text == "3 threads\n"  # six cores, two kernels
    assert "3 threads" in (results / "good.html").read_text()
    assert "no frame" in (results / "bad.html").read_text()
    summary = json.loads((results / "summary.json").read_text())
    assert list(summary) == ["good"]  # no stale figures of the one that failed
    assert summary["good"]["rows"][1]["mIU"] == 66.957


def test_number_of_threads_set_by_the_user_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert kernel_env(tmp_path, threads=2)["OMP_NUM_THREADS"] == "7"


def test_notebook_without_data_is_skipped_with_instructions(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "NOTEBOOKS", {"street": ("camvid", "val")})
    monkeypatch.setenv("CLOCKWORK_CAMVID", str(tmp_path / "nowhere"))
    [outcome] = run.run(["street"], tmp_path)
    assert outcome.state == "skipped"
    assert "nowhere has no val/" in outcome.note and "To get it:" in outcome.note


@pytest.mark.parametrize("argv", [["--jobs", "0"], ["--jobs", "many"], ["no-such-notebook"]])
def test_invalid_arguments_are_rejected(argv, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run.main(["--results", str(tmp_path), *argv])
    assert argv[-1] in capsys.readouterr().err


def test_table_has_all_columns_of_uneven_rows():
    rows = [{"method": "oracle", "mIU": 70.0}, {"method": "clock", "fired": "50 %"}]
    header, _, *lines = report.table_of_rows(rows).splitlines()
    assert header == "method    mIU  fired"
    assert lines == ["oracle  70.00", "clock           50 %"]


def test_write_figures_accepts_numpy(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path / "new"))
    path = results.write_figures("a", [{"mIU": np.float32(0.5)}], hist=np.eye(2, dtype=int))
    assert json.loads(path.read_text()) == {"rows": [{"mIU": 0.5}], "hist": [[1, 0], [0, 1]]}


def test_rows_of_schedules_contain_the_agreement_with_the_oracle(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path))
    results_of = [
        Result(
            name,
            Scores(2),
            {"deep": 1.0},
            0,
            0,
            0,
            1,
            0,
            labels=[[np.full((2, 2), value, np.uint8)]],
            clips=["a"],
        )
        for name, value in (("oracle", 1), ("clock", 0))
    ]
    for oracle, shares in ((results_of[0], [100, 0]), (None, [None, None])):
        rows = json.loads(results.write_results("b", results_of, oracle).read_text())["rows"]
        assert [row["schedule"] for row in rows] == ["oracle", "clock"]
        assert [row.get("agreement mIU %") for row in rows] == shares


def scored(name, fired, value=1):
    """Return a Result of one frame."""
    labels = [[np.full((2, 2), value, np.uint8)]]
    return Result(name, Scores(2), fired, 0, 0, 0, 1, 0, labels=labels, clips=["a"])


def test_results_of_nets_that_are_not_cut(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path))
    path = results.write_results("c", [scored("whole net", {"whole": 1.0})])
    [row] = results.read_figures(path)["rows"]
    assert row["schedule"] == "whole net" and "deep fired %" not in row


def test_schedules_of_the_same_name_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path))
    names = ["adaptive, 0.1", "other", "adaptive, 0.1", "adaptive, 0.1"]
    path = results.write_results("d", [scored(name, {"deep": 1.0}) for name in names])
    rows = results.read_figures(path)["rows"]
    assert [row["schedule"] for row in rows] == [
        "adaptive, 0.1",
        "other",
        "adaptive, 0.1 (2)",
        "adaptive, 0.1 (3)",
    ]


def test_numbers_that_json_lacks_are_null(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path))
    row = {"a": float("nan"), "b": np.float32("inf"), "c": 1.5, "d": None}
    path = results.write_figures("e", [row], more={"x": [np.array([1, np.nan])]})
    assert "NaN" not in path.read_text() and "Infinity" not in path.read_text()
    assert json.loads(path.read_text()) == {
        "rows": [{"a": None, "b": None, "c": 1.5, "d": None}],
        "more": {"x": [[1.0, None]]},
    }
    assert report.table_of_rows([row | {"a": None, "b": None}]).splitlines()[-1].split() == [
        "-",
        "-",
        "1.50",
        "-",
    ]


def test_rows_that_are_no_dicts_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CLOCKWORK_RESULTS", str(tmp_path))
    with pytest.raises(TypeError, match="f: a row of figures is list"):
        results.write_figures("f", [["oracle", 70.0]])


def test_folders_of_datasets_hold_for_kernels_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOCKWORK_CAMVID", "data/camvid")
    env = kernel_env(tmp_path, 1)
    assert env["CLOCKWORK_CAMVID"] == str(tmp_path / "data/camvid")


def test_a_notebook_may_be_named_by_its_file(monkeypatch):
    monkeypatch.chdir(run.ROOT)
    for text in ("data-nyud", "data-nyud.ipynb", "notebooks/data-nyud.ipynb"):
        assert run.notebook_name(text) == "data-nyud"
    with pytest.raises(argparse.ArgumentTypeError, match="is not in"):
        run.notebook_name("elsewhere/data-nyud.ipynb")
