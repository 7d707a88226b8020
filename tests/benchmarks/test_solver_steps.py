"""Solver steps of two versions: here twice the same one."""

import pytest

from benchmarks import solver_steps
from benchmarks.peers.process import BenchmarkError


@pytest.fixture
def small(monkeypatch):
    size = {"width": 1 / 16, "fc_width": 16, "size": (60, 64)}
    monkeypatch.setattr(solver_steps, "NETS", {"a small net": size})


def test_both_train_the_same_net(small, root):
    (row,) = solver_steps.compare_steps(root, 1, rounds=2, steps=2)["rows"]
    assert row["net"] == "a small net"
    assert row["ratio"] == pytest.approx(row["now"] / row["before"]) and row["now"] > 0
    assert row["loss_now"] == row["loss_before"]
    assert 0 < row["loss_now"] < 10


def test_a_version_that_fails(small, tmp_path, capfd):
    (tmp_path / "caffe.py").write_text("raise RuntimeError('an old bug')")
    with pytest.raises(BenchmarkError, match="the version 'before' failed"):
        solver_steps.compare_steps(tmp_path, 1, rounds=1, steps=1)
    assert "an old bug" in capfd.readouterr().err


def test_command_line(small, root, capsys):
    solver_steps.main([str(root), "--rounds", "1", "--threads", "1"])
    assert "a small net: a step takes" in capsys.readouterr().out
