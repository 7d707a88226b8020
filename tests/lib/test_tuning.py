from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.tuning import (
    changes_over,
    choose_rates,
    every_phase,
    firing_share,
    per_frame_recording,
    record_signatures,
    tune_threshold,
)


@pytest.fixture
def clips():
    """Clips of frames whose best channel drifts, in 100 pixels."""
    rng = np.random.default_rng(0)

    def frame(bright):
        in_ = np.zeros((3, 10, 10), np.float32)
        in_[0] = 1
        in_[2, bright > 0.5] = 2
        return in_

    def clip():
        field = rng.random((10, 10))
        for _ in range(20):
            field += rng.normal(0, 0.1, field.shape)
            yield frame(field), None

    return [list(clip()) for _ in range(3)]


@pytest.mark.parametrize("threshold", [0, 0.1, 0.2, 0.3, 0.5, 1.1])
def test_simulated_clock_fires_as_the_real_one(fake_net, clips, threshold):
    signatures = record_signatures(fake_net, clips, silent=True)
    clock = partial(schedule.adaptive, threshold=threshold)
    fired = ["deep" in step.ran for clip in clips for step in clock(fake_net, [f for f, _ in clip])]
    assert firing_share(signatures, threshold) == np.mean(fired)


def test_recording_runs_only_what_comes_before_the_gated_stage(fake_net, fake, clips):
    signatures = record_signatures(fake_net, clips, silent=True)
    assert [len(clip) for clip in signatures] == [20, 20, 20]
    assert set(fake_net.ranges) == {fake.stages["shallow"], fake.stages["middle"]}


def test_the_oracle_records_as_it_runs(fake_net, clips):
    signatures = []
    for clip in clips:
        frames = [in_ for in_, _ in clip]
        steps = list(per_frame_recording(fake_net, frames, signatures))
        oracle = list(schedule.per_frame(fake_net, frames))
        assert [step.ran for step in steps] == [step.ran for step in oracle]
        np.testing.assert_array_equal([s.label for s in steps], [s.label for s in oracle])
    np.testing.assert_array_equal(signatures, record_signatures(fake_net, clips, silent=True))


@pytest.mark.parametrize("target", [0.1, 0.33, 0.5, 0.9])
def test_tuned_threshold_fires_nearest_to_the_target(fake_net, clips, target):
    signatures = record_signatures(fake_net, clips, silent=True)
    threshold, share = tune_threshold(signatures, target)
    assert share == firing_share(signatures, threshold)
    best = min(abs(firing_share(signatures, t) - target) for t in np.linspace(0, 1, 201))
    assert abs(share - target) <= best + 1 / 60  # one frame of the 60


def test_nothing_to_tune_on():
    with pytest.raises(ValueError, match="at least one clip"):
        tune_threshold([])


def clip(*bright):
    """Return frames of 10 pixels; in frame t the best class is 2 in bright[t] of them, else 0."""
    frames = np.zeros((len(bright), 3, 2, 5), np.float32)
    frames[:, 0] = 1
    for frame, count in zip(frames, bright, strict=True):
        frame[2].flat[:count] = 2
    return [(frame, None) for frame in frames]


def test_changes_over_frames_are_means_over_pairs(fake_net):
    changes = changes_over(fake_net, [clip(0, 1, 3, 6), clip(5, 5)], (1, 2, 3, 4), silent=True)
    assert list(changes) == ["shallow", "middle", "deep"]
    for shares in changes.values():
        assert list(shares) == [1, 2, 3]  # no clip is longer than 4 frames
        np.testing.assert_allclose(list(shares.values()), [0.6 / 4, 0.8 / 2, 0.6])


def test_only_scores_of_the_stages_are_computed(fake_net, fake):
    changes_over(fake_net, [clip(0, 1)], silent=True)
    assert set(fake_net.ranges) == {fake.stages[name] for name in ("shallow", "middle", "deep")}


CHANGES = {
    "shallow": {1: 0.2, 2: 0.3, 4: 0.4, 8: 0.6},
    "middle": {1: 0.1, 2: 0.15, 4: 0.3, 8: 0.5},
    "deep": {1: 0.02, 2: 0.03, 4: 0.06, 8: 0.12},
}


@pytest.mark.parametrize(
    "share, middle, deep",
    [(0, 1, 1), (0.05, 1, 2), (0.1, 1, 4), (0.2, 2, 8), (0.3, 4, 8), (1, 8, 8)],
)
def test_the_longest_period_that_changes_no_more(share, middle, deep):
    assert choose_rates(CHANGES, share) == {"shallow": 1, "middle": middle, "deep": deep}


def test_a_longer_period_does_not_pass_a_shorter_that_changes_more():
    swinging = {"shallow": {}, "deep": {1: 0.1, 2: 0.4, 4: 0.1}}
    assert choose_rates(swinging, 0.2)["deep"] == 1


def test_no_stage_rests_longer_than_the_next_deeper_one():
    swapped = CHANGES | {"middle": CHANGES["deep"], "deep": CHANGES["middle"]}
    assert choose_rates(swapped, 0.2) == {"shallow": 1, "middle": 2, "deep": 2}


def test_rates_drive_the_clock(fake_net):
    video = clip(*range(9))
    rates = choose_rates(changes_over(fake_net, [video], (1, 2, 4), silent=True), 0.2)
    assert rates == {"shallow": 1, "middle": 2, "deep": 2}
    steps = schedule.fixed_rate(fake_net, [frame for frame, _ in video], rates)
    assert [t for t, step in enumerate(steps) if "deep" in step.ran] == [0, 2, 4, 6, 8]


def test_every_phase_gives_each_stage_each_age(fake_net):
    rates, ages = {"shallow": 1, "middle": 2, "deep": 4}, []
    frames = [frame for frame, _ in clip(*range(8))]
    for phase in every_phase(rates):
        steps = schedule.fixed_rate(fake_net, frames, rates, phase)
        ran = [t for t, step in enumerate(steps) if "deep" in step.ran]
        ages.append(7 - ran[-1])
    assert sorted(ages) == [0, 1, 2, 3]
    assert every_phase({"deep": 1}) == [{"deep": 0}]


def test_wrong_periods_and_shares(fake_net):
    with pytest.raises(ValueError, match="no clip is longer than the shortest period, 2 frames"):
        changes_over(fake_net, [clip(0, 1)], (2, 4), silent=True)
    with pytest.raises(ValueError, match="at least 1 frame"):
        changes_over(fake_net, [clip(0, 1)], (0, 1))
    with pytest.raises(ValueError, match="share 25"):
        choose_rates(CHANGES, 25)
    with pytest.raises(ValueError, match="0 stages"):
        choose_rates({}, 0.2)
