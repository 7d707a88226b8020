"""The benchmarks time the same net, in interleaved rounds, relative to one full pass."""

import numpy as np
import pytest
import torch

from benchmarks import engine, nets, run, stages, timing
from benchmarks.plain_torch import fcn8s
from caffe.blobs import device


@pytest.fixture(scope="module")
def net():
    return nets.staged_net("miniature-cityscapes-fcn8s-light", (60, 70))


def test_medians_interleave_calls_and_skip_the_warm_up(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: clock[0])
    seen, durations = [], iter([100, 100, 1, 10, 7, 20, 2, 30])

    def call(name):
        seen.append(name)
        clock[0] += next(durations)

    taken = timing.medians({"a": lambda: call("a"), "b": lambda: call("b")}, 3)
    assert seen == list("abababab") and taken == {"a": 2, "b": 20}


def test_random_weights_keep_activations_finite_and_nonzero(net):
    assert net.blobs["data"].shape == (1, 3, 60, 70)
    score = net.forward()["score"]
    assert np.isfinite(score).all() and score.std() > 0


def test_plain_torch_net_gives_the_same_scores(net):
    mine = net.forward()["score"]
    theirs = fcn8s(net)(torch.from_numpy(net.blobs["data"].data))
    np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4 * np.abs(mine).max())


def test_overhead_rejects_a_different_net(net, monkeypatch):
    zeros = torch.zeros(net.blobs["score"].shape)
    monkeypatch.setattr(engine, "fcn8s", lambda net: lambda x: zeros)
    with pytest.raises(ValueError, match="other scores"):
        engine.overhead(net, 1)


def test_shares_are_of_one_full_pass(net):
    rows, seconds = stages.stage_shares(net, 2)
    assert [row[0] for row in rows] == ["shallow", "middle", "deep", "fuse", "in turn"]
    assert sum(row[2] for row in rows[:-1]) == pytest.approx(1)
    assert rows[-1][1] == pytest.approx(sum(row[1] for row in rows[:-1])) and seconds > 0


def test_ratios_restore_float32(net):
    assert engine.overhead(net, 1) > 0 and engine.bfloat16(net, 1) > 0
    assert device.precision() == torch.float32


def test_command_line(monkeypatch, capsys):
    monkeypatch.setattr(run, "staged_net", lambda *a: nets.staged_net(run.LIGHT, (60, 60)))
    monkeypatch.setattr("sys.argv", ["run", run.LIGHT, "--repeats", "1"])
    run.main()
    out = capsys.readouterr().out
    assert "shallow" in out and "multiply-adds" in out and "bfloat16" in out
    monkeypatch.setattr("sys.argv", ["run", "no-such-net"])
    with pytest.raises(SystemExit):
        run.main()
