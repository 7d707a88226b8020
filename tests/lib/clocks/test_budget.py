"""Tuning on video without labels: budgets, tolerance, files."""

import json

import numpy as np
import pytest

from lib import schedule
from lib.clocks import paced
from lib.clocks.budget import Tuning, tune_clock
from lib.clocks.tuned_clock import TunedClock, TunedClockError, load_clock, schedules
from lib.evaluate import evaluate
from lib.stages import FCN8S, Stage
from tests.lib.clocks.test_replay import frames, net  # noqa: F401


@pytest.fixture(scope="module")
def clip(frames):  # noqa: F811
    """8 frames: still, then moving, then another scene."""
    upside_down = [frame[:, ::-1].copy() for frame in frames[:2]]
    return [(frame, None) for frame in [frames[0]] * 2 + frames[1:5] + upside_down]


@pytest.fixture(scope="module")
def tuned(net, clip):  # noqa: F811
    return {b: tune_clock(net, [clip], b, silent=True) for b in (0.4, 0.9)}


def cost(net, clock, clip):  # noqa: F811
    result = evaluate(clock, net, [clip], 4, silent=True)
    full = evaluate(schedule.per_frame, net, [clip], 4, silent=True)
    return result.macs_per_frame / full.macs_per_frame


@pytest.mark.parametrize("budget", [0.4, 0.9])
def test_clocks_are_within_the_budget_and_what_they_claim(net, clip, tuned, budget):  # noqa: F811
    oracle = [step.label for step in schedule.per_frame(net, [f for f, _ in clip])]
    found = tuned[budget]
    assert found.best in found.by_kind.values() and found.budget == budget
    for clock in found.by_kind.values():
        assert clock.share <= budget + 0.01
        run = clock.schedule(net)
        assert cost(net, run, clip) == pytest.approx(clock.share)
        labels = [step.label for step in run(net, [f for f, _ in clip])]
        if clock.agreement == 1:
            np.testing.assert_array_equal(labels, oracle)
        else:
            assert any((a != b).any() for a, b in zip(labels, oracle))
    assert found.best.agreement == max(clock.agreement for clock in found.by_kind.values())


def test_kinds_that_cannot_keep_the_budget_are_left_out(tuned):
    assert set(tuned[0.4].by_kind) == {"every", "moving"}  # shallow alone takes more
    assert {"accumulating", "fixed_rate"} <= set(tuned[0.9].by_kind)
    lines = tuned[0.9].table().splitlines()
    assert len(lines) == len(tuned[0.9].by_kind) and "<- best" in lines[0]


def test_the_best_is_better_than_to_repeat(tuned):
    for found in tuned.values():
        assert found.best.agreement >= found.by_kind["every"].agreement


def test_labels_are_not_used(net, clip, tuned):  # noqa: F811
    labelled = [(frame, np.zeros((96, 128), np.uint8)) for frame, _ in clip]
    again = tune_clock(net, labelled, 0.4, silent=True)
    assert again.best == tuned[0.4].best


def test_milliseconds(net, clip):  # noqa: F811
    found = tune_clock(net, [clip], 1e6, "ms", kinds=("every", "accumulating"), silent=True)
    assert found.best.share == pytest.approx(1) and found.best.agreement == 1
    assert set(found.best.notes["ms_by_stage"]) == {stage.name for stage in FCN8S}
    with pytest.raises(ValueError, match="no clock of adaptive takes 1e-06 ms or less"):
        tune_clock(net, [clip], 1e-6, "ms", kinds=("adaptive",), silent=True)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"budget": 0}, "above 0"),
        ({"budget": 50}, "share of the multiply-adds"),
        ({"budget": 0.5, "unit": "s"}, "unit='ms'"),
        ({"budget": 0.5, "kinds": ("evry",)}, "no kind of clock 'evry'"),
        ({"budget": 0.5, "clips": []}, "no frames"),
        ({"budget": 0.3, "kinds": ("adaptive",)}, "cheapest takes [0-9]+%.*first stage is cheaper"),
    ],
)
def test_what_cannot_be_tuned(net, clip, options, message):  # noqa: F811
    with pytest.raises(ValueError, match=message):
        tune_clock(net, **{"clips": [clip], "silent": True} | options)


def test_a_file_holds_the_clock(net, clip, tuned, tmp_path):  # noqa: F811
    for found in tuned.values():
        for clock in found.by_kind.values():
            clock.save(tmp_path / "clock.json")
            read = load_clock(tmp_path / "clock.json")
            assert read == clock and str(read) == str(clock)
            outputs = [
                [step.label.tobytes() for step in c.schedule(net)(net, [f for f, _ in clip])]
                for c in (clock, read)
            ]
            assert outputs[0] == outputs[1]
    content = json.loads((tmp_path / "clock.json").read_text())
    assert content["schedule"] in schedules() and content["stages"][0] == list(FCN8S[0])


def test_every_schedule_has_a_name():
    named = "per_frame every every_other fixed_rate alternating adaptive accumulating moving"
    named += " pipeline pipeline_2stage pipeline_3stage"
    assert set(schedules()) == set(named.split())
    assert schedules()["moving"] is paced.moving


CLOCK = {
    "schedule": "adaptive", "threshold": 0.1, "stages": [["a", "x", "y"]], "share": 0.5,
    "agreement": 0.9,
}  # fmt: skip


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", "cannot be read"),
        ("[" * 10**5, "cannot be read"),
        ("[1]", "no tuned clock"),
        (json.dumps(CLOCK | {"schedule": "os.system"}), "no schedule 'os.system': the schedules"),
        (json.dumps(CLOCK | {"schedule": ["every"]}), "no schedule"),
        (json.dumps(CLOCK | {"stages": "auto"}), "stages"),
        (json.dumps(CLOCK | {"stages": [["a", "b"]]}), "first layer, last layer"),
        (json.dumps(CLOCK | {"share": "half"}), '"share" is'),
        (json.dumps({k: v for k, v in CLOCK.items() if k != "agreement"}), '"agreement" is None'),
        (" " * (2**20 + 1), "cannot be read|no tuned clock"),
    ],
)
def test_damaged_files(tmp_path, content, message):
    path = tmp_path / "clock.json"
    path.write_text(content)
    with pytest.raises(TunedClockError, match=message) as error:
        load_clock(path)
    assert str(path) in str(error.value)
    with pytest.raises(TunedClockError, match="cannot be read"):
        load_clock(tmp_path / "missing.json")


def test_stages_of_another_net(fake_net):
    clock = TunedClock("adaptive", {"threshold": 0.1}, (Stage("a", "x", "y"),), 1.0, 1.0)
    with pytest.raises(ValueError, match="the layer 'x', which the net does not have"):
        clock.schedule(fake_net)


def test_frontier_shows_what_no_cheaper_clock_surpasses():
    from lib.plot.budget import frontier

    points = [(0.2, 0.5), (0.4, 0.8), (0.5, 0.7), (0.8, 0.9)]
    tried = tuple(TunedClock("every", {}, (), *point) for point in points)
    ax = frontier(Tuning(tried[1], {"every": tried[1]}, tried, 0.45))
    line = next(line for line in ax.lines if line.get_label() == "every")
    np.testing.assert_allclose(line.get_xydata(), [(20, 50), (40, 80), (80, 90)])
    [ring] = ax.collections
    np.testing.assert_allclose(ring.get_offsets(), [(40, 80)])
