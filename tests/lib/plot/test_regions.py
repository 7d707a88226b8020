from types import SimpleNamespace

import numpy as np
import pytest

from lib.plot.regions import RIGHT, WRONG, paint_errors, region_bars, wrong_share
from lib.score_util import Summary


def result(name, all_pixels, region):
    scores, region_scores = (
        SimpleNamespace(summary=lambda iu=iu: Summary(0, 0, iu, 0)) for iu in (all_pixels, region)
    )
    return SimpleNamespace(name=name, scores=scores, region_scores=region_scores)


def test_two_panels_a_mark_each():
    fig = region_bars(
        {
            "slow": [result("oracle", 0.5, 0.25), result("late", 0.4, 0.2)],
            "fast": [result("oracle", 0.5, 0.25), result("late", 0.3, 0.1)],
        },
        "edges",
    )
    assert [ax.get_title() for ax in fig.axes] == ["all pixels", "edges"]
    marks = [[line.get_xdata().tolist() for line in ax.lines] for ax in fig.axes]
    np.testing.assert_allclose(marks, [[[50, 40], [50, 30]], [[25, 20], [25, 10]]])
    assert [text.get_text() for text in fig.axes[0].get_yticklabels()] == ["oracle", "late"]
    assert fig.axes[0].get_xlabel() == "mean IU (%)"
    assert [text.get_text() for text in fig.legends[0].get_texts()] == ["slow", "fast"]
    looks = {(line.get_color(), line.get_marker()) for line in fig.axes[0].lines}
    assert len(looks) == 2


def test_bars_of_other_schedules():
    with pytest.raises(ValueError, match="fast: holds .'late'., the first .'oracle'."):
        region_bars(
            {"slow": [result("oracle", 0.5, 0.2)], "fast": [result("late", 0.5, 0.2)]}, "edges"
        )


def test_errors_are_coloured_in_the_region_only():
    image = np.full((1, 4, 3), 100, np.uint8)
    label, out = np.array([[1, 1, 255, 1]], np.uint8), np.array([[1, 0, 0, 0]], np.uint8)
    region = np.array([[True, True, True, False]])
    painted = paint_errors(image, label, out, region)
    assert painted.dtype == np.uint8
    assert painted[0].tolist() == [list(RIGHT), list(WRONG), [200] * 3, [200] * 3]


def test_errors_of_another_size():
    label = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match=r"sizes differ: image \(2, 2\).* output \(2, 3\)"):
        paint_errors(np.zeros((2, 2, 3), np.uint8), label, np.zeros((2, 3), np.uint8), label > 0)


def test_share_of_wrong_pixels_in_the_region():
    label, out = np.array([[1, 1, 255, 1]], np.uint8), np.array([[1, 0, 0, 0]], np.uint8)
    assert wrong_share(label, out, lambda label: np.array([[True, True, True, False]])) == 0.5
    assert wrong_share(label, out, lambda label: label == 2) == 0
