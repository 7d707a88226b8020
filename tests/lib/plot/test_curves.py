from types import SimpleNamespace

import numpy as np
import pytest

from lib.evaluate import Result
from lib.plot.curves import accuracy_against_cost, curves, period_sweep
from lib.score_util import Scores, Summary


def result(mean_iu, giga, fired=1):
    summary = Summary(0.9, 0.8, mean_iu, 0.7)
    return SimpleNamespace(
        scores=SimpleNamespace(summary=lambda: summary),
        fired={"deep": fired},
        macs_per_frame=giga * 1e9,
        ms_per_frame=30,
        latency_ms=20,
    )


def points(ax):
    return {
        line.get_label(): list(zip(*map(list, line.get_data()), strict=True)) for line in ax.lines
    }


def test_accuracy_against_cost():
    series = {
        "adaptive": [result(0.5, 150, 0.5), result(0.25, 120, 0.2)],
        "oracle": [result(0.75, 181)],
    }
    ax = accuracy_against_cost(series)
    assert points(ax) == {"adaptive": [(120, 25), (150, 50)], "oracle": [(181, 75)]}
    assert ax.get_xlabel() == "multiply-adds per frame (G)"
    assert ax.get_ylabel() == "mean IU (%)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(series)
    ax = accuracy_against_cost(series, "fired", "acc")
    assert points(ax)["adaptive"] == [(20, 90), (50, 90)]


def test_period_sweep_in_order_of_periods():
    ax = period_sweep(
        {"stale": {4: result(0.5, 1), 1: result(0.75, 1)}, "clock": {2: result(0.5, 1)}}
    )
    assert points(ax) == {"stale": [(1, 75), (4, 50)], "clock": [(2, 50)]}
    assert ax.get_xticks().tolist() == [1, 2, 4]


def kept(value):
    """Return a Result that kept one frame of 4 pixels, three of them of class `value`."""
    label = np.array([[0, value, value, value]], np.uint8)
    return Result("kept", Scores(3), {}, 1e9, 30, 20, 1, 0, labels=[[label]], clips=["a"])


def test_scores_against_the_oracle_in_place_of_labels():
    oracle, other = kept(1), kept(2)
    ax = accuracy_against_cost({"oracle": [oracle], "other": [other]}, score="acc", oracle=oracle)
    assert points(ax) == {"oracle": [(1, 100)], "other": [(1, 25)]}
    assert ax.get_ylabel() == "agreement with the oracle,\noverall accuracy (%)"
    ax = period_sweep({"clock": {2: other, 4: other}}, "acc", oracles={2: oracle, 4: other})
    assert points(ax) == {"clock": [(2, 25), (4, 100)]}
    assert ax.get_ylabel().startswith("agreement")


def test_each_line_has_its_own_colour_and_marker():
    ax = curves({str(i): [(0, i), (1, i)] for i in range(8)}, "x", "y")
    assert len({line.get_color() for line in ax.lines}) == 8
    assert len({line.get_marker() for line in ax.lines}) == 8


def test_unknown_axes_are_named():
    with pytest.raises(ValueError, match="macs, ms, latency, fired"):
        accuracy_against_cost({"a": [result(0.5, 1)]}, "joules")
    with pytest.raises(ValueError, match="acc, cl_acc, mean_iu, fw_iu"):
        accuracy_against_cost({"a": [result(0.5, 1)]}, score="iou")


def test_the_cost_of_a_net_without_the_stage():
    """Of a net that is run whole."""
    whole = result(0.5, 1)
    whole.name, whole.fired = "light", {"whole": 0.5}
    with pytest.raises(ValueError, match="light: ran no stage .deep., but whole: draw it over"):
        accuracy_against_cost({"a": [whole]}, "fired")
    assert points(accuracy_against_cost({"a": [whole]}, "macs"))


@pytest.mark.parametrize("styles", [[], (), ["o", "s"], [("black",)]])
def test_lines_without_a_style(styles):
    """No style drew no line, without a word."""
    with pytest.raises(ValueError, match="give at least one pair of colour and marker"):
        curves({"a": [(0, 1)]}, "x", "y", styles=styles)


def test_styles_repeat():
    ax = curves({c: [(0, 1)] for c in "abc"}, "x", "y", styles=[("red", "o"), ("blue", "s")])
    assert [line.get_color() for line in ax.lines] == ["red", "blue", "red"]
