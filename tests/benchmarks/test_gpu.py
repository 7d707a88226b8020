"""The script for GPUs, as far as it goes on a CPU."""

import json

import numpy as np
import pytest
import torch

import caffe
from benchmarks import gpu
from benchmarks.nets import fill_with_noise
from caffe.blobs import device
from nets.fcn8s import fcn8s


@pytest.fixture(scope="module")
def net():
    spec = fcn8s(5, 1 / 16, fc_width=64, size=(60, 70))
    net = caffe.Net.from_param(spec, caffe.TEST)
    fill_with_noise(net)
    return net


def test_stages_as_modules_keep_what_did_not_run(net):
    rng = np.random.default_rng(0)
    frames = rng.normal(0, 50, (2, 1, 3, 60, 70)).astype(np.float32)
    data = torch.from_numpy(frames[0].copy())
    stages, scores = gpu.stage_graphs(net, data, torch.clone)
    gpu._replay(stages, stages)
    net.blobs["data"].data[...] = frames[0]
    expected = net.forward()["score"]
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    data.copy_(torch.from_numpy(frames[1]))
    gpu._replay(stages, gpu.WITHOUT_DEEP)
    net.blobs["data"].data[...] = frames[1]
    expected = gpu._without_deep(net, False)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert np.abs(net.forward()["score"] - expected).max() > 1e-3 * np.abs(expected).max()


def test_every_way_computes_the_net(net):
    frame = np.random.default_rng(1).normal(0, 50, (1, 3, 60, 70)).astype(np.float32)
    net.blobs["data"].data[...] = frame
    found = gpu.ways(net, frame, torch.device("cpu"), compiled=False)
    reference = gpu._on_host(found[0].run())
    for way in found:
        error = np.abs(gpu._on_host(way.run()) - reference).max() / np.abs(reference).max()
        assert error < (2e-5 if way.precision == "float32" else 3e-2), way.title
    assert device.precision() == torch.float32 and device.device().type == "cpu"


def test_a_way_that_fails_leaves_the_others(monkeypatch):
    def broken(*args):
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(gpu, "_without_deep", broken)
    rates = {"float32": 1e12, "bfloat16": 1e12}
    found = gpu.measure_size(60, 64, torch.device("cpu"), rates, 1, False, 1 / 16)
    failed = [row for row in found["rows"] if "failed" in row]
    assert [row["failed"] for row in failed] == ["RuntimeError: no kernel image"]
    assert len(found["rows"]) > 5


def test_command_line_on_a_cpu(tmp_path, monkeypatch, capsys):
    gpu.main(["--cpu", "--no-tests", "--no-compile", "--out", str(tmp_path)])
    results = json.loads((tmp_path / "gpu.json").read_text())
    assert results["device"].startswith("none") and results["sizes"][0]["height"] == 64
    assert (tmp_path / "gpu.md").read_text() in capsys.readouterr().out
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        gpu.main([])


def test_tests_that_fail_are_shown(monkeypatch):
    monkeypatch.setattr(gpu, "CORE_TESTS", ("tests/no_such_file.py",))
    found = gpu.run_tests(False)
    assert found["code"] != 0 and "no_such_file" in "\n".join(found["tail"])


def test_all_core_tests_exist(root):
    assert all((root / path).exists() for path in gpu.CORE_TESTS)
