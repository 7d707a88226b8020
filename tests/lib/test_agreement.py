from functools import partial

import numpy as np
import pytest

from lib import evaluate as evaluate_module
from lib import schedule
from lib.compare import agreement
from lib.evaluate import evaluate


@pytest.fixture(autouse=True)
def no_cost(monkeypatch, fake):
    monkeypatch.setattr(
        evaluate_module, "stage_cost", lambda net, stages: dict.fromkeys(fake.stages, 1)
    )


@pytest.fixture
def clips(fake):
    """Clips of 3 and 4 frames, 6 pixels each, without a label."""
    clip = type("Clip", (list,), {})
    clips = [clip((fake.frame(t), None) for t in range(length)) for length in (3, 4)]
    for number, made in enumerate(clips):
        made.name = f"shot {number}"
    return clips


@pytest.fixture
def run(fake_net):
    return partial(evaluate, net=fake_net, n_classes=256, keep=True, silent=True)


def frames_that_agree(result, oracle):
    hist = agreement(result, oracle, 256).hist
    return np.diag(hist).sum() / 6, hist.sum() / 6


def test_the_oracle_agrees_with_itself(run, clips):
    oracle = run(schedule.per_frame, clips=clips)
    assert oracle.n_labelled == 0
    assert agreement(oracle, oracle, 256).summary().mean_iu == 1
    assert frames_that_agree(oracle, oracle) == (7, 7)


def test_stale_frames_disagree(run, clips):
    oracle = run(schedule.per_frame, clips=clips)
    stale = run(schedule.every_other, clips=clips)
    assert frames_that_agree(stale, oracle) == (4, 7)  # frames 0 and 2 of each clip


def test_every_phase_is_compared_with_the_one_run_of_the_oracle(run, clips):
    oracle = run(schedule.per_frame, clips=clips)
    both = run(schedule.every_other, clips=clips, phases=(0, 1))
    assert frames_that_agree(both, oracle) == (4 + 2 + 3, 14)  # phase 1: frames 0, 1 and 0, 1, 3
    coin = run(schedule.every_other, clips=clips, phases=(0, 1), coin_flip=True, seed=1)
    agreeing, frames = frames_that_agree(coin, oracle)
    assert frames == 7 and agreeing in (4, 5)


def test_relabelled_maps_are_compared(run, clips):
    one_class = np.zeros(256, np.uint8)
    oracle = run(schedule.per_frame, clips=clips, relabel=one_class)
    stale = run(schedule.every_other, clips=clips, relabel=one_class)
    assert frames_that_agree(stale, oracle) == (7, 7)


def test_label_maps_that_were_not_kept(run, clips):
    oracle, kept_none = (
        run(schedule.per_frame, clips=clips),
        run(schedule.every_other, clips=clips, keep=False),
    )
    for pair in ((kept_none, oracle), (oracle, kept_none)):
        with pytest.raises(ValueError, match=r"every_other: .*keep=True"):
            agreement(*pair, 256)


def test_other_clips(run, clips):
    oracle = run(schedule.per_frame, clips=clips)
    for others, message in (
        (clips[:1], "1 runs of clips against 2"),
        (clips + clips[:1], "3 runs of clips against 2"),
        (clips[::-1], "run 1 is of 'shot 1', 4 frames, against 'shot 0', 3"),
        ([clips[0], clips[1][:2]], "run 2 is of None, 2 frames"),
    ):
        with pytest.raises(ValueError, match=f"same clips: {message}"):
            agreement(run(schedule.every_other, clips=others), oracle, 256)
