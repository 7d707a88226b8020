"""The whole comparison, on tiny nets, with the engines that our own environment has."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.measure import Effort, measure
from benchmarks.peers.case import Case
from benchmarks.peers.changing import SHARES

TINY = Case("tiny", 64, 70, channels=1 / 16)
ENGINES = ("eager", "clockwork", "ncnn", "openvino")


@pytest.mark.slow
def test_measure(tmp_path):
    said = []
    found = measure(
        TINY,
        ENGINES,
        tmp_path,
        Effort(2, 1, 3),
        1,
        Path(sys.prefix),
        ("frame", "deep"),
        False,
        said.append,
    )
    rows = {row["engine"]: row for row in found["rows"]}
    assert list(rows) == list(ENGINES) and found["against"] == "PyTorch eager"
    assert rows["eager"]["error"] == 0 and rows["eager"]["labels"] == 1
    for name in ("clockwork", "ncnn"):
        assert 0 < rows[name]["error"] < 2e-5 and rows[name]["labels"] > 0.99
        assert len(rows[name]["seconds"]["frame"]) == 2 * 3
    assert set(rows["clockwork"]["seconds"]) == {"frame", "deep"}
    assert set(rows["ncnn"]["seconds"]) == {"frame"}
    assert "No module named 'openvino'" in rows["openvino"]["failed"]
    assert any("openvino" in line for line in said)
    assert found["case"]["title"] == "tiny" and found["multiply_adds"]["fuse"] > 0
    assert not (tmp_path / "eager.npy").exists()


@pytest.mark.slow
def test_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compare, "FULL", TINY)
    monkeypatch.setattr(compare, "LIGHT", TINY)
    monkeypatch.setattr(compare, "matrix_rates", lambda t: {"float32": 1e9, "bfloat16": 2e9})
    options = ["--quick", "--engines", ",".join(ENGINES), "--threads", "1"]
    files = ["--peers", sys.prefix, "--out", str(tmp_path / "out"), "--cases", str(tmp_path / "c")]
    monkeypatch.setattr("sys.argv", ["compare", *options, *files])
    compare.main()
    results = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert list(results) == ["machine", *compare.QUICK_PARTS]
    page = (tmp_path / "out" / "bench.md").read_text()
    assert page in capsys.readouterr().out
    assert "float32, times ncnn, whole net" in page
    assert (tmp_path / "out" / "bench.png").stat().st_size > 10_000


def test_unknown_engine(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["compare", "--engines", "eager,caffe2"])
    with pytest.raises(SystemExit):
        compare.main()
    assert "no engine 'caffe2': choose from clockwork" in capsys.readouterr().err


@pytest.mark.slow
def test_parts_are_added_to_results(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "FULL", TINY)
    monkeypatch.setattr(compare, "SIZES", (64, 80))
    monkeypatch.setattr(compare, "MEMORY", ((64, 70), (70, 90)))
    monkeypatch.setattr(compare, "WIDTHS", (1 / 32, 1 / 16))
    monkeypatch.setattr(compare, "matrix_rates", lambda t: {"float32": 1e9, "bfloat16": 2e9})
    (tmp_path / "bench.json").write_text(json.dumps({"loop": {"around": 0.5}}))
    options = [
        "--parts",
        "size,channels,solver,memory,changed",
        "--engines",
        "eager,clockwork",
        "--threads",
        "1",
    ]
    files = ["--out", str(tmp_path), "--cases", str(tmp_path / "cases")]
    monkeypatch.setattr("sys.argv", ["compare", *options, *files])
    compare.main()
    results = json.loads((tmp_path / "bench.json").read_text())
    assert results["loop"] == {"around": 0.5} and "solver" not in results
    assert list(results["memory"]) == ["64 x 70", "70 x 90"]
    assert [point["share"] for point in results["changed"]["points"]] == list(SHARES)
    assert [point["case"]["height"] for point in results["size"]] == [64, 80]
    assert [point["case"]["channels"] for point in results["channels"]] == [1 / 32, 1 / 16]
    small, large = (sum(point["multiply_adds"].values()) for point in results["channels"])
    assert 3.5 < large / small < 4
