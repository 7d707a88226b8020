import matplotlib.pyplot as plt
import pytest

from lib.plot.clock import timeline


@pytest.fixture(autouse=True)
def no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_frames_run_and_scored():
    ax = timeline({"10": [(1, False), (11, True)], "5": [(1, True), (6, True)]}, last=12)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["10", "5"]
    run, scored, every = ax.lines[:3]
    assert (list(run.get_xdata()), list(scored.get_xdata())) == ([1], [11])
    assert list(every.get_xdata()) == list(range(1, 13))
    assert run.get_markerfacecolor() != scored.get_markerfacecolor()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["run", "run and scored", "frame of the shot"]
