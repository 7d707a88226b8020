"""Bars and tables from results made up by hand."""

import json

import pytest
from PIL import Image

from benchmarks import plots, tables
from benchmarks.bars import Bar, bars, best_peer, seconds

MACHINE = {
    "processor": "Abacus 3",
    "cores": 2,
    "threads": 2,
    "instructions": ["avx2", "avx512_bf16"],
    "memory": 8 * 2**30,
    "system": "Linux x86_64",
    "python": "3.11.7",
    "torch": "2.13.0",
    "date": "2026-11-26",
}


def row(engine, middle, error=1e-6, precision="float32", **calls):
    """Return a row whose frame takes `middle` seconds, with quartiles 10 % around it."""
    frame = [0.8 * middle, 0.9 * middle, middle, 1.1 * middle, 1.3 * middle]
    times = {"frame": frame, **{name: [value] for name, value in calls.items()}}
    return {
        "engine": engine,
        "title": engine.title(),
        "precision": precision,
        "version": "1",
        "error": error,
        "labels": 1.0,
        "resident": 10**9,
        "peak": 2 * 10**9,
        "seconds": times,
    }


def result(*rows, title="a case", height=500):
    return {
        "case": {"title": title, "height": height, "width": height, "channels": 0.5, "bundled": ""},
        "against": "float64",
        "matrix_rates": {"float32": 50.0, "bfloat16": 100.0},
        "multiply_adds": {"shallow": 60, "deep": 40},
        "rows": list(rows),
    }


@pytest.fixture
def results():
    failed = {"engine": "mnn", "title": "Mnn", "precision": "float32", "failed": "no wheel"}
    calls = {"in turn": 1.04, "clockwork": 0.6, "shallow": 0.4}
    full = result(
        row("eager", 4),
        row("clockwork", 1, **calls),
        row("clockwork_bfloat16", 1.5, 1e-2, "bfloat16"),
        row("onnxruntime", 1.9),
        row("openvino_bfloat16", 0.9, 1e-2, "bfloat16"),
        failed,
    )
    light = result(row("opencv", 2, 1e-3), row("openvino", 3), row("clockwork", 2))
    point = {"seconds": 0.25, "seconds_without_deep": 0.1, "reached": 0.22, "bound": 0.2}
    point |= {"speedup": 4, "speedup_without_deep": 7, "time_over_bound": 1.25}
    return {
        "machine": MACHINE,
        "full": full,
        "light": light,
        "size": [light, full],
        "channels": [full, full],
        "memory": {"500 x 500": {"resident": 8e8, "peak": 9e8}},
        "changed": {
            "full": 1.0,
            "points": [{"share": 0.05, **point}, {"share": 1.0, **point, "speedup": 0.9}],
        },
        "loop": {"around": 0.04},
        "solver": {"rows": [{"net": "a net", "ratio": 1.1}]},
    }


def test_bars_by_hand(results):
    found = {bar.what: (bar.value, bar.met) for bar in bars(results)}
    assert found == {
        "float32, times PyTorch eager": (4, True),
        "float32, times ONNX Runtime": (1.9, False),
        "float32, times OpenVINO": (None, None),
        "float32, times ncnn, whole net": (None, None),
        "float32, error as a share of the largest score": (1e-6, True),
        "bfloat16 allowed, times OpenVINO bfloat16": (0.9, False),
        "stages in turn, share of a full frame": (1.04, False),
        "shallow, middle and fuse, share of a full frame": (0.6, True),
        "light net, float32, times the best peer (Openvino)": (1.5, True),
        "5 % of the pixels changed, times a full frame": (4, True),
        "the same without the deep stage, times a full frame": (7, False),
        "5 % changed, time as a share of the counted bound": (1.25, True),
        "everything changed, times a full frame": (0.9, False),
        "GB of one frame, 500 x 500": (0.9, True),
        "GB of one frame, 1024 x 2048": (None, None),
        "light net, the loop around the net, share of its forward": (0.04, True),
        "solver step, a net, times as long as before": (1.1, False),
    }


def test_nothing_measured_is_nothing_judged():
    assert {bar.met for bar in bars({})} == {None}
    assert Bar("x", 2, 2, True).met and Bar("x", 2, 2, False).met


def test_an_inexact_peer_is_not_the_best(results):
    assert best_peer(results["light"]) == ("Openvino", 3)
    assert best_peer(None) == (None, None)
    assert seconds(results["full"], "mnn") is None


def test_engine_table_by_hand(results):
    lines = tables.engine_table(results["full"]).splitlines()
    assert lines[0] == "| engine | ms | spread | times eager | matrix rate | error | GB |"
    # 100 multiply-adds in a second, of 50 a second: 200 %
    assert lines[3] == "| Clockwork | 1000 | 20% | 4.00 | 200% | 1e-06 | 1.00 |"
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| Openvino_Bfloat16",
        "| Clockwork",
        "| Clockwork_Bfloat16",
        "| Onnxruntime",
        "| Eager",
        "| Mnn",
    ]
    assert "| Mnn | failed |" in lines[-1]


def test_stage_table_by_hand(results):
    lines = tables.stage_table(results["full"]).splitlines()
    assert lines[2:] == [
        "| in turn | 1040 | 104% |  |",
        "| clockwork | 600 | 60% |  |",
        "| shallow | 400 | 40% | 60% |",
    ]
    assert tables.stage_table(results["light"]) == ""


def test_page_has_everything(results):
    page = tables.markdown(results)
    assert "Abacus 3 (AVX2, AVX-512 BF16), 2 threads, 8 GiB" in page
    for title in ("a case", "Frame size", "Width of the net", "Share of changed pixels", "Bars"):
        assert f"## {title}" in page
    assert "| 5% | 250 | 4.00 | 100 | 7.00 | 22% |" in page
    assert "| float32, times OpenVINO |  | at least 2 | not measured |" in page
    assert "| everything changed, times a full frame | 0.9 | at least 0.95 | no |" in page


def test_results_survive_json(results):
    again = json.loads(json.dumps(results))
    assert tables.markdown(again) == tables.markdown(results)


def test_plot_has_a_panel_for_each_part(results, tmp_path):
    plots.plot(results, tmp_path / "all.png")
    for key in ("size", "channels", "changed"):
        results.pop(key)
    plots.plot(results, tmp_path / "two.png")
    with Image.open(tmp_path / "all.png") as whole, Image.open(tmp_path / "two.png") as two:
        assert whole.width == two.width and whole.height > 2.5 * two.height
        assert len(set(whole.convert("RGB").get_flattened_data())) > 50
