import copy
import gc
import pickle
import threading
import weakref
from functools import partial

import pytest
import torch
from torch import nn

from lib import schedule
from lib.clocked import Clocked, TraceError

ALL = ("shallow", "deep", "fuse")
HELD = partial(schedule.fixed_rate, rates={"deep": 100})


@pytest.fixture
def clocked(small, stages):
    return Clocked(small, stages, HELD)


@pytest.mark.parametrize("clock", [schedule.per_frame, partial(schedule.adaptive, threshold=0)])
def test_a_clock_that_always_fires_returns_what_the_model_returns(small, stages, frames, clock):
    clocked = Clocked(small, stages, clock)
    for frame in frames:
        assert torch.equal(clocked(frame), small(frame))
        assert clocked.ran == ALL


def test_the_deep_stage_rests_on_every_other_frame_by_default(small, stages, frames):
    clocked = Clocked(small, stages)
    for frame in frames:
        clocked(frame)
    assert clocked.fired == {"shallow": 1, "deep": 0.5, "fuse": 1}


def test_stages_by_measured_cost(small, frames):
    clocked = Clocked(small, n=2)
    with pytest.raises(ValueError, match="measured cost at the first frame"):
        _ = clocked.stages
    clocked(frames[0])
    assert list(clocked.stages) == ["shallow", "deep"]
    assert clocked.stages["deep"] in ("low", "low.1", "head")
    clocked.stream()(frames[0][..., :4])  # another size: the same stages
    again = Clocked(small, clocked.stages, schedule.per_frame)
    assert torch.equal(again(frames[1]), small(frames[1]))


def test_a_plain_list_of_modules(small, frames):
    clocked = Clocked(small, ["enc", "low", "head"], partial(schedule.fixed_rate, rates={"low": 2}))
    clocked(frames[0])
    clocked(frames[1])
    assert clocked.ran == ("enc", "head")


def test_weights_have_the_names_of_the_model(clocked, small, frames):
    assert list(clocked.state_dict()) == list(small.state_dict())
    other = Clocked(copy.deepcopy(small), clocked.stages, schedule.per_frame)
    other(frames[0])
    changed = {name: value + 0.5 for name, value in small.state_dict().items()}
    other.load_state_dict(changed)
    small.load_state_dict(changed)
    assert torch.equal(other(frames[1]), small(frames[1]))
    outer = nn.Sequential(nn.Identity(), clocked)
    assert list(outer.state_dict()) == [f"1.{name}" for name in small.state_dict()]
    outer.load_state_dict(outer.state_dict())
    with pytest.raises(RuntimeError, match=r'"1\.junk"'):
        outer.load_state_dict({**outer.state_dict(), "1.junk": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r'Missing key.*"enc\.0\.weight"'):
        clocked.load_state_dict({})


def test_loading_weights_starts_anew(clocked, small, frames):
    clocked(frames[0])
    clocked(frames[1])
    assert "deep" not in clocked.ran
    clocked.load_state_dict({n: v * 2 for n, v in small.state_dict().items()}, assign=True)
    assert torch.equal(clocked(frames[1]), small(frames[1])) and clocked.ran == ALL


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_another_dtype_starts_anew(clocked, small, frames, dtype):
    clocked(frames[0])
    clocked.to(dtype)
    out = clocked(frames[1].to(dtype))
    assert out.dtype == dtype and torch.equal(out, small(frames[1].to(dtype)))


def test_another_device_starts_anew(clocked, frames):
    clocked(frames[0])
    clocked.to("meta")
    with pytest.raises((RuntimeError, ValueError)):  # the weights are gone, and so is the plan
        clocked(frames[1])


def test_training_runs_the_model_itself(clocked, small, frames):
    assert not clocked.training
    clocked(frames[0])
    clocked.train()
    assert small.training
    clocked(frames[1]).sum().backward()
    assert small.enc[0].weight.grad.abs().sum() > 0
    with torch.no_grad():
        small.enc[0].weight.add_(0.1)
    clocked.eval()
    out = clocked(frames[1])
    assert clocked.ran == ALL and torch.equal(out, small(frames[1])) and not out.requires_grad


def test_a_model_in_training_mode_has_no_stages(small, stages, frames):
    with pytest.raises(ValueError, match=r"Small is in training mode: call eval\(\)"):
        Clocked(small.train(), stages).net(frames[0])
    assert Clocked(small, stages).training


def test_autocast(small, stages, frames):
    clocked = Clocked(small, stages, schedule.per_frame)
    with torch.autocast("cpu", torch.bfloat16):
        out = clocked(frames[0])
        assert out.dtype == torch.bfloat16 and torch.equal(out, small(frames[0]))
    clocked.reset()
    assert torch.equal(clocked(frames[0]), small(frames[0]))


def test_inference_mode(clocked, small, frames, stale):
    with torch.inference_mode():
        clocked(frames[0])
        out = clocked(frames[1])
    assert torch.equal(out, stale(small, frames[0], frames[1], ["low"]))
    out = clocked(frames[2])  # and outside of it
    assert torch.equal(out, stale(small, frames[0], frames[2], ["low"]))


def test_copies_start_anew(clocked, small, frames):
    clocked(frames[0])
    for other in (copy.deepcopy(clocked), pickle.loads(pickle.dumps(clocked))):
        assert torch.equal(other(frames[1]), small(frames[1])) and other.stages == clocked.stages
    clocked(frames[1])
    assert "deep" not in clocked.ran


def test_reset(clocked, small, frames):
    stream = clocked.stream()
    for run in (clocked, stream):
        run(frames[0])
    clocked.reset()
    assert torch.equal(clocked(frames[1]), small(frames[1]))
    stream(frames[1])
    assert "deep" not in stream.ran


def test_streams_that_nobody_holds_are_freed(clocked, frames):
    stream = clocked.stream()
    stream(frames[0])
    seen = weakref.ref(stream)
    del stream
    gc.collect()
    assert seen() is None


def test_streams_in_threads(clocked, small, frames, stale):
    got = {}

    def run(number):
        stream = clocked.stream()
        got[number] = [stream(frames[number])] + [stream(frames[t]) for t in (1, 2)]

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        for out, t in zip(got[number][1:], (1, 2), strict=True):
            assert torch.equal(out, stale(small, frames[number], frames[t], ["low"]))


def test_a_model_that_cannot_be_traced_names_the_module(frames):
    class Deciding(nn.Module):
        def forward(self, x):
            return x if x.mean() > 0 else -x

    model = nn.Sequential(nn.Conv2d(3, 3, 1), Deciding()).eval()
    with pytest.raises(TraceError, match=r"torch.export failed in the module '1' \(Deciding\)"):
        Clocked(model, ["0", "1"])(frames[0])


@pytest.mark.parametrize(
    "stages, message",
    [
        ({"a": "enc", "b": "lo"}, r"stage 'b' starts with 'lo', .* no module of Small: .* 'low'"),
        ("low", "stages are 'low', one text"),
        (["enc", "enc"], "name each module once"),
        ([], "there are no stages"),
        ([3], "give a list of names"),
        ({"a": 3}, "give a list of names"),
    ],
)
def test_stages_that_do_not_exist(small, stages, message):
    with pytest.raises(ValueError, match=message):
        Clocked(small, stages)


def test_stages_out_of_order(small, frames):
    with pytest.raises(ValueError, match="'enc' starts with .*, which runs before 'low'"):
        Clocked(small, ["low", "enc"])(frames[0])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model": 3}, "model is a int"),
        ({"clock": "fast"}, "clock is 'fast'"),
        ({"n": 0}, "number of stages"),
    ],
)
def test_other_arguments(small, options, message):
    with pytest.raises(ValueError, match=message):
        Clocked(**{"model": small, **options})


def test_print(clocked):
    assert "'deep': 'low'" in repr(clocked) and "fixed_rate" in repr(clocked)
