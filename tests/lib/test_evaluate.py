import time
from functools import partial

import numpy as np
import pytest

from lib import evaluate as evaluate_module
from lib import schedule
from lib.evaluate import KeptRun, evaluate
from lib.schedule import Step

MACS = {"shallow": 1, "middle": 10, "deep": 100, "fuse": 1000}


@pytest.fixture(autouse=True)
def known_cost(monkeypatch):
    monkeypatch.setattr(evaluate_module, "stage_cost", lambda net, stages: MACS)


@pytest.fixture
def clips(fake):
    """Two clips of 4 frames. A label is the class of a fresh output; frame 1 has none."""
    return [
        [
            (fake.frame(t), None if t == 1 else np.full((1, 2, 3), t + 4 * t + 16 * t, np.uint8))
            for t in range(4)
        ]
        for _ in range(2)
    ]


def run(clock, net, clips, **options):
    return evaluate(clock, net, clips, 256, silent=True, **options)


def test_oracle_is_right_everywhere(fake_net, clips):
    result = run(schedule.per_frame, fake_net, clips)
    assert result.name == "per_frame"
    assert result.scores.summary().acc == 1
    assert (result.n_frames, result.n_labelled) == (8, 6)
    assert result.fired == dict.fromkeys(MACS, 1)
    assert result.macs_per_frame == 1111
    assert result.labels is None


def test_stale_output_is_scored_and_counted(fake_net, clips):
    result = run(schedule.alternating, fake_net, clips)
    assert result.scores.summary().acc == 2 / 3  # frames 0 and 2 of the labelled 0, 2, 3
    assert result.fired == {"shallow": 1, "middle": 1, "deep": 0.5, "fuse": 1}
    assert result.macs_per_frame == 1011 + 50
    held = run(schedule.every_other, fake_net, clips)
    assert held.fired == dict.fromkeys(MACS, 0.5) and held.macs_per_frame == 1111 / 2


def test_pipelines_run_everything_once_a_frame(fake_net, clips):
    for clock in (schedule.pipeline_2stage, schedule.pipeline_3stage):
        result = run(clock, fake_net, clips)
        assert result.fired == dict.fromkeys(MACS, 1) and result.macs_per_frame == 1111


def test_phases_add_up(fake_net, clips):
    both = run(schedule.every_other, fake_net, clips, phases=(0, 1))
    single = [run(partial(schedule.every_other, phase=p), fake_net, clips) for p in (0, 1)]
    np.testing.assert_array_equal(both.scores.hist, sum(r.scores.hist for r in single))
    assert both.n_frames == 16 and both.n_labelled == 12
    assert both.fired["deep"] == np.mean([r.fired["deep"] for r in single])


def test_coin_flip_is_one_phase_a_clip_by_seed(fake_net, clips):
    many = clips * 10
    flips = [
        run(schedule.every_other, fake_net, many, phases=(0, 1), coin_flip=True, seed=s)
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(flips[0].scores.hist, flips[1].scores.hist)
    assert (flips[0].scores.hist != flips[2].scores.hist).any()
    assert flips[0].n_frames == 80
    hists = [
        run(partial(schedule.every_other, phase=p), fake_net, many).scores.hist for p in (0, 1)
    ]
    assert not any((flips[0].scores.hist == hist).all() for hist in hists)


def test_label_maps_are_kept_on_request(fake_net, fake, clips):
    result = run(schedule.pipeline_2stage, fake_net, clips, keep=True)
    assert [[fake.seen_by_stages(label)[2] for label in clip] for clip in result.labels] == [
        [0, 0, 1, 2]
    ] * 2


def test_what_was_kept_is_found_by_the_name_of_its_clip(fake_net, clips):
    named = [
        type("Clip", (list,), {"name": name})(clip) for name, clip in zip("ab", clips, strict=True)
    ]
    result = run(schedule.alternating, fake_net, named, phases=(0, 1), keep=True)
    assert result.kept("b") is result.labels[2]
    assert ["deep" in step.ran for step in result.kept("b").steps()] == [True, False, True, False]
    with pytest.raises(ValueError, match=r"kept nothing of the clip 'c', .*keep=True"):
        result.kept("c")
    with pytest.raises(ValueError, match=r"alternating: .*were not kept, .*keep=True"):
        run(schedule.alternating, fake_net, named).kept("a")


def test_net_classes_are_relabelled_before_scores_and_kept_maps(fake_net, clips):
    lookup = np.zeros(256, np.uint8)
    lookup[[0, 21, 42, 63]] = 0, 1, 2, 2  # the classes of the oracle on the frames
    truth = [
        [(in_, None if label is None else lookup[label]) for in_, label in clip] for clip in clips
    ]
    result = evaluate(
        schedule.per_frame, fake_net, truth, 3, silent=True, keep=True, relabel=lookup
    )
    np.testing.assert_array_equal(result.scores.hist, np.diag([12, 0, 24]))
    assert [label.max() for label in result.labels[0]] == [0, 1, 2, 2]


def test_another_label_is_ignored(fake_net, clips):
    result = run(schedule.alternating, fake_net, clips, ignore=0, region=lambda label: label < 63)
    assert np.nonzero(result.scores.hist.sum(1))[0].tolist() == [42, 63]  # not 0, that of frame 0
    assert np.nonzero(result.region_scores.hist.sum(1))[0].tolist() == [42]


def test_a_region_is_also_scored_alone(fake_net, clips):
    seen = []

    def left(label):
        seen.append(label.shape)
        return np.arange(3) < np.ones((2, 1))

    result = run(schedule.alternating, fake_net, clips, region=left)
    assert set(seen) == {(2, 3)}  # labels are 1 x 2 x 3
    np.testing.assert_array_equal(result.region_scores.hist * 3, result.scores.hist)
    assert run(schedule.per_frame, fake_net, clips).region_scores is None


def test_clips_of_kept_label_maps_are_named(fake_net, clips):
    named = type("Clip", (list,), {"name": "a/1"})(clips[0])
    result = run(schedule.every_other, fake_net, [named, clips[1]], phases=(0, 1), keep=True)
    assert result.clips == ["a/1", "a/1", None, None] and len(result.labels) == 4


def test_time_leaves_out_loading_and_latency_leaves_out_late_stages(fake_net, fake):
    class Slow(list):
        def __iter__(self):
            for item in super().__iter__():
                time.sleep(0.1)  # a slow disk
                yield item

    fake_net.deep = lambda: time.sleep(0.02) or type(fake_net).deep(fake_net)
    clip = Slow((fake.frame(t), None) for t in range(4))
    pipelined = run(schedule.pipeline_2stage, fake_net, [clip])
    assert 20 <= pipelined.ms_per_frame < 90  # deep once a frame
    # of four deep runs only that of the first frame comes before the output
    assert 5 <= pipelined.latency_ms <= pipelined.ms_per_frame - 15
    oracle = run(schedule.per_frame, fake_net, [clip])
    assert 20 <= oracle.latency_ms <= oracle.ms_per_frame < 90


def test_name_tells_the_options(fake_net, clips):
    result = run(partial(schedule.adaptive, threshold=0.25), fake_net, clips)
    assert result.name == "adaptive(threshold=0.25)"
    tuned = partial(schedule.adaptive, threshold=0.12486773729)
    assert run(tuned, fake_net, clips).name == "adaptive(threshold=0.1249)"
    assert run(schedule.per_frame, fake_net, clips, name="oracle").name == "oracle"


def test_progress_bar_can_be_silenced(fake_net, clips, capsys):
    run(schedule.per_frame, fake_net, clips)
    assert capsys.readouterr().err == ""
    evaluate(schedule.per_frame, fake_net, clips, 256)
    assert "per_frame" in capsys.readouterr().err


def test_errors(fake_net, clips):
    with pytest.raises(ValueError, match="at least one clip"):
        run(schedule.per_frame, fake_net, [])
    with pytest.raises(ValueError, match="^a clip without a name: .* at least 2 frames, got 1"):
        run(schedule.pipeline_2stage, fake_net, [clips[0][:1]])
    with pytest.raises(ValueError, match="phases"):
        run(schedule.every_other, fake_net, clips, coin_flip=True)
    clip = type("Clip", (list,), {"name": "seq05"})(clips[0][:2])
    clip.append((clips[0][2][0], np.zeros((9, 9), np.uint8)))
    with pytest.raises(ValueError, match=r"seq05, frame 3 .*shape \(9, 9\)"):
        run(schedule.per_frame, fake_net, [clip])
    with pytest.raises(ValueError, match=r"frame 1 .*region .*shape \(3,\), .* .2, 3"):
        run(schedule.per_frame, fake_net, clips, region=lambda label: np.ones(3, bool))
    for lookup in (np.zeros(21, np.uint8), np.zeros(256), {0: 1}):
        with pytest.raises(ValueError, match="256 uint8"):
            run(schedule.per_frame, fake_net, clips, relabel=lookup)
    other = tuple(stage._replace(name=stage.name.upper()) for stage in schedule.FCN8S)
    with pytest.raises(ValueError, match="DEEP.*same stages"):
        run(partial(schedule.per_frame, stages=other), fake_net, clips)


def test_a_run_gives_back_its_maps_and_steps():
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 256, (3, 5 + t), np.uint8) for t in range(4)]
    run = KeptRun()
    for t, label in enumerate(maps):
        run.append(Step(label.T, ("shallow",) * t, ("deep",)), label[:, ::-1])
    assert len(run) == len(list(run)) == 4
    for t, label in enumerate(maps):
        np.testing.assert_array_equal(run[t], label[:, ::-1])
    assert run[-1].shape == (3, 8) and [label.shape for label in run[::2]] == [(3, 5), (3, 7)]
    steps = run.steps()
    assert [step.ran for step in steps] == [("shallow",) * t for t in range(4)]
    assert steps[3].then == ("deep",) and (steps[3].label == run[3]).all()


def test_even_areas_take_little_room():
    label = np.zeros((240, 320), np.uint8)
    label[100:150, 80:200] = 7
    run = KeptRun()
    run.append(Step(label, ()), label)
    assert len(run._frames[0][1]) < label.size / 50
