from functools import partial

import numpy as np
import pytest

from lib import evaluate as evaluate_module
from lib import schedule
from lib.compare import agreement, frame_scores, largest_difference, largest_differences
from lib.evaluate import Result, evaluate
from lib.score_util import Scores


def maps_that_differ(counts):
    """Two lists of label maps of 10 pixels; frame t differs in counts[t] of them."""
    blank = [np.zeros((2, 5), np.uint8) for _ in counts]
    return blank, [(np.arange(10) < n).reshape(2, 5).astype(np.uint8) for n in counts]


def test_the_largest_differences_in_order_of_time_and_apart():
    maps, others = maps_that_differ([1, 2, 9, 8, 0, 3, 7])
    assert largest_difference(maps, others) == [2]
    assert largest_difference(maps, others, count=2) == [2, 6]  # 3 is too near to 2
    assert largest_difference(maps, others, count=2, apart=1) == [2, 3]
    assert largest_difference(maps, others, count=9) == [2, 6]  # there are no more in the clip
    assert largest_difference(maps, others, count=2, among=[0, 3, 5]) == [0, 3]
    assert largest_difference(maps, others, among=[]) == []


def test_lists_of_one_clip():
    maps, others = maps_that_differ([1, 2])
    with pytest.raises(ValueError):
        largest_difference(maps, others[:1])


def result(*runs, keep=True):
    """Return a Result that kept these lists of label maps."""
    kept = {"labels": list(runs), "clips": [None] * len(runs)} if keep else {}
    return Result("clock", Scores(2), {}, 0, 0, 0, 0, 0, **kept)


def test_the_clips_that_differ_most_come_first():
    pairs = [maps_that_differ(counts) for counts in ([1, 3, 2], [0, 0], [5, 9, 9])]
    a, b = (result(*clips) for clips in zip(*pairs, strict=True))
    assert [number for number, _ in largest_differences(a, b, 9)] == [2, 0, 1]
    assert largest_differences(a, b, 2)[1] == (0, 1)
    assert largest_differences(result(a.labels[0]), result(b.labels[0]), first=2) == [(0, 2)]


def test_label_maps_that_were_not_kept():
    with pytest.raises(ValueError, match=r"clock: its label maps were not kept.*keep=True"):
        largest_differences(result(*maps_that_differ([1])), result(keep=False))


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


def test_agreement_of_label_maps_that_were_not_kept(run, clips):
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


def label_map(value):
    return np.full((1, 4), value, np.uint8)


@pytest.fixture
def labelled():
    """Clips of 2 and 3 frames of class 1; one of them has no label."""
    return [[(None, label_map(1)), (None, None)], [(None, label_map(1))] * 3]


def test_each_number_has_its_own_scores(labelled):
    right, wrong = label_map(1), label_map(0)
    scores = frame_scores(result([right, wrong], [wrong, right, wrong]), labelled, 2, ("a", "b"))
    assert [s.hist.tolist() for s in scores] == [
        [[0, 0], [4, 4]],
        [[0, 0], [0, 4]],
        [[0, 0], [4, 0]],
    ]
    assert scores[0].class_names == ["a", "b"]


def test_frame_scores_of_a_region(labelled):
    out = label_map(1)
    scores = frame_scores(
        result([out] * 2, [out] * 3), labelled, 2, region=lambda label: np.arange(4)[np.newaxis] < 3
    )
    assert [s.hist[1, 1] for s in scores] == [6, 3, 3]


def test_other_clips_or_nothing_kept(labelled):
    with pytest.raises(ValueError, match="clock: its label maps were not kept"):
        frame_scores(result(keep=False), labelled, 2)
    with pytest.raises(ValueError, match=r"ran clips of \[2\] frames, the clips given have \[2, 3"):
        frame_scores(result([label_map(1)] * 2), labelled, 2)
    assert frame_scores(result(), [], 2) == []
