import numpy as np
import pytest

from lib.differences import Differences
from lib.plot.differences import growth, layer_means, traces


@pytest.fixture
def shot():
    return Differences(
        "boat",
        {"score": np.array([0.1, 0.3]), "label": np.array([np.nan, 0.5])},
        {"data": np.array([1.0, 0.5]), "score": np.array([0.5, 0.25])},
    )


def lines(ax):
    return {
        line.get_label(): list(zip(*map(list, line.get_data()), strict=True)) for line in ax.lines
    }


def colours(ax):
    return {line.get_label(): (line.get_color(), line.get_marker()) for line in ax.lines}


def test_traces_are_over_frame_numbers(shot):
    ax = traces(shot)
    assert lines(ax)["score"] == [(1, 10), (2, 30)]
    assert lines(ax)["label"][1] == (2, 50) and np.isnan(lines(ax)["label"][0][1])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("frame number", "pixels that changed class (%)")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["score", "label"]
    assert ax.get_ylim()[0] == 0


def test_a_layer_keeps_its_colour_and_marker(shot):
    changed, relative = colours(traces(shot)), colours(traces(shot, "relative"))
    assert changed["score"] == relative["score"]
    assert len({*changed.values(), *relative.values()}) == 3


def test_layers_without_a_measurement_are_left_out(shot):
    shot.argmax["label"][:] = np.nan
    assert list(lines(traces(shot))) == ["score"]
    assert [t.get_text() for t in layer_means([shot]).get_yticklabels()] == ["score"]


def test_means_with_standard_deviation(shot):
    ax = layer_means([shot, shot], "relative")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["data", "score"]
    assert ax.get_xlabel() == "relative change of values"
    marks, bars = zip(*[(c.lines[0], c.lines[2][0]) for c in ax.containers], strict=True)
    assert [m.get_xydata().tolist() for m in marks] == [[[0.75, 0]], [[0.375, 1]]]
    np.testing.assert_allclose(bars[0].get_segments()[0][:, 0], [0.5, 1])
    percent = layer_means([shot])
    assert percent.containers[0].lines[0].get_xdata() == pytest.approx([20])


def test_unknown_measures(shot):
    with pytest.raises(ValueError, match="no measure 'l2': choose one of argmax, relative"):
        traces(shot, "l2")
    with pytest.raises(ValueError, match="choose one of argmax, relative"):
        layer_means([shot], "l2")
    with pytest.raises(ValueError, match="at least one shot"):
        layer_means([])


def test_growth_is_over_the_distance_of_frames(shot):
    other = Differences(
        "boat",
        {"score": np.array([0.5]), "label": np.array([np.nan])},
        {"data": np.array([1.0]), "score": np.array([1.0])},
    )
    ax = growth({5: [other], 1: [shot]})
    assert lines(ax) == {"score": [(1, 20), (5, 50)]}  # the label was not measured over 5
    assert colours(ax)["score"] == colours(traces(shot))["score"]
    assert ax.get_xlabel() == "distance between frames (frames)"
    assert ax.get_xticks().tolist() == [1, 5]
    assert lines(growth({5: [other], 1: [shot]}, "relative"))["data"] == [(1, 0.75), (5, 1)]
    with pytest.raises(ValueError, match="no measure 'mean'"):
        growth({1: [shot]}, "mean")
