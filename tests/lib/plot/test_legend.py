import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib.plot.classes import swatches


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


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
