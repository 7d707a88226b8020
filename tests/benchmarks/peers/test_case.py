"""The files of a case: the same net in each."""

import json

import numpy as np
import pytest

import caffe
from benchmarks.peers import case as case_module
from benchmarks.peers.case import Case, build, run_converter, site_packages, write
from benchmarks.peers.process import BenchmarkError
from tests.benchmarks.peers.conftest import TINY


def test_scores_are_those_of_the_files(tiny):
    net = caffe.Net(tiny / "net.prototxt", tiny / "net.caffemodel", caffe.TEST)
    frames, scores = np.load(tiny / "frames.npy"), np.load(tiny / "scores.npy")
    assert frames.shape == (2, 3, 64, 70) and frames.dtype == np.float32
    assert (frames[0] != frames[1]).all() and 40 < frames.std() < 60
    assert scores.dtype == np.float64 and scores.shape == (21, 64, 70)
    net.blobs["data"].data[0] = frames[0]
    mine = net.forward()["score"][0]
    np.testing.assert_allclose(mine, scores, rtol=0, atol=2e-5 * np.abs(scores).max())


def test_cost_is_that_of_the_layers(tiny):
    cost = json.loads((tiny / "cost.json").read_text())
    assert list(cost) == ["shallow", "middle", "deep", "fuse"]
    # conv5_1 to conv5_3: 32 x 32 x 9 at each position of pool4; fc6, fc7, score_fr, upscore2
    net = caffe.Net(tiny / "net.prototxt", caffe.TEST)
    pool4, fc6 = (np.prod(net.blobs[name].shape[2:]) for name in ("pool4", "fc6"))
    deep = pool4 * 3 * 32 * 32 * 9 + fc6 * (32 * 256 * 49 + 256 * 256 + 256 * 21 + 21 * 16)
    assert cost["deep"] == deep


def test_files_that_are_there_are_used(tiny, peers, monkeypatch):
    monkeypatch.setattr(case_module, "run_converter", lambda *a: pytest.fail("written again"))
    write(TINY, tiny, ["onnx"], peers, 1)
    with pytest.raises(pytest.fail.Exception, match="written again"):
        write(TINY._replace(width=71), tiny, ["onnx"], peers, 1)
    (tiny / "case.json").write_text(
        json.dumps({"case": list(TINY), "formats": ["ncnn", "onnx", "scores"]})
    )


def test_a_bundled_net_takes_its_weights_and_the_size():
    net, text = build(Case("light", 60, 64, bundled="miniature-cityscapes-fcn8s-light"))
    assert net.blobs["data"].shape == (1, 3, 60, 64) and "dim: 64" in text
    assert 0 < np.abs(net.params["score_fr"][0].data).max() < 5


def test_a_converter_that_fails():
    with pytest.raises(BenchmarkError, match="(?s)false failed with code 1"):
        run_converter(["false"], 1)


def test_no_environment(tmp_path):
    with pytest.raises(BenchmarkError, match="is no Python environment.*make bench"):
        site_packages(tmp_path)
