import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from PIL import Image

from lib.plot.clock import filmstrip, timeline
from lib.schedule import Step

PALETTE = np.array([[255, 0, 0], [0, 255, 0]], np.uint8)
IMAGES = [Image.fromarray(np.full((4, 6, 3), 50 * t, np.uint8)) for t in range(2)]
ALL = ("shallow", "middle", "deep", "fuse")


def step(value, ran, then=()):
    return Step(np.full((4, 6), value, np.uint8), ran, then)


def cells(ax):
    """(filled, hatched) of each stage, first stage on top."""
    drawn = sorted((p for p in ax.patches if isinstance(p, Rectangle)), key=lambda p: -p.get_y())
    return [(to_rgb(p.get_facecolor()) != (1, 1, 1), bool(p.get_hatch())) for p in drawn]


def test_cells_tell_which_stages_ran_and_when():
    fig = filmstrip(
        IMAGES,
        {
            "pipeline": [step(0, ALL), step(1, ("shallow", "middle", "fuse"), ("deep",))],
            "other": [step(0, ALL), step(0, ())],
        },
        PALETTE,
    )
    grid = np.array(fig.axes).reshape(5, 2)
    assert [ax.get_title() for ax in grid[0]] == ["frame 0", "frame 1"]
    assert (grid[1, 1].images[0].get_array() == [0, 255, 0]).all()
    ran, late, idle = (True, False), (True, True), (False, False)
    assert cells(grid[2, 0]) == [ran] * 4
    assert cells(grid[2, 1]) == [ran, ran, late, ran]
    assert cells(grid[4, 1]) == [idle] * 4
    assert [grid[i, 0].get_ylabel() for i in (1, 3)] == ["pipeline", "other"]
    legend = [text.get_text() for text in fig.legends[0].get_texts()]
    assert legend == [*ALL, "ran after the output", "did not run"]


def test_what_no_stage_did_is_not_in_the_legend():
    fig = filmstrip(IMAGES, {"all": [step(0, ALL), step(1, ALL)]}, PALETTE)
    legend = [text.get_text() for text in fig.legends[0].get_texts()]
    assert legend == [*ALL, "did not run"]


def test_frames_are_numbered_from_the_first():
    fig = filmstrip(IMAGES, {"all": [step(0, ALL), step(1, ALL)]}, PALETTE, first=4)
    assert [fig.axes[t].get_title() for t in (0, 1)] == ["frame 4", "frame 5"]


def test_as_many_steps_as_images():
    with pytest.raises(ValueError, match="short: 1 steps for 2 images"):
        filmstrip(IMAGES, {"short": [step(0, ALL)]}, PALETTE)


def test_frames_run_and_scored():
    ax = timeline({"10": [(1, False), (11, True)], "5": [(1, True), (6, True)]}, last=12)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["10", "5"]
    run, scored, every = ax.lines[:3]
    assert (list(run.get_xdata()), list(scored.get_xdata())) == ([1], [11])
    assert list(every.get_xdata()) == list(range(1, 13))
    assert run.get_markerfacecolor() != scored.get_markerfacecolor()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["run", "run and scored", "frame of the shot"]
