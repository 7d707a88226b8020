import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from lib.plot.masks import grid


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_pictures_in_rows():
    red = np.zeros((4, 8, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    fig = grid([red, Image.fromarray(red), np.eye(4)], ["a", "b", "c"], columns=2)
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c", ""]
    assert not fig.axes[3].axison and fig.axes[2].images[0].get_clim() == (0, 1)
    np.testing.assert_array_equal(fig.axes[1].images[0].get_array(), red)
    assert grid([np.eye(4) / 8], white=0.25).axes[0].images[0].get_clim() == (0, 0.25)


def test_titles_missing():
    with pytest.raises(ValueError, match="1 titles for 2 pictures"):
        grid([np.eye(2), np.eye(2)], ["a"])
    with pytest.raises(ValueError, match="at least one picture"):
        grid([])
