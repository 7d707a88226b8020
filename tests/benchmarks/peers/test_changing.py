"""Frames of which a part changes: windows, and what they cost."""

import numpy as np
import pytest

from benchmarks.peers import changing


@pytest.mark.parametrize(
    "share, window",
    [(0, ((50, 50), (100, 100))), (0.25, ((25, 75), (50, 150))), (1, ((0, 100), (0, 200)))],
)
def test_square_in_the_middle(share, window):
    assert changing.square(share, 100, 200) == window


def test_points_by_hand():
    seconds, reached = {"frame": 2.0}, {}
    for share in changing.SHARES:
        seconds |= {f"changed {share:g}": 0.5, f"changed {share:g} without deep": 0.1}
        reached[f"changed {share:g}"] = round(60 * share)
    found = {point["share"]: point for point in changing.points(seconds, reached, 100)}
    half = found[0.5]
    assert half["speedup"] == 4 and half["speedup_without_deep"] == 20
    assert half["reached"] == 0.3 and half["bound"] == 1 and half["time_over_bound"] == 0.5
    assert found[0.0]["time_over_bound"] is None and found[1.0]["time_over_bound"] == 0.25


def test_calls_give_the_scores_of_a_full_forward(tiny):
    engine = changing.changing(tiny, 1)
    first, second = np.load(tiny / "frames.npy")
    engine.feed(first)
    engine.calls["changed 0.05"]()
    engine.feeds["changed 0.05"](second)
    part = engine.calls["changed 0.05"]().copy()
    whole = engine.calls["frame"]()
    np.testing.assert_allclose(part, whole, rtol=0, atol=2e-5 * np.abs(whole).max())
    engine.feed(first)
    assert np.abs(engine.calls["frame"]() - part).max() > 1e-3 * np.abs(whole).max()
    assert engine.facts["changed 0"] == 0 < engine.facts["changed 0.05"]
    assert engine.facts["changed 0.05 without deep"] < engine.facts["changed 0.05"]
