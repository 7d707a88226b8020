"""The comparison of clocks, and tuned clocks on real frames that they were not tuned on."""

from types import SimpleNamespace

import numpy as np
import pytest

from notebooks import clock_table
from notebooks.clock_table import firings, nearest, since, summed


class Clip(clock_table.Recorded):
    """A clip of which only the class maps are known: 10 cells, `bright[t]` of them of class 1."""

    def __init__(self, *bright):
        self.frames, self._known = bright, {}
        maps = [(np.arange(10) < count).astype(np.uint8)[None] for count in bright]
        self.maps = {"score_pool3": maps, "score_pool4": maps[::-1]}


@pytest.mark.parametrize(
    "rule, fired",
    [
        ({"measure": since("score_pool3"), "threshold": 0.4}, [0, 2, 5]),
        ({"measure": summed("score_pool3"), "threshold": 0.4}, [0, 2, 4, 5]),
        ({"measure": since("score_pool3"), "threshold": 9, "oldest": 3}, [0, 3, 6]),
        ({"measure": since("score_pool3"), "threshold": 0.4, "keep": 0.5}, [0, 2, 3, 4, 5, 6]),
    ],
)
def test_rules_fire_where_one_counts(rule, fired):
    clip = Clip(0, 2, 4, 2, 4, 0, 2)
    assert [t for t, fires in enumerate(firings(clip, **rule)) if fires] == fired


def test_the_nearest_threshold():
    assert nearest(lambda x: 1 / (1 + x), 0.5, 100) == pytest.approx(1, rel=0.01)
    steps = nearest(lambda x: 0.9 if x < 3 else 0.2, 0.3, 100)
    assert steps >= 3


def test_unknown_data(capsys, monkeypatch):
    with pytest.raises(SystemExit):
        clock_table.main(["camvids"])
    assert "choose of camvid" in capsys.readouterr().err
    monkeypatch.setenv("CLOCKWORK_CAMVID", "/nowhere")
    assert clock_table.main(["camvid"]) == 1
    assert "camvid is left out" in capsys.readouterr().err


@pytest.fixture
def halves(request, shared_folder, tmp_path):
    """(net, clips to tune on, other clips of the same kind) of CamVid or DAVIS."""
    caffe = pytest.importorskip("caffe")
    from datasets import davis
    from datasets.camvid import camvid
    from datasets.youtube import youtube
    from nets.weights import find_net, find_weights

    if request.param == "camvid":
        [clip] = camvid(shared_folder("camvid")).clips("val")
        tune, other, name = [clip[:50]], [clip[50:]], "camvid-fcn8s-light"
    else:
        root = davis.arrange(shared_folder("samples/davis"), tmp_path / "davis")
        tune, other = (youtube(root).clips(1, split, 1, "voc") for split in ("train", "test"))
        name = "davis-fcn8s-light"
    net = caffe.Net(find_net(f"stage-{name}"), find_weights(name), caffe.TEST)
    return SimpleNamespace(net=net, tune=tune, other=other)


@pytest.mark.slow
@pytest.mark.xfail(
    strict=True,
    reason="moving takes .353 for .30 on CamVid (chosen without an account), .469 for .50 on DAVIS",
)
@pytest.mark.parametrize("halves", ["camvid", "davis"], indirect=True)
def test_a_budget_is_kept_on_other_frames(halves):
    from lib import schedule
    from lib.clocks.budget import tune_clock
    from lib.clocks.replay import Replay
    from lib.evaluate import evaluate
    from lib.stages import FCN8S

    full = evaluate(schedule.per_frame, halves.net, halves.other, 21, silent=True).macs_per_frame
    for budget in (0.3, 0.5, 0.75, 0.95):
        kinds = ("adaptive", "accumulating", "moving")
        found = tune_clock(halves.net, halves.tune, budget, kinds=kinds, silent=True)
        for kind, clock in found.by_kind.items():
            run = clock.schedule(halves.net)
            result = evaluate(run, Replay(halves.net, FCN8S), halves.other, 21, silent=True)
            print(kind, budget, result.macs_per_frame / full)
            assert result.macs_per_frame / full == pytest.approx(budget, abs=0.03), (kind, clock)
