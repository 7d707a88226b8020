import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib.plot.classes import class_bars

NAMES, COLOURS = ("sky", "tree", "car"), np.eye(3, dtype=np.uint8) * 255


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_sorted_by_the_first_panel_in_the_colours_of_the_classes():
    fig = class_bars({"pixels (%)": [1, np.nan, 9], "IU (%)": [50, 60, np.nan]}, NAMES, COLOURS)
    first, second = fig.axes
    assert [text.get_text() for text in first.get_yticklabels()] == ["car", "sky", "tree"]
    assert [bar.get_width() for bar in first.patches[:2]] == [9, 1]
    assert first.patches[0].get_facecolor()[:3] == (0, 0, 1)
    assert np.isnan(second.patches[0].get_width()) and second.patches[1].get_width() == 50
    assert (first.get_xlabel(), second.get_xlabel()) == ("pixels (%)", "IU (%)")


def test_log_is_of_the_first_panel():
    fig = class_bars({"a": [1, 10, 0], "b": [1, 2, 3]}, NAMES, COLOURS, log=True)
    assert [ax.get_xscale() for ax in fig.axes] == ["log", "linear"]
    fig.canvas.draw()


def test_values_missing():
    with pytest.raises(ValueError, match="b: 2 values for 3 class names"):
        class_bars({"a": [1, 2, 3], "b": [1, 2]}, NAMES, COLOURS)
