"""The clock in space, on our engine and on a net that has no such thing."""

from collections import Counter
from functools import partial

import numpy as np
import pytest

from lib import schedule
from lib.clocks.space import ChangedOnly, changed_only, reached_cost
from lib.cost import stage_cost
from lib.evaluate import evaluate
from lib.stages import FCN8S

caffe = pytest.importorskip("caffe")
SIZE = 96, 128


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """An FCN-8s of 4 classes with a few channels and random weights; pad 37, so half is static."""
    from nets.fcn8s import fcn8s

    path = tmp_path_factory.mktemp("net") / "fcn8s.prototxt"
    text = str(fcn8s(4, width=1 / 16, pad=37, fc_kernel=3, fc_dilation=2, fc_width=32, size=SIZE))
    path.write_text(text)
    net, rng = caffe.Net(str(path), caffe.TEST), np.random.default_rng(0)
    for name, (weight, *_) in net.params.items():
        spread = np.sqrt(2 / np.prod(weight.data.shape[1:]))
        weight.data[...] = (
            1 / 4 if name.startswith("up") else rng.normal(0, spread, weight.data.shape)
        )
    return net


def moving_square(count, side=16, noise=0.0):
    """Frames of a still scene with a square that moves by 8 pixels."""
    rng = np.random.default_rng(1)
    scene = np.kron(rng.normal(0, 60, (3, 12, 16)), np.ones((8, 8)))
    frames = []
    for t in range(count):
        frame = scene + rng.uniform(-noise, noise, scene.shape)
        frame[:, 40 : 40 + side, 8 * t : 8 * t + side] = 100
        frames.append(frame.astype(np.float32))
    return frames


def outputs(clock, net, frames):
    """Return [(label, scores, stages that ran)] of each frame."""
    found = []
    for step in clock(net, frames):
        found.append((step.label, net.blobs["score"].data.copy(), step.ran + step.then))
    return found


@pytest.mark.parametrize(
    "clock",
    [
        schedule.per_frame,
        schedule.alternating,
        partial(schedule.fixed_rate, rates={"middle": 2, "deep": 3}),
        partial(schedule.adaptive, threshold=0.02),
        schedule.pipeline_3stage,
    ],
)
def test_any_clock_gives_what_it_gives_with_whole_stages(net, clock):
    frames = moving_square(6)
    whole = outputs(clock, net, frames)
    part = outputs(partial(changed_only, clock=clock), net, frames)
    for (label, scores, ran), (wanted, all_scores, all_ran) in zip(part, whole, strict=True):
        assert ran == all_ran
        np.testing.assert_allclose(scores, all_scores, atol=2e-5 * np.abs(all_scores).max())
        assert (label != wanted).mean() < 1e-3


def test_exact(net):
    frames = moving_square(4)
    part = outputs(partial(changed_only, exact=True), net, frames)
    for (label, scores, _), (wanted, all_scores, _) in zip(
        part, outputs(schedule.per_frame, net, frames)
    ):
        np.testing.assert_array_equal(scores, all_scores)
        np.testing.assert_array_equal(label, wanted)


def test_evaluate_counts_what_was_done(net):
    frames = moving_square(5)
    clip = [(frame, np.zeros(SIZE, np.uint8)) for frame in frames]
    whole = evaluate(schedule.per_frame, net, [clip], 4, silent=True)
    part = evaluate(changed_only, net, [clip], 4, silent=True)
    assert part.fired == whole.fired and whole.macs_per_frame == sum(stage_cost(net).values())
    assert part.scores.hist.tolist() == whole.scores.hist.tolist()
    # the first frame is that of another run, so at most one is whole
    assert part.macs_per_frame < 0.7 * whole.macs_per_frame
    assert part.name == "changed_only"
    slow = partial(changed_only, clock=partial(schedule.fixed_rate, rates={"deep": 2}))
    name = evaluate(slow, net, [clip[:1]], 4, silent=True).name
    assert name == "changed_only(clock=fixed_rate(rates={'deep': 2}))"
    evaluate(changed_only, net, [clip[-1:]], 4, silent=True)
    again = evaluate(changed_only, net, [clip[-1:] * 3], 4, silent=True)
    assert again.macs_per_frame == 0  # the very frame that ran last


def test_what_runs_after_the_output_is_counted_too(net):
    """A pipeline does the same work, part of it after the output, and fuses older scores."""
    frames, work = moving_square(4), []
    for clock in (schedule.per_frame, schedule.pipeline_2stage):
        list(changed_only(net, frames[::-1]))  # so both begin where the first frame has run
        steps = list(changed_only(net, frames, clock=clock))
        work.append(Counter())
        for step in steps:
            work[-1].update(step.macs)
    assert work[0]["conv5_1"] == work[1]["conv5_1"] > 0
    assert work[0]["conv1_1"] == work[1]["conv1_1"] > 0


def test_a_tolerance_ignores_noise(net):
    frames = moving_square(3, noise=1.5)
    part = ChangedOnly(net, tolerance=3.5)
    for frame in frames:
        net.blobs["data"].data[0] = frame
        part.multiply_adds = {}
        for stage in FCN8S:
            part.forward(start=stage.start, end=stage.end)
    assert 0 < part.ignored <= 3.5
    assert 0 < sum(part.multiply_adds.values()) < sum(stage_cost(net).values()) / 2


def test_noise_without_a_tolerance_changes_everything(net):
    steps = list(changed_only(net, moving_square(2, noise=1.5)))
    reached = reached_cost(net, ((0, SIZE[0]), (0, SIZE[1])))
    assert sum(steps[1].macs.values()) >= sum(reached.values()) * 0.99


def test_the_cost_that_a_window_reaches(net):
    square = reached_cost(net, ((40, 56), (40, 56)))
    every = stage_cost(net)
    assert list(square) == list(every)
    assert all(0 < square[name] < every[name] for name in ("shallow", "middle"))
    mask = np.zeros(SIZE, bool)
    mask[40:56, 40:56] = True
    assert reached_cost(net, mask) == square


def test_a_net_that_cannot_runs_whole_stages(fake_net, fake):
    frames = [fake.frame(t) for t in range(4)]
    steps = list(changed_only(fake_net, frames, clock=schedule.alternating))
    assert [fake.seen_by_stages(step.label) for step in steps] == [
        (0, 0, 0), (1, 1, 0), (2, 2, 2), (3, 3, 2)
    ]  # fmt: skip
    assert all(step.macs is None for step in steps)
    with pytest.raises(ValueError, match="needs multiply_adds"):
        reached_cost(fake_net, ((0, 1), (0, 1)))


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), "2", None])
def test_a_tolerance_that_is_none(net, tolerance):
    with pytest.raises(ValueError, match="tolerance is .* number of 0 or more"):
        ChangedOnly(net, tolerance)
