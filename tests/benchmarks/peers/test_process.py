"""Engines in processes of their own: the same scores, and errors that name the engine."""

import os

import numpy as np
import pytest

from benchmarks.peers.process import KINDS, BenchmarkError, Process


@pytest.mark.parametrize("name", ["clockwork", "eager", "ncnn", "onnxruntime", "opencv"])
def test_each_computes_the_net(name, tiny, peers, tmp_path):
    scores = np.load(tiny / "scores.npy")
    with Process(KINDS[name], tiny, 1, peers) as process:
        assert process.about["version"]
        process.ask("scores", frame=0, path=str(tmp_path / "s.npy"))
        timed = process.ask("time", call="frame", frame=1, warm=1, count=3)["seconds"]
        memory = process.ask("memory")
    mine = np.load(tmp_path / "s.npy")
    assert mine.shape == (1, *scores.shape)
    np.testing.assert_allclose(mine[0], scores, rtol=0, atol=2e-5 * np.abs(scores).max())
    assert len(timed) == 3 and all(0 < seconds < 60 for seconds in timed)
    assert memory["peak"] >= memory["resident"] > 0


def test_our_calls(tiny, peers, tmp_path):
    with Process(KINDS["clockwork"], tiny, 1, peers) as process:
        stages = ["shallow", "middle", "deep", "fuse"]
        assert process.about["calls"] == ["frame", *stages, "in turn", "clockwork"]
        process.ask("scores", frame=0, path=str(tmp_path / "a.npy"))
        for call in [*stages, "in turn", "clockwork"]:
            process.ask("time", call=call, frame=0, warm=0, count=1)
        process.ask("scores", frame=0, path=str(tmp_path / "b.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))


def test_what_fails_is_named(tiny, peers, tmp_path):
    with pytest.raises(BenchmarkError, match="OpenVINO: ModuleNotFoundError.*openvino"):
        Process(KINDS["openvino"], tiny, 1, peers)
    with pytest.raises(BenchmarkError, match="ncnn, whole net: .*frames.npy"):
        Process(KINDS["ncnn"], tmp_path, 1, peers)
    with pytest.raises(BenchmarkError, match="cannot start .*nowhere"):
        Process(KINDS["ncnn"], tiny, 1, tmp_path / "nowhere")
    with pytest.raises(BenchmarkError, match="PEERS=folder"):
        Process(KINDS["ncnn"], tiny, 1, None)


def test_a_request_that_fails_and_a_process_that_has_ended(tiny, peers):
    with Process(KINDS["eager"], tiny, 1, peers) as process:
        with pytest.raises(BenchmarkError, match="PyTorch eager: KeyError: 'no call'"):
            process.ask("time", call="no call", frame=0, warm=0, count=1)
        with pytest.raises(BenchmarkError, match="PyTorch eager"):
            process.ask("memory")
    assert not os.path.exists(f"/proc/{process._process.pid}")


def test_one_that_does_not_answer(tiny, peers):
    with pytest.raises(BenchmarkError, match="PyTorch eager: no answer in 0.01 s"):
        Process(KINDS["eager"], tiny, 1, peers, limit=0.01)
