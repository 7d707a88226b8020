import numpy as np
import pytest

from lib.plot.classes import class_bars, confusion_map, swatches

NAMES, COLOURS = ("sky", "tree", "car"), np.eye(3, dtype=np.uint8) * 255


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


HIST = np.array([[97, 3, 0, 0], [10, 30, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_rows_are_shares_of_the_classes_that_occur():
    ax = confusion_map(HIST, ["sky", "tree", "car", "bus"]).axes[0]
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.97, 0.03], [0.25, 0.75]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["sky", "tree"]
    assert [text.get_text() for text in ax.texts] == ["97", "25", "75"]  # 3 % is too little
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("output", "truth")


def test_a_class_that_is_given_but_never_true():
    hist = HIST.copy()
    hist[0, 2] = 100
    ax = confusion_map(hist, ["sky", "tree", "car", "bus"]).axes[0]
    assert ax.images[0].get_array()[2].tolist() == [0, 0, 0]


def test_names_missing():
    with pytest.raises(ValueError, match="2 class names for a matrix of 4 classes"):
        confusion_map(HIST, ["sky", "tree"])


def test_a_swatch_and_a_name_each():
    fig = swatches(["sky", "tree", "car"], np.eye(4, 3, dtype=np.uint8) * 255, columns=2)
    (ax,) = fig.axes
    assert [text.get_text() for text in ax.texts] == ["0  sky", "1  tree", "2  car"]
    assert [patch.get_facecolor()[:3] for patch in ax.patches] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    corners = [patch.get_xy() for patch in ax.patches]
    assert corners[0][1] == corners[1][1] > corners[2][1]  # two in the first row


def test_colours_missing():
    with pytest.raises(ValueError, match="3 class names for 2 colours"):
        swatches(["a", "b", "c"], np.zeros((2, 3), np.uint8))
