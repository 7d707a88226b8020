import matplotlib.pyplot as plt
import numpy as np
import pytest

from lib.plot.classes import confusion_map

HIST = np.array([[97, 3, 0, 0], [10, 30, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


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
