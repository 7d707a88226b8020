"""A run resumes one that was interrupted or failed; after a success all notebooks run again."""

import json
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
            for kind in ("ipynb", "html", "json"):
                (results / f"{path.stem}.{kind}").write_text('{"rows": []}')
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


@pytest.mark.parametrize("kind", ["ipynb", "html", "json"])
@pytest.mark.parametrize("damage", ["", '{"rows": [', "[]", '{"rows": [{"mIU": NaN}]}', "folder"])
def test_notebook_with_a_damaged_file_runs_again(executed, tmp_path, kind, damage):
    executed.failing = "b"
    executed()
    path = tmp_path / f"results/c.{kind}"
    path.unlink()
    path.mkdir() if damage == "folder" else path.write_text(damage)
    if damage == "folder":
        path.rmdir()
        os.mkfifo(path)  # the fake run above cannot write to a folder
        assert resume.Journal(tmp_path / "results").finished(tmp_path / "c.ipynb", {}) is None
    else:
        assert executed() == "bc"


@pytest.mark.parametrize("there", ["pipe", "folder", "deep", "latin"])
def test_what_is_no_journal_is_ignored(tmp_path, there):
    path = tmp_path / resume.FILE
    {
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "deep": lambda: path.write_text("[" * 100_000),
        "latin": lambda: path.write_bytes(b'{"\xe4": 1}'),
    }[there]()
    assert resume.Journal(tmp_path).entries == {}


def test_one_damaged_entry_does_not_cost_the_others(executed, tmp_path):
    executed.failing = "b"
    executed()
    path = tmp_path / "results" / resume.FILE
    entries = json.loads(path.read_text())
    entries["c"]["files"] = None
    path.write_text(json.dumps(entries))
    assert executed() == "bc"


def test_figures_that_are_damaged_at_the_end_are_reported(executed, tmp_path, monkeypatch, capsys):
    write_report = run.write_report

    def report(outcomes, results, seconds):
        (results / "a.json").write_text("[]")
        return write_report(outcomes, results, seconds)

    monkeypatch.setattr(run, "write_report", report)
    executed()
    assert executed.status == 1
    assert "a.json holds no figures" in capsys.readouterr().out
    monkeypatch.undo()


def test_weights_that_a_parameter_names_count(write_notebook, tmp_path):
    write_notebook(tmp_path / "a.ipynb", "weights = 'own'")
    journal = resume.Journal(tmp_path)
    seen = {journal.digest(tmp_path / "a.ipynb")}
    for content in ("1", "22"):
        (tmp_path / "own.caffemodel").write_text(content)
        seen.add(journal.digest(tmp_path / "a.ipynb"))
    (tmp_path / "other.prototxt").write_text("1")
    values = {"nets": [["other"]]}
    seen.add(journal.digest(tmp_path / "a.ipynb", values))
    (tmp_path / "other.prototxt").write_text("22")
    seen.add(journal.digest(tmp_path / "a.ipynb", values))
    assert len(seen) == 5


WRITES = """import os, sys
from pathlib import Path
from notebooks import run
from notebooks.runner import resume
resume.code_digest = lambda: "this code"
run.NOTEBOOKS = dict.fromkeys("ab")
fatal, calls = int(sys.argv[1]), 0
def dying(function):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), 9)
        return function(*args, **kwargs)
    return call
os.fsync, os.replace, os.unlink = dying(os.fsync), dying(os.replace), dying(os.unlink)
def execute_all(paths, results, workers, on_end, **_):
    outcomes = {}
    for path in paths:
        for kind in ("ipynb", "html", "json"):
            write_atomically(results / f"{path.stem}.{kind}", '{"rows": [{"mIU": 1.0}]}')
        outcomes[path.stem] = run.Outcome(path.stem, "ok")
        print("RAN", path.stem)
        on_end(outcomes[path.stem])
        print("KEPT", path.stem, flush=True)
    return outcomes
from lib.atomic import write_atomically
run.execute_all = execute_all
sys.exit(run.main(["--results", "results"], Path.cwd()))"""


@pytest.mark.slow
def test_a_kill_at_any_write_loses_nothing_that_was_kept(write_notebook, tmp_path, root):
    for name in "ab":
        write_notebook(tmp_path / f"{name}.ipynb", "x = 1")

    def start(fatal):
        return subprocess.run(
            [sys.executable, "-c", WRITES, str(fatal)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
        )

    fatal = 1
    while (killed := start(fatal)).returncode == -signal.SIGKILL:
        again = start(0)
        assert again.returncode == 0, again.stderr
        kept = {line.split()[1] for line in killed.stdout.splitlines() if "KEPT" in line}
        ran = {line.split()[1] for line in again.stdout.splitlines() if "RAN" in line}
        journal = {"a", "b"} - ran
        assert kept <= journal or "2 ok" in killed.stdout
        assert set(json.loads((tmp_path / "results/summary.json").read_text())) == {"a", "b"}
        assert not (tmp_path / "results" / resume.FILE).exists()
        fatal += 5  # each costs two starts; together with the files they cover every kind of write
    assert killed.returncode == 0 and fatal > 15


def test_a_disk_that_is_full_ends_in_messages(write_notebook, tmp_path, root):
    write_notebook(tmp_path / "first.ipynb", "x = 1")
    write_notebook(tmp_path / "second.ipynb", "x = 1")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
    shown = subprocess.run(
        [sys.executable, "-c", limited + COMMAND.replace("run.main", "status = run.main")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in shown.stdout + shown.stderr
    assert "2 failed" in shown.stdout and "File too large" in shown.stdout
