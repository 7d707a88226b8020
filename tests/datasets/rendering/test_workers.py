"""A miniature is drawn by several processes from any program: script, stdin, -c, and a kernel."""

import os
import signal
import subprocess
import sys
import time

import pytest

from datasets.errors import DatasetError
from datasets.miniature import miniature
from datasets.rendering import workers

# No guard, as README's example; what comes before shows that no process runs it again.
PROGRAM = """
print("begins")
from datasets.cityscapes import cityscapes
from datasets.miniature import miniature
root = miniature("cityscapes", {root!r}, size=(16, 8), val=1, train=1, workers=2)
print(len(cityscapes(root).clips("val")[0]), "frames")
"""


@pytest.fixture
def start(tmp_path, root):
    """Start Python in a folder where other modules have the names of ours and of Python's."""
    (tmp_path / "here").mkdir()
    for name in ("datasets.py", "json.py", "numpy.py"):
        (tmp_path / "here" / name).write_text("raise SystemExit('read by mistake')")

    def start(arguments, text=""):
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=tmp_path / "here",
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONSAFEPATH": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            out, err = process.communicate(text, timeout=120)
        finally:
            process.kill()
        return process.returncode, out, err

    return start


@pytest.mark.parametrize("way", ["script", "stdin", "-c"])
def test_programs_without_a_guard(start, tmp_path, way):
    program = PROGRAM.format(root=str(tmp_path / "root"))
    (tmp_path / "script.py").write_text(program)
    arguments = {"script": [str(tmp_path / "script.py")], "stdin": ["-"], "-c": ["-c", program]}
    status, out, err = start(arguments[way], program if way == "stdin" else "")
    assert (status, out) == (0, "begins\n20 frames\n"), err
    assert err.count("\n") == 1 and f"{tmp_path / 'root'}: drawing the cityscapes miniature" in err


def test_kernel_without_a_main_file(start, tmp_path):
    """A kernel has a main module without a file, and code that comes later."""
    program = PROGRAM.format(root=str(tmp_path / "root"))
    kernel = "import sys, types; sys.modules['__main__'] = types.ModuleType('__main__'); exec({!r})"
    status, out, err = start(["-c", kernel.format(program)])
    assert (status, out) == (0, "begins\n20 frames\n"), err


def test_command_tells_what_is_wrong(start, tmp_path):
    (tmp_path / "root").write_text("a file")
    command = ["-m", "datasets.miniature", "cityscapes", "--root", str(tmp_path / "root")]
    status, out, err = start(command)
    assert (status, out) == (1, "") and "is not a folder; remove it" in err
    status, out, err = start([*command, "--units", "night=1"])
    assert (status, out) == (1, "") and "no split ['night']" in err


def test_same_bytes_for_any_number_of_processes(tmp_path):
    roots = [
        miniature("nyud", tmp_path / str(n), size=(32, 24), test=1, val=1, train=1, workers=n)
        for n in (1, 2, 5)
    ]
    contents = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in roots
    ]
    assert contents[0] == contents[1] == contents[2] and len(contents[0]) > 90


def test_full_disk_in_a_process(tmp_path):
    (tmp_path / "leftImg8bit_sequence").write_text("in the way of a folder")
    manifest = {"seed": 0, "size": [16, 8]}
    units = [("val", 0), ("val", 1)]
    with pytest.raises(OSError, match="exists|Not a directory"):
        workers.draw_in_processes("datasets.drawn.cityscapes", tmp_path, manifest, units, 2)


def test_failure_in_a_process(tmp_path):
    manifest = {"seed": 0, "size": [16, 8]}
    with pytest.raises(RuntimeError, match="(?s)status 1.*KeyError: 'night'"):
        workers.draw_in_processes(
            "datasets.drawn.cityscapes", tmp_path, manifest, [("night", 0), ("night", 1)], 2
        )


def test_kill_of_a_process(tmp_path, monkeypatch):
    begin = workers._start

    def start(request):
        process = begin(request)
        process.send_signal(signal.SIGKILL)
        return process

    monkeypatch.setattr(workers, "_start", start)
    manifest = {"seed": 0, "size": [16, 8]}
    with pytest.raises(DatasetError, match="signal 9; if memory is short, draw with workers=1"):
        workers.draw_in_processes(
            "datasets.drawn.cityscapes", tmp_path, manifest, [("val", 0), ("val", 1)], 2
        )


def test_processes_end_with_their_parent(tmp_path):
    manifest = {"seed": 0, "size": [2048, 1024]}  # would take long
    process = workers._start(
        ["datasets.drawn.cityscapes", str(tmp_path), manifest, [("val", n) for n in range(99)]]
    )
    try:
        while not any(tmp_path.rglob("*.png")):
            time.sleep(0.05)
            assert process.poll() is None
        process.stdin.close()  # as the system does if the parent is killed
        assert process.wait(30) == 1
    finally:
        process.kill()
        process.stderr.close()
