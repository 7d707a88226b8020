"""The peers' environment: made once, made again if not whole, never if it is another's."""

import re

import pytest

from benchmarks.peers import environment
from benchmarks.peers.process import KINDS


@pytest.fixture
def commands(monkeypatch):
    """Note the commands in place of running them; venv makes its python."""
    ran = []

    def run(command, check):
        assert check
        ran.append(" ".join(command[1:]))
        if "venv" in command:
            from pathlib import Path

            (Path(command[-1]) / "bin").mkdir()
            (Path(command[-1]) / "bin" / "python").touch()

    monkeypatch.setattr(environment.subprocess, "run", run)
    return ran


def test_made_once(tmp_path, commands):
    folder = tmp_path / "peers"
    assert environment.make(folder, ["--index-url", "x"])
    assert commands[0] == f"-m venv {folder}"
    assert commands[1].startswith("-m pip install") and "--index-url x -r " in commands[1]
    assert not environment.make(folder) and len(commands) == 2


def test_taken_up_again_after_an_interruption(tmp_path, commands, monkeypatch):
    run = environment.subprocess.run

    def interrupted(command, check):
        if "pip" in command:
            raise KeyboardInterrupt
        run(command, check)

    monkeypatch.setattr(environment.subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.make(tmp_path / "peers")
    monkeypatch.setattr(environment.subprocess, "run", run)
    assert environment.make(tmp_path / "peers")
    assert [command.split()[1] for command in commands] == ["venv", "pip"]


def test_one_of_somebody_else_is_left_alone(tmp_path, commands):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert not environment.make(tmp_path) and not commands


def test_requirements_are_pinned():
    lines = environment.REQUIREMENTS.read_text().splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert pinned and all(re.match(r"[\w-]+==[\d.]+ +# \w", line) for line in pinned)
    assert sum(not kind.own for kind in KINDS.values()) == 6
