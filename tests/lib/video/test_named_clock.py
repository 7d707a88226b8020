"""Clocks by name, from files, and for a budget."""

import json

import numpy as np
import pytest

from lib.cost import stage_cost
from lib.schedule import Step
from lib.stages import FCN8S, Stage
from lib.video.budget import clock_within, merge, sample
from lib.video.clip import open_clip
from lib.video.named_clock import ClockError, clock_from, every_nth, named_clock, read_clock
from tests.lib.video.movies import make_movie


@pytest.fixture(scope="module")
def net(card):
    import caffe

    return caffe.Net(
        str(card.with_name("small.prototxt")), str(card.with_name("small.caffemodel")), caffe.TEST
    )


def test_names_and_options(net):
    clock = named_clock("adaptive", FCN8S, threshold=0.25)
    assert clock.name == "adaptive(threshold=0.25)" and clock.stages == FCN8S
    frames = [np.zeros((3, 48, 64), np.float32)] * 2
    assert [step.ran for step in clock.run(net, frames)] == [
        ("shallow", "middle", "deep", "fuse"),
        ("shallow", "middle", "fuse"),
    ]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fast", {}, "no schedule 'fast': the schedules are adaptive, "),
        ("adaptive", {}, "needs the option 'threshold'"),
        ("per_frame", {"threshold": 0.1}, "has no option 'threshold'"),
        ("adaptive", {"threshold": 0.1, "net": 3}, "has no option 'net'"),
    ],
)
def test_no_such_clock(name, options, message):
    with pytest.raises(ClockError, match=message):
        named_clock(name, FCN8S, **options)


def test_from_a_file(net, tmp_path):
    stages = [["a", "conv1_1", "score_pool4"], ["b", "conv5_1", "upscore2"]]
    stages.append(["c", "score_pool4c", "score"])
    entries = {"schedule": "fixed_rate", "rates": {"b": 2}, "stages": stages, "agreement": 0.9}
    (tmp_path / "c.json").write_text(json.dumps(entries))
    clock = clock_from(read_clock(tmp_path / "c.json"), net, FCN8S)
    frames = [np.zeros((3, 48, 64), np.float32)] * 3
    ran = [step.ran for step in clock.run(net, frames)]
    assert ran == [("a", "b", "c"), ("a", "c"), ("a", "b", "c")]
    assert clock.stages[1] == Stage("b", "conv5_1", "upscore2")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schedule": 3}', "\0", "[" * 10**5, '{"schedule": "adaptive"']
)
def test_a_file_that_is_no_clock(tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(ClockError, match="c.json"):
        read_clock(tmp_path / "c.json")


@pytest.mark.parametrize(
    "entries",
    [
        {"schedule": "fast"},
        {"schedule": "adaptive"},
        {"schedule": "per_frame", "stages": [["a", "conv1_1", "nowhere"]]},
        {"schedule": "per_frame", "stages": [["a", "b"]]},
        {"schedule": "per_frame", "period_of_all": 0},
    ],
)
def test_entries_that_do_not_fit(net, entries):
    with pytest.raises(ClockError, match="my.json"):
        clock_from(entries, net, FCN8S, "my.json")


def test_every_nth_frame():
    def clock(net, frames):
        for frame in frames:
            yield Step(np.uint8([[frame]]), ran=("all",))

    steps = list(every_nth(None, range(7), clock, 3))
    assert [int(step.label[0, 0]) for step in steps] == [0, 0, 0, 3, 3, 3, 6]
    assert [step.ran for step in steps] == [("all",), (), (), ("all",), (), (), ("all",)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    def noise(number, size):
        return np.random.default_rng(number // 2).integers(0, 256, (*size, 3), np.uint8)

    path = make_movie(tmp_path_factory.mktemp("m") / "noise.mp4", frames=90, paint=noise)
    return open_clip(path, (48, 64), (0, 0, 0))


def test_pieces_of_a_clip(clip):
    pieces = sample(clip)
    assert [len(piece) for piece in pieces] == [16, 16, 16]
    times = [time for piece in pieces for time in piece.times]
    assert times == sorted(times) and times[0] > 0 and len(set(times)) == 48
    assert [len(piece) for piece in sample(clip[:9])] == [9]


def test_merged_stages():
    assert [stage.name for stage in merge(FCN8S, 1)] == ["shallow", "middle+deep", "fuse"]
    assert merge(FCN8S, 2) == FCN8S


@pytest.mark.parametrize("share", [1.0, 0.9, 0.7, 0.5, 0.2])
def test_a_budget_is_kept(net, clip, share):
    entries = clock_within(net, sample(clip), share, FCN8S)
    clock = clock_from(json.loads(json.dumps(entries)), net, FCN8S)
    ran = [name for step in clock.run(net, [in_ for in_, _ in clip]) for name in step.ran]
    costs = stage_cost(net, clock.stages)
    taken = sum(map(costs.get, ran)) / (len(clip) * sum(costs.values()))
    assert taken <= share + 0.06  # of few frames, and none of those that it was tuned on alone
    assert entries["share"] <= share + 0.03


def test_a_budget_of_nothing(net, clip):
    with pytest.raises(ClockError, match="above 0"):
        clock_within(net, [clip], 0, FCN8S)
    with pytest.raises(ClockError, match="1 stages"):
        clock_within(net, [clip], 0.5, [Stage("whole", "conv1_1", "score")])
