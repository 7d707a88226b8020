"""A run resumes one that was interrupted or failed; after a success all notebooks run again."""

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
from notebooks.runner import resume
from notebooks.runner.execute import Outcome

COMMAND = """import sys
from pathlib import Path
from notebooks import run
from notebooks.runner import resume
run.NOTEBOOKS = {"first": None, "second": None}
resume.code_digest = lambda: "this code"
run.main(["--results", "results", "--jobs", "1"], Path.cwd())"""


def cell(name, waits):
    """Return code that logs its execution and kernel, and may wait while the file `wait` exists."""
    return f"""import os, pathlib, time
with open("log", "a") as log:
    print({name!r}, os.getpid(), file=log)
while {waits} and pathlib.Path("wait").exists():
    time.sleep(0.05)"""


@pytest.fixture
def two(write_notebook, tmp_path, monkeypatch):
    """Return a folder with notebooks first and second; second waits for the file `wait` to go."""
    for name, waits in (("first", False), ("second", True)):
        write_notebook(tmp_path / f"{name}.ipynb", cell(name, waits))
    (tmp_path / "wait").touch()
    monkeypatch.setattr(run, "NOTEBOOKS", {"first": None, "second": None})
    monkeypatch.setattr(resume, "code_digest", lambda: "this code")
    return tmp_path


def executions(folder):
    """Return (notebook, process id of the kernel) for each execution logged in `folder`."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(name, int(pid)) for name, pid in map(str.split, lines)]


def signal_at(execution, folder, process, number):
    """Send signal `number` to `process` after `execution` notebook executions."""
    wait_until(lambda: len(executions(folder)) == execution)
    os.kill(process, number)


def wait_until(condition):
    end = time.monotonic() + 300  # enough for a very busy machine
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


def has_ended(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_stopped_run_resumes_with_unfinished_notebooks(two, root, capsys):
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=two,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as running:
        signal_at(2, two, running.pid, signal.SIGKILL)
    again = partial(run.main, ["--results", str(two / "results"), "--jobs", "1"], two)
    with ThreadPoolExecutor(1) as thread:  # sends Ctrl-C
        thread.submit(signal_at, 3, two, os.getpid(), signal.SIGINT)
        assert again() == 130
    for _, kernel in executions(two):
        wait_until(partial(has_ended, kernel))  # no kernel is left running
    assert "the same command resumes here" in capsys.readouterr().out
    (two / "wait").unlink()
    assert again() == 0
    assert [name for name, _ in executions(two)] == ["first", "second", "second", "second"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("first: ok (finished earlier), ") and lines[1] == "second: started"
    assert not (two / "results" / resume.FILE).exists()


@pytest.fixture
def executed(write_notebook, tmp_path, monkeypatch):
    """Return executed(*argv): the notebooks that one run over a, b and c executes, as a string.

    The notebooks in executed.failing fail.
    """
    for name in "abc":
        write_notebook(tmp_path / f"{name}.ipynb", "x = 1")
    monkeypatch.setattr(run, "NOTEBOOKS", dict.fromkeys("abc"))
    monkeypatch.setattr(resume, "code_digest", lambda: executed.code)

    outcomes = {}

    def execute_all(paths, results, workers, on_end, **_):
        for path in paths:
            state = "failed" if path.stem in executed.failing else "ok"
            for kind in ("ipynb", "html"):
                (results / f"{path.stem}.{kind}").touch()
            outcomes[path.stem] = Outcome(path.stem, state, seconds=7)
            on_end(outcomes[path.stem])
        return outcomes

    def executed(*argv):
        outcomes.clear()
        executed.status = run.main(["--results", str(tmp_path / "results"), *argv], tmp_path)
        return "".join(outcomes)

    monkeypatch.setattr(run, "execute_all", execute_all)

    executed.failing, executed.code = "", "code"
    return executed


def test_after_success_all_run_again(executed):
    assert executed() == "abc" and executed() == "abc" and executed.status == 0


def test_after_failures_only_those_run_again(executed, capsys):
    executed.failing = "b"
    assert executed() == "abc" and executed.status == 1
    assert executed() == "b" and executed.status == 1
    executed.failing = ""
    assert executed() == "b" and executed.status == 0
    assert "a: ok (finished earlier), 7 s" in capsys.readouterr().out
    assert executed() == "abc"


def test_anew_runs_all_again(executed):
    executed.failing = "b"
    assert executed() == "abc" and executed("--anew") == "abc" and executed() == "b"


def test_changed_notebook_runs_again(executed, write_notebook, tmp_path):
    executed.failing = "b"
    executed()
    write_notebook(tmp_path / "c.ipynb", "x = 2")
    assert executed() == "bc"


def test_changed_outputs_do_not_count(executed, tmp_path):
    executed.failing = "b"
    executed()
    path = tmp_path / "c.ipynb"
    path.write_text(path.read_text().replace('"outputs": []', '"outputs": [{"text": "5"}]'))
    assert executed() == "b"


def test_changed_code_runs_all_again(executed):
    executed.failing = "b"
    executed()
    executed.code = "other"
    assert executed() == "abc"


def test_notebook_with_a_missing_page_runs_again(executed, tmp_path):
    executed.failing = "b"
    executed()
    (tmp_path / "results/c.html").unlink()
    assert executed() == "bc"


def test_damaged_journal_is_ignored(executed, tmp_path):
    executed.failing = "b"
    for damage in ("", "[1]", '{"a": {"digest": 1}}', '{"a": null}'):
        executed()
        (tmp_path / "results" / resume.FILE).write_text(damage)
        assert executed() == "abc"


def test_code_digest_depends_on_code_nets_and_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "ROOT", tmp_path)
    (tmp_path / "nets/deeper").mkdir(parents=True)
    seen = {resume.code_digest()}
    for name in ("deeper/a.py", "a.prototxt", "a.caffemodel"):
        (tmp_path / "nets" / name).write_text("1")
        seen.add(resume.code_digest())
        (tmp_path / "nets" / name).write_text("22")
        seen.add(resume.code_digest())
    (tmp_path / "nets/README.md").write_text("not code")
    monkeypatch.setenv("CLOCKWORK_CAMVID", "elsewhere")
    seen |= {resume.code_digest(), resume.code_digest()}
    assert len(seen) == 8
