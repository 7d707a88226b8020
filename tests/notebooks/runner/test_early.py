"""Ctrl-C while notebooks.run still imports."""

import os
import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["argparse", "numpy"])
def test_ctrl_c_during_the_imports(tmp_path, root, module):
    """A module that the runner imports sends the signal while it is imported."""
    (tmp_path / f"{module}.py").write_text(
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may ignore it
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-m", "notebooks.run", "--help"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert shown.returncode in (-signal.SIGINT, 130)
    assert shown.stderr.split("\n")[1:] == ["Stopped. The same command starts here again.", ""]
    assert not shown.stdout


def test_other_exceptions_are_shown_as_ever(tmp_path, root):
    (tmp_path / "numpy.py").write_text("1 / 0\n")
    shown = subprocess.run(
        [sys.executable, "-m", "notebooks.run", "--help"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 1 and "Traceback" in shown.stderr
    assert shown.stderr.endswith("ZeroDivisionError: division by zero\n")
