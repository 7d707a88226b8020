"""What `make lab` and `make run` start, by the commands that make prints."""

import os
import shlex
import shutil
import subprocess

import pytest

# What a make that runs the tests would hand to the make that is tested.
SET_BY_MAKE = ("PORT", "LAB", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")


@pytest.fixture
def printed(root, tmp_path):
    """Return printed(user, *arguments): the words of the last command of `make -n`."""
    if not shutil.which("make"):
        pytest.skip("needs make")

    def commands(user, *arguments):
        (tmp_path / "id").write_text(f"#!/bin/sh\necho {user}\n")
        (tmp_path / "id").chmod(0o755)
        env = {k: v for k, v in os.environ.items() if k not in SET_BY_MAKE}
        env["PATH"] = f"{tmp_path}{os.pathsep}{env['PATH']}"
        shown = subprocess.run(
            ["make", "--no-print-directory", "-n", *arguments],
            cwd=root,
            env=env,
            text=True,
            capture_output=True,
        )
        assert shown.returncode == 0, shown.stderr
        text = shown.stdout.replace("\\\n", " ")
        return shlex.split(text.strip().splitlines()[-1])

    return commands


def test_lab_serves_the_repository_and_opens_the_notebooks(printed, root):
    _, _, module, *options = printed(1000, "lab")
    assert module == "jupyterlab"
    assert options == [f"--ServerApp.root_dir={root}", "--LabApp.default_url=/lab/tree/notebooks"]


def test_lab_of_root_in_a_container_starts(printed):
    assert "--allow-root" in printed(0, "lab")


def test_lab_takes_a_port_and_other_options(printed):
    options = printed(1000, "lab", "PORT=8890", "LAB=--no-browser --ip=0.0.0.0")
    assert options[-4:] == [
        "--port=8890",
        "--ServerApp.port_retries=0",  # another port than that asked for would help nobody
        "--no-browser",
        "--ip=0.0.0.0",
    ]


def test_run_executes_all_notebooks(printed):
    assert printed(1000, "run")[1:] == ["-m", "notebooks.run"]
