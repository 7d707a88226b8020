from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lib import schedule
from lib.clocked import Clocked
from lib.schedule import Step

ALL = ("shallow", "deep", "fuse")


@pytest.mark.parametrize("period", [1, 2, 3])
def test_stale_deep_features_meet_fresh_shallow_ones(small, stages, frames, stale, period):
    stream = Clocked(small, stages).stream(partial(schedule.fixed_rate, rates={"deep": period}))
    for t, frame in enumerate(frames):
        assert torch.equal(
            stream(frame), stale(small, frames[t // period * period], frame, ["low"])
        )
        assert stream.ran == (ALL if t % period == 0 else ("shallow", "fuse"))


def test_a_pipeline(small, stages, frames, stale):
    stream = Clocked(small, stages).stream(partial(schedule.pipeline, cuts=("deep",)))
    for t, frame in enumerate(frames):
        assert torch.equal(stream(frame), stale(small, frames[max(t - 1, 0)], frame, ["low"]))
    assert stream.ran == ("shallow", "fuse") and stream.then == ("deep",)
    assert stream.fired == {"shallow": 1, "deep": 1, "fuse": 1}


def test_every_other_frame_returns_the_same_again(small, stages, frames):
    stream = Clocked(small, stages).stream(schedule.every_other)
    with torch.no_grad():
        for t, frame in enumerate(frames):
            assert torch.equal(stream(frame), small(frames[t // 2 * 2]))
    assert stream.fired == dict.fromkeys(ALL, 0.5) and stream.frames == 4


def test_the_adaptive_clock_rests_on_a_still_and_runs_on_a_moving_sequence(small, stages, frames):
    clock = partial(schedule.adaptive, threshold=0.2)
    still, moving = (Clocked(small, stages, clock).stream() for _ in range(2))
    for frame in frames:
        still(frames[0] + 1e-6 * frame)
        moving(frame)
    assert still.fired == {"shallow": 1, "deep": 0.25, "fuse": 1}
    assert moving.fired == dict.fromkeys(ALL, 1)


def test_the_adaptive_clock_fires_at_its_threshold(small, stages, frames):
    """It compares the strongest channels of the shallow stage with those when deep last ran."""
    with torch.no_grad():
        strongest = [small.enc(frame)[0].argmax(0) for frame in frames]
    share = (strongest[1] != strongest[0]).float().mean().item()
    for threshold, ran in ((share - 1e-3, True), (share + 1e-3, False)):
        stream = Clocked(small, stages).stream(partial(schedule.adaptive, threshold=threshold))
        stream(frames[0])
        stream(frames[1])
        assert ("deep" in stream.ran) == ran


def test_all_images_of_a_batch_count_for_the_clock(small, stages, frames):
    stream = Clocked(small, stages).stream(partial(schedule.adaptive, threshold=0.2))
    stream(torch.cat([frames[0], frames[1]]))
    out = stream(torch.cat([frames[0], frames[2]]))
    assert "deep" in stream.ran
    with torch.no_grad():
        assert torch.equal(out, small(torch.cat([frames[0], frames[2]])))


def test_interleaved_streams_are_as_separate_ones(small, stages, frames):
    clocked = Clocked(small, stages, partial(schedule.adaptive, threshold=0.1))
    one = [frames[0], frames[0] + 0.01, frames[1], frames[1]]
    other = [torch.randn(1, 3, 6, 6), frames[3][..., :6, :6]] * 2
    alone = [[stream(f) for f in clip] for clip in (one, other) for stream in [clocked.stream()]]
    a, b = clocked.stream(), clocked.stream(schedule.alternating)
    mixed = [(a(f), b(g)) for f, g in zip(one, other, strict=True)]
    assert all(torch.equal(x, y) for x, (y, _) in zip(alone[0], mixed, strict=True))
    c = clocked.stream(schedule.alternating)
    assert all(torch.equal(c(g), y) for g, (_, y) in zip(other, mixed, strict=True))


def test_reset_at_a_cut(small, stages, frames):
    stream = Clocked(small, stages).stream(partial(schedule.fixed_rate, rates={"deep": 100}))
    stream(frames[0])
    stream(frames[1])
    stream.reset()
    with torch.no_grad():
        assert torch.equal(stream(frames[2]), small(frames[2]))
        assert stream.ran == ALL and stream.frames == 1
        stream.reset()
        assert stream.fired == {} and stream.ran == ()
        assert torch.equal(stream(frames[3][..., :4]), small(frames[3][..., :4]))  # another size


def test_a_frame_of_another_size_midway(small, stages, frames, stale):
    stream = Clocked(small, stages).stream()
    stream(frames[0])
    for bad in (frames[0][..., :4], frames[0].double(), frames[0][0]):
        with pytest.raises(ValueError, match=r"frame 1 of .*Small.* 'deep' \(from low.0\).*reset"):
            stream(bad)
    with pytest.raises(ValueError, match="frame 1 .* given as 2, or by other names"):
        stream(frames[0], None)
    # and the stream goes on as if nothing had been
    assert torch.equal(stream(frames[1]), stale(small, frames[0], frames[1], ["low"]))


def test_a_caller_may_reuse_the_tensor_of_the_frame(small, stages, frames, stale):
    stream, buffer = Clocked(small, stages).stream(), frames[0].clone()
    for t, frame in enumerate(frames):
        buffer.copy_(frame)
        assert torch.equal(stream(buffer), stale(small, frames[t // 2 * 2], frame, ["low"]))


def test_an_output_changed_in_place_is_noticed(small, stages, frames):
    stream = Clocked(small, stages).stream(schedule.every_other)
    stream(frames[0]).add_(1)
    with pytest.raises(ValueError, match="needs what 'head' computed, .*in place.*clone"):
        stream(frames[1])
    with torch.no_grad():
        assert torch.equal(stream(frames[2]), small(frames[2]))  # starts anew


def test_other_inputs_than_the_frame(frames):
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)

        def forward(self, gain, frame=None, names=("x",)):
            return {names[0]: self.b(self.a(frame)) * gain, "half": (None, 0.5)}

    model = Gated().eval()
    stream = Clocked(model, ["a", "b"]).stream(schedule.per_frame)
    for frame in frames:
        gain = torch.rand(())
        out = stream(gain, frame=frame)
        assert torch.equal(out["x"], model(gain, frame)["x"]) and out["half"] == (None, 0.5)


def own_clock(net, frames, stages=None):
    """A clock of one's own that looks at the pixels."""
    from lib.run_net import feed_net, get_out_scoremap
    from lib.stages import run_stage

    before = None
    for frame in frames:
        feed_net(net, frame)
        same = before is not None and np.array_equal(frame, before)
        before = frame.copy()
        for stage in stages:
            if not (same and stage.name == "deep"):
                run_stage(net, stage)
        yield Step(get_out_scoremap(net), tuple("same" if same else "new"))


def test_a_clock_sees_the_frames(small, stages, frames):
    stream = Clocked(small, stages).stream(own_clock)
    said = []
    for frame in (frames[0], frames[0], frames[1]):
        stream(frame)
        said.append("".join(stream.ran))
    assert said == ["new", "same", "new"]


def ending(net, frames, stages):
    yield next(iter(schedule.per_frame(net, frames, stages)))


def greedy(net, frames, stages):
    frames = iter(frames)
    next(frames)
    next(frames)
    yield


def failing(net, frames, stages):
    for t, step in enumerate(schedule.per_frame(net, frames, stages)):
        if t == 1:
            raise OSError("no camera")
        yield step


@pytest.mark.parametrize(
    "clock, error, message",
    [
        (ending, ValueError, "the clock ended after 1 frames"),
        (greedy, ValueError, "takes a second frame before it yields"),
        (failing, OSError, "no camera"),
        (partial(schedule.adaptive, threshold=50), ValueError, "0.5 if 50 % is meant"),
        (partial(schedule.fixed_rate, rates={"deeper": 2}), ValueError, "no stage 'deeper'"),
    ],
)
def test_errors_of_clocks(small, stages, frames, clock, error, message):
    stream = Clocked(small, stages).stream(clock)
    with pytest.raises(error, match=message):
        for frame in frames:
            stream(frame)
    assert stream.frames == 0


def test_frames_without_numbers(small, stages, frames):
    """An adaptive clock on nan says so; the next frame runs in full."""
    stream = Clocked(small, stages).stream(partial(schedule.adaptive, threshold=0.1))
    stream(frames[0])
    with pytest.raises(ValueError, match="not numbers"):
        stream(frames[0] * float("nan"))
    with torch.no_grad():
        assert torch.equal(stream(frames[1]), small(frames[1]))


def test_label_maps_of_a_stream(small, stages, frames, stale):
    clocked = Clocked(small, stages)
    stream, without = clocked.stream(labels=True), clocked.stream()
    for t, frame in enumerate(frames):
        scores = stale(small, frames[t // 2 * 2], frame, ["low"])
        assert torch.equal(stream(frame), scores)
        np.testing.assert_array_equal(stream.label, scores[0].argmax(0))
    without(frames[0])
    with pytest.raises(ValueError, match=r"stream\(labels=True\)"):
        _ = without.label
