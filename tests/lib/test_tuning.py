from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.tuning import firing_share, per_frame_recording, record_signatures, tune_threshold


@pytest.fixture
def clips():
    """Frames whose best channel changes in a growing share of 100 pixels."""
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
