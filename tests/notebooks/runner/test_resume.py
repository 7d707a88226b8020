"""A run goes on from one that was interrupted or had failures; one that ended well is run anew."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psutil  # comes with ipykernel
import pytest

from notebooks import run
from notebooks.runner import resume as journal
from notebooks.runner.execute import Outcome

# Notes that it runs and in which kernel; stays as long as the file `wait` is there.
CELL = """import os, pathlib, time
with open("log", "a") as log:
    log.write(f"{name} {{os.getpid()}}\\n")
while {waits} and pathlib.Path("wait").exists():
    time.sleep(0.05)"""
COMMAND = """import sys
from pathlib import Path
from notebooks import run
from notebooks.runner import resume as journal
run.NOTEBOOKS = {"first": None, "second": None}
journal.code_digest = lambda: "this code"
run.main(["--results", "results", "--jobs", "1"], Path.cwd())"""


@pytest.fixture
def two(write_notebook, tmp_path, monkeypatch):
    """A folder with notebooks first and second; second goes on as long as the file `wait` does."""
    for name, waits in (("first", False), ("second", True)):
        write_notebook(tmp_path / f"{name}.ipynb", CELL.format(name=name, waits=waits))
    (tmp_path / "wait").touch()
    monkeypatch.setattr(run, "NOTEBOOKS", {"first": None, "second": None})
    monkeypatch.setattr(journal, "code_digest", lambda: "this code")
    return tmp_path


def executions(folder):
    """(name, process id of the kernel) for each time that a notebook of `folder` was executed."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(name, int(pid)) for name, pid in map(str.split, lines)]


def signal_at(execution, folder, process, number):
    """Send signal `number` to `process` as soon as so many notebooks were executed."""
    wait_until(lambda: len(executions(folder)) == execution)
    os.kill(process, number)


def wait_until(condition):
    end = time.monotonic() + 300  # of a very busy machine
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def has_ended(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_stopped_run_goes_on_with_what_is_not_finished(two, root, capsys):
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=two,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as running:
        signal_at(2, two, running.pid, signal.SIGKILL)
    again = partial(run.main, ["--results", str(two / "results"), "--jobs", "1"], two)
    with ThreadPoolExecutor(1) as thread:  # a user at the keyboard
        thread.submit(signal_at, 3, two, os.getpid(), signal.SIGINT)
        assert again() == 130
    for _, kernel in executions(two):
        wait_until(partial(has_ended, kernel))  # none is left behind
    assert "the same command goes on from here" in capsys.readouterr().out
    (two / "wait").unlink()
    assert again() == 0
    assert [name for name, _ in executions(two)] == ["first", "second", "second", "second"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("first: ok (finished earlier), ") and lines[1] == "second: started"
    assert not (two / "results" / journal.FILE).exists()


@pytest.fixture
def executed(write_notebook, tmp_path, monkeypatch):
    """executed(*argv): names of the notebooks that one run over a, b and c executes, where the
    names in executed.failing fail."""
    for name in "abc":
        write_notebook(tmp_path / f"{name}.ipynb", "x = 1")
    monkeypatch.setattr(run, "NOTEBOOKS", dict.fromkeys("abc"))
    monkeypatch.setattr(journal, "code_digest", lambda: executed.code)

    def execute_all(paths, results, on_end, **_):
        outcomes = {}
        for path in paths:
            state = "failed" if path.stem in executed.failing else "ok"
            for kind in ("ipynb", "html"):
                (results / f"{path.stem}.{kind}").touch()
            outcomes[path.stem] = Outcome(path.stem, state, seconds=7)
            on_end(outcomes[path.stem])
        return outcomes

    def executed(*argv):
        names = []
        monkeypatch.setattr(
            run,
            "execute_all",
            lambda paths, results, workers, **more: (
                names.extend(path.stem for path in paths),
                execute_all(paths, results, **more),
            )[1],
        )
        executed.status = run.main(["--results", str(tmp_path / "results"), *argv], tmp_path)
        return "".join(names)

    executed.failing, executed.code = "", "code"
    return executed


def test_after_a_good_end_all_run_anew(executed):
    assert executed() == "abc" and executed() == "abc" and executed.status == 0


def test_after_failures_only_those_are_redone(executed, capsys):
    executed.failing = "b"
    assert executed() == "abc" and executed.status == 1
    assert executed() == "b" and executed.status == 1
    executed.failing = ""
    assert executed() == "b" and executed.status == 0
    assert "a: ok (finished earlier), 7 s" in capsys.readouterr().out
    assert executed() == "abc"


def test_anew_redoes_all(executed):
    executed.failing = "b"
    assert executed() == "abc" and executed("--anew") == "abc" and executed() == "b"


def test_a_changed_notebook_is_redone(executed, write_notebook, tmp_path):
    executed.failing = "b"
    executed()
    write_notebook(tmp_path / "c.ipynb", "x = 2")
    assert executed() == "bc"


def test_outputs_are_no_change(executed, tmp_path):
    executed.failing = "b"
    executed()
    path = tmp_path / "c.ipynb"
    path.write_text(path.read_text().replace('"outputs": []', '"outputs": [{"text": "5"}]'))
    assert executed() == "b"


def test_changed_code_redoes_all(executed):
    executed.failing = "b"
    executed()
    executed.code = "other"
    assert executed() == "abc"


def test_a_lost_page_is_made_again(executed, tmp_path):
    executed.failing = "b"
    executed()
    (tmp_path / "results/c.html").unlink()
    assert executed() == "bc"


def test_a_damaged_journal_counts_for_nothing(executed, tmp_path):
    executed.failing = "b"
    for damage in ("", "[1]", '{"a": {"digest": 1}}', '{"a": null}'):
        executed()
        (tmp_path / "results" / journal.FILE).write_text(damage)
        assert executed() == "abc"


def test_code_digest_follows_code_nets_and_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "ROOT", tmp_path)
    (tmp_path / "nets/deeper").mkdir(parents=True)
    seen = {journal.code_digest()}
    for name in ("deeper/a.py", "a.prototxt", "a.caffemodel"):
        (tmp_path / "nets" / name).write_text("1")
        seen.add(journal.code_digest())
        (tmp_path / "nets" / name).write_text("22")
        seen.add(journal.code_digest())
    (tmp_path / "nets/README.md").write_text("no code")
    monkeypatch.setenv("CLOCKWORK_CAMVID", "elsewhere")
    seen |= {journal.code_digest(), journal.code_digest()}
    assert len(seen) == 8
