"""Calls as a user may get them wrong: right, or an error with the fix; and what a change is."""

from functools import partial

import numpy as np
import pytest

from lib import evaluate as evaluate_module
from lib import schedule
from lib.augment import augment
from lib.class_stats import count_classes, stale_truth
from lib.compare import largest_difference
from lib.differences import label_change
from lib.evaluate import evaluate
from lib.labels import changed_share, label_map
from lib.layer_maps import change_rate, change_within
from lib.run_net import feed_net
from lib.schedule import Step
from lib.score_util import Scores, fast_hist
from lib.train import batches
from lib.tuning import every_phase, firing_share, tune_threshold

BEFORE = np.array([[0, 0, 1, 255, 255, 2]], np.uint8)
NOW = np.array([[0, 1, 1, 255, 0, 255]], np.uint8)  # 3 pixels labelled in both, one changed
THIRD = 1 / 3


def test_every_measure_of_change_leaves_out_unlabelled_pixels():
    assert changed_share(NOW, BEFORE) == label_change(NOW, BEFORE) == THIRD
    assert change_within([BEFORE, NOW], [np.ones((1, 6), bool)] * 2) == THIRD
    np.testing.assert_array_equal(change_rate([BEFORE, NOW]), [[0, 1, 0, *[np.nan] * 3]])
    assert 1 - stale_truth([[BEFORE, NOW]], (1,), 3)[1].summary().acc == pytest.approx(THIRD)
    unlabelled = np.full_like(NOW, 255)
    assert np.isnan(changed_share(unlabelled, NOW))
    assert largest_difference([unlabelled, BEFORE], [NOW, NOW]) == [1]
    assert changed_share(NOW, BEFORE, ignore=None) == 0.5  # of class maps of a net


@pytest.fixture(autouse=True)
def no_cost(monkeypatch, fake):
    costs = dict.fromkeys(fake.stages, 1)
    monkeypatch.setattr(evaluate_module, "stage_cost", lambda net, stages: costs)


@pytest.fixture
def clip(fake):
    return [(fake.frame(t), np.full((2, 3), 21 * t, np.uint8)) for t in range(4)]


@pytest.fixture
def run(fake_net):
    return partial(evaluate, net=fake_net, n_classes=256, silent=True)


def test_one_clip_and_a_generator_of_clips(run, clip):
    for clips in (clip, iter([clip]), [clip], (clip,)):
        assert run(schedule.per_frame, clips=clips).n_frames == 4


@pytest.mark.parametrize(
    "clips, message",
    [
        (None, "list of clips"),
        ([np.zeros((3, 2, 2))], "not a pair"),
        ([iter([])], "no length"),
        ([[]], "at least 1 frames"),
        ([[(np.zeros((3, 2, 3), np.uint8), None)]], "float"),
    ],
)
def test_what_are_no_clips(run, clips, message):
    with pytest.raises(ValueError, match=message):
        run(schedule.per_frame, clips=clips)


def at_once(net, frames):
    return [Step(np.zeros((2, 3), np.uint8), ()) for _ in frames]


def ahead(net, frames):
    yield from at_once(net, frames)


def too_few(net, frames):
    yield from at_once(net, [next(iter(frames))])


def bare(net, frames):
    for _ in frames:
        yield np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    "clock, message",
    [
        (at_once, "generator"),
        (ahead, "took 4 frames up to its Step 1"),
        (too_few, "1 Steps for 4 frames"),
        (bare, "yield lib.schedule.Step"),
        (3, "function"),
        (partial(schedule.adaptive, threshold=float("nan")), "threshold is nan"),
        (partial(schedule.adaptive, threshold=50), "0.5 if 50 %"),
        (partial(schedule.fixed_rate, rates={"deep": 2.5}), "whole numbers"),
        (partial(schedule.pipeline, cuts="deep"), "one text"),
    ],
)
def test_what_is_no_schedule(run, clip, clock, message):
    with pytest.raises(ValueError, match=message):
        run(clock, clips=[clip])


def test_frames_of_two_sizes_are_not_fused(fake_net, fake):
    frames = [fake.frame(0), fake.frame(1, (3, 4, 4))]
    assert len(list(schedule.per_frame(fake_net, frames))) == 2
    with pytest.raises(ValueError, match="two sizes"):
        list(schedule.alternating(fake_net, frames))


@pytest.mark.parametrize("target", [float("nan"), 50, -0.1, "half", None])
def test_targets_are_shares(target):
    with pytest.raises(ValueError, match="share from 0 to 1"):
        tune_threshold([[NOW, BEFORE]], target)


def test_signatures_of_one_clip():
    assert firing_share([NOW, NOW, BEFORE], 0.3) == firing_share([[NOW, NOW, BEFORE]], 0.3)
    with pytest.raises(ValueError, match="at least one clip"):
        firing_share([], 0.5)


def test_single_labels_are_not_rows():
    label = np.array([[0, 1], [1, 1]], np.uint8)
    assert count_classes(label, 2).labels == 1
    assert stale_truth([label, label], (1,), 2)[1].hist.tolist() == [[1, 0], [0, 3]]
    for call in (change_rate, lambda m: largest_difference(m, m)):
        with pytest.raises(ValueError, match="for each frame"):
            call(label)


def test_numbers_and_arrays_of_other_types(fake_net):
    output = np.array([[0, 1]], np.uint64)
    assert fast_hist(output, output, 2).tolist() == [[1, 0], [0, 1]]
    for call, message in (
        (lambda: Scores(10**6), "from 1 to 4096"),
        (lambda: label_map(np.full((2, 1, 1), np.nan)), "nan"),
        (lambda: label_map(np.zeros((257, 1, 1))), "256 classes"),
        (lambda: feed_net(fake_net, np.zeros((4, 5, 3))), "transpose"),
        (lambda: feed_net(fake_net, np.zeros((1, 3, 4, 5))), r"in_\[0\]"),
        (lambda: every_phase({"deep": 0}), "at least 1"),
        (lambda: next(batches(lambda rng: None, np.random.default_rng(0))), "a sample is"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"focus": 50}, "0.5 if 50 %"),
        ({"jitter": float("nan")}, "jitter is nan"),
        ({"scale": (0, 1)}, "above 0"),
        ({"crop": 4}, "two numbers"),
        ({"crop": (10**6, 10**6)}, "pixels of the crop"),
        ({"rng": 3}, "default_rng"),
    ],
)
def test_options_of_augment(options, message):
    options = {"rng": np.random.default_rng(0), "crop": (2, 2)} | options
    with pytest.raises(ValueError, match=message):
        augment(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), **options)
