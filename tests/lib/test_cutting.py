import numpy as np
import pytest

from lib import cutting
from lib.cutting import as_stages, auto_stages, cut_at, layer_seconds, stage_names
from lib.stages import FCN8S, Stage
from tests.lib.net_with_own_names import OwnNet


class Chain(OwnNet):
    """Layers l0 .. l7 in a row; the last joins the blob of l1 if `skip`."""

    def __init__(self, skip=False):
        super().__init__()
        self._layer_names = ["in", *(f"l{i}" for i in range(8))]
        self.top_names = {"in": ["x"]} | {f"l{i}": [f"b{i}"] for i in range(8)}
        self.bottom_names = {"in": [], "l0": ["x"]} | {f"l{i}": [f"b{i - 1}"] for i in range(1, 8)}
        if skip:
            self.bottom_names["l7"] = ["b1", "b6"]
        self.params = dict.fromkeys(self._layer_names[1:], [])

    def forward(self, start=None, end=None):
        self.ran.append((start, end))


def test_cuts_by_layer_give_ranges_that_cover_the_net():
    expected = (Stage("shallow", "first", "double"), Stage("deep", "second", "join"))
    assert cut_at(OwnNet(), ["second"]) == expected
    assert as_stages(OwnNet(), ["first", "second"]) == expected
    named = as_stages(OwnNet(), {"front": "first", "back": "join"})
    assert named == (Stage("front", "first", "second"), Stage("back", "join", "join"))
    assert cut_at(OwnNet(), [], ["all"]) == (Stage("all", "first", "join"),)


def test_stages_stay_as_they_are(fake_net):
    assert as_stages(fake_net, FCN8S) == FCN8S
    assert as_stages(fake_net, list(FCN8S)) == FCN8S


@pytest.mark.parametrize(
    "stages, message",
    [
        (["third"], "no layer 'third' to cut at, its layers are input, first"),
        (["join", "second"], "not in the order of the net.*second, join"),
        (["second", "second"], "give each layer once"),
        (["double"], "work in place on one blob: cut before 'first'"),
        ({"a": "first", "b": "nowhere"}, "no layer 'nowhere'"),
        ("automatic", "give a sequence"),
        (("auto", 2.5), "a number of stages"),
        (("auto", 9), "cannot be cut into 9 stages.*at most 3"),
        ([], "give at least one"),
        (FCN8S, "names the layer 'conv1_1'"),
    ],
)
def test_cuts_that_do_not_fit(stages, message):
    with pytest.raises(ValueError, match=message):
        as_stages(OwnNet(), stages)


def test_names_must_be_as_many_as_stages():
    with pytest.raises(ValueError, match="3 names for 2 stages, which begin with first, second"):
        cut_at(OwnNet(), ["second"], ["a", "b", "c"])


def test_names_by_number():
    assert stage_names(1) == ["whole"] and stage_names(2) == ["shallow", "deep"]
    assert stage_names(3) == ["shallow", "deep", "fuse"]
    assert stage_names(4) == [stage.name for stage in FCN8S]
    assert stage_names(6)[1:4] == ["middle1", "middle2", "middle3"]


def test_equal_shares_of_the_cost():
    costs = {f"l{i}": c for i, c in enumerate([4, 1, 1, 2, 1, 1, 1, 1])}
    starts = [stage.start for stage in auto_stages(Chain(), 3, costs)]
    assert starts == ["l0", "l1", "l4"]  # 4, 4 and 4
    assert [s.start for s in auto_stages(Chain(), 1, costs)] == ["l0"]
    assert len(auto_stages(Chain(), None, costs)) == 4


def brute_force(costs, n):
    """The least cost of the dearest of n parts, by trying all."""
    from itertools import combinations

    return min(
        max(sum(part) for part in np.split(np.array(costs), list(cuts)))
        for cuts in combinations(range(1, len(costs)), n - 1)
    )


@pytest.mark.parametrize("seed", range(10))
def test_no_other_cut_is_more_even(seed):
    rng = np.random.default_rng(seed)
    costs, n = rng.integers(1, 20, 8), int(rng.integers(2, 7))
    stages = auto_stages(Chain(), n, {f"l{i}": c for i, c in enumerate(costs)})
    first = [int(stage.start[1:]) for stage in stages]
    parts = np.split(costs, first[1:])
    assert max(part.sum() for part in parts) == brute_force(costs, n)
    assert [stage.end for stage in stages] == [*(f"l{i - 1}" for i in first[1:]), "l7"]


def test_what_joins_early_and_late_features_is_the_last_stage():
    stages = auto_stages(Chain(skip=True), 3, dict.fromkeys([f"l{i}" for i in range(8)], 1))
    assert stages[-1] == Stage("fuse", "l7", "l7")
    without = auto_stages(Chain(), 3, dict.fromkeys([f"l{i}" for i in range(8)], 1))
    assert without[-1].start != "l7"


def test_layers_in_place_are_not_cut_off():
    for n in (2, 3):
        starts = [s.start for s in auto_stages(OwnNet(), n, {"first": 1, "double": 9, "second": 1})]
        assert "double" not in starts


def test_automatic_stages_are_measured_once(monkeypatch):
    net, times = Chain(), iter([{"l0": 5, "l7": 1, "l3": 3}, {"l0": 1, "l1": 9, "l7": 9}])
    monkeypatch.setattr(cutting, "layer_seconds", lambda net: next(times))
    first = as_stages(net, "auto")
    assert as_stages(net, "auto") is first
    assert as_stages(net, ("auto", 2)) != first  # another number is another measurement


def test_seconds_are_those_of_single_layers():
    net = OwnNet()
    seconds = layer_seconds(net, repeats=2)
    assert seconds["input"] == 0 and seconds["first"] > 0 and list(seconds) == net._layer_names
    assert net.ran[5:] == ["first"] * 2 + ["double"] * 2 + ["second"] * 2 + ["join"] * 2


def test_costs_must_be_some():
    with pytest.raises(ValueError, match="cost nothing"):
        auto_stages(Chain(), 2, {})


def test_fcn8s_is_cut_at_its_fusion():
    caffe = pytest.importorskip("caffe")
    from lib.cost import multiply_adds
    from nets.weights import find_net

    net = caffe.Net(find_net("stage-camvid-fcn8s-light"), caffe.TEST)
    stages = auto_stages(net, 4, multiply_adds(net))
    assert stages[-1] == Stage("fuse", "score_pool4c", "score")
    assert [stage.name for stage in stages] == [stage.name for stage in FCN8S]
