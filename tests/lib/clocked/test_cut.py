import pytest
import torch
from torch import nn

from lib.clocked.cut import cut, dry_run
from lib.clocked.plan import prepare
from lib.clocked.trace import TraceError, trace


def test_what_crosses_a_cut_is_kept_and_nothing_else(small, stages, frames):
    recorded = trace(small, (frames[0],), {})
    shallow, deep, fuse = cut(recorded, stages)
    relus = [n.name for n in recorded.operations if "relu" in n.name]
    assert shallow.takes == recorded.inputs and shallow.gives == relus[:1]  # also the skip
    assert deep.takes == relus[:1] and len(deep.gives) == 1
    assert set(fuse.takes) == {relus[0], *deep.gives}
    assert fuse.gives == [recorded.outputs[0].name]
    # between low and head the model itself does two operations: they prepare the input of head
    assert [len(part.operations) for part in (shallow, deep, fuse)] == [3, 3, 3]


def test_stages_compute_what_the_modules_compute(small, stages, frames):
    recorded = trace(small, (frames[0],), {})
    parts = cut(recorded, stages)
    with torch.no_grad():
        values, clean = dry_run(recorded, parts, [frames[0]])
        enc = small.enc(frames[0])
        assert torch.equal(values[parts[0].gives[0]], enc)
        assert torch.equal(values[parts[2].gives[0]], small(frames[0]))
        values[parts[0].gives[0]] = small.enc(frames[1])
        parts[1](values)
        parts[2](values)
        assert torch.equal(values[parts[2].gives[0]], small(frames[1]))
    assert clean


def test_what_runs_before_the_first_named_module_belongs_to_the_first_stage(small, frames):
    parts = cut(trace(small, (frames[0],), {}), {"one": "enc.2", "two": "head"})
    assert [len(part.operations) for part in parts] == [6, 3]


@pytest.mark.parametrize(
    "stages, message",
    [
        ({"a": "head", "b": "low"}, "'b' starts with the module 'low', which runs before 'head'"),
        ({"a": "enc", "b": "enc.0"}, "'b' .* starts at the same operation as 'enc'"),
        ({"a": "enc", "b": "idle"}, "'b' starts with the module 'idle', which computes nothing"),
    ],
)
def test_stages_that_do_not_cut_the_model(small, frames, stages, message):
    small.idle = nn.Identity()
    with pytest.raises(ValueError, match=message):
        cut(trace(small, (frames[0],), {}), stages)


class Adding(nn.Module):
    """`after` adds to the output of `before` in place: run twice on it, it would add twice."""

    def __init__(self):
        super().__init__()
        self.before, self.after, self.last = nn.Conv2d(3, 3, 1), AddOne(), nn.Conv2d(3, 2, 1)

    def forward(self, x):
        x = self.before(x)
        return self.last(self.after(x)) + x.mean(1, keepdim=True)  # x: also changed by after


class AddOne(nn.Module):
    def forward(self, x):
        return x.add_(1)


def test_a_stage_that_writes_into_what_it_is_given_can_run_again(frames):
    model, stages = Adding().eval(), {"a": "before", "b": "after", "c": "last"}
    recorded = trace(model, (frames[0],), {})
    with torch.no_grad():
        assert not dry_run(recorded, cut(recorded, stages), [frames[0]])[1]
        plan = prepare(model, (frames[0],), {}, stages)
        values, clean = dry_run(plan.trace, plan.parts, [frames[0]])
        assert clean
        for _ in range(2):
            plan.parts[1](values)
            plan.parts[2](values)
        assert torch.equal(plan.output(values), model(frames[0]))


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x):
        self.seen.add_(1)
        return x * self.seen


def test_a_model_that_keeps_state_is_refused_by_the_name_of_its_buffer(frames):
    model = nn.Sequential(nn.Conv2d(3, 3, 1), Counting()).eval()
    with pytest.raises(TraceError, match=r"writes into '1\.seen'"):
        prepare(model, (frames[0],), {}, {"a": "0", "b": "1"})


def test_a_model_that_draws_random_numbers_is_refused(frames):
    class Noisy(nn.Module):
        def forward(self, x):
            return x + torch.rand_like(x)

    with pytest.raises(TraceError, match="Noisy does not run as recorded.*random"):
        prepare(Noisy().eval(), (frames[0],), {}, {"all": ""})


def test_no_frame_among_the_inputs(small):
    class Tokens(nn.Module):
        def forward(self, x):
            return x + 1

    with pytest.raises(ValueError, match="no frame among the inputs.*N x C x H x W"):
        prepare(Tokens().eval(), (torch.zeros(2, 3),), {}, {"all": ""})
