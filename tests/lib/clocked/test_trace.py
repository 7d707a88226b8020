import pytest
import torch
from torch import nn

from lib.clocked.trace import TraceError, is_part_of, layer_type, trace, writes_into


def test_operations_in_order_with_their_modules(small, frames):
    recorded = trace(small, (frames[0],), {})
    called = [(node.target.__name__, recorded.owners[node]) for node in recorded.operations]
    assert called == [
        ("conv2d.default", "enc.0"),
        ("batch_norm.default", "enc.1"),
        ("relu_.default", "enc.2"),
        ("max_pool2d.default", "low.0"),
        ("conv2d.default", "low.1"),
        ("relu_.default", "low.2"),
        ("upsample_bilinear2d.vec", ""),
        ("cat.default", ""),
        ("conv2d.default", "head"),
    ]
    assert [layer_type(node) for node in recorded.operations][:2] == ["Convolution", "batch_norm"]


def test_weights_are_those_that_the_model_has_at_that_time(small, frames):
    recorded = trace(small, (frames[0],), {})
    names = {name: ours for ours, name in recorded.weight_names.items()}
    weight = recorded.weights[names["head.weight"]]
    mean = recorded.weights[names["enc.1.running_mean"]]
    assert weight() is small.head.weight
    small.head.weight = nn.Parameter(torch.zeros(4, 14, 1, 1))
    small.double()  # replaces buffers
    assert weight() is small.head.weight and weight().dtype == torch.float64
    assert mean() is small.enc[1].running_mean


def test_inputs_constants_and_the_structure_of_the_output(frames):
    class Odd(nn.Module):
        def forward(self, x, twice=False, *, gain):
            x = x * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1) * gain
            return {"a": x + x if twice else x, "none": None, "n": (3, x[:, :1])}

    recorded = trace(Odd().eval(), (frames[0], True), {"gain": torch.tensor(2.0)})
    assert len(recorded.inputs) == 3
    [constant] = [w() for w in recorded.weights.values()]
    assert constant.tolist() == [1, 2, 3]
    rebuilt = recorded.rebuild([10, None, 3, 20])
    assert rebuilt == {"a": 10, "none": None, "n": (3, 20)}
    assert recorded.outputs[1:3] == [None, 3]


def test_in_place_operations_are_found_and_can_be_replaced(small, frames):
    recorded = trace(small, (frames[0],), {})
    writing = {recorded.owners[node]: writes_into(node) for node in recorded.operations}
    before = dict(zip(recorded.operations[1:], recorded.operations, strict=False))
    relus = [node for node in recorded.operations if "relu" in node.name]
    assert writing["enc.2"] == [before[relus[0]]] and writing["low.2"] == [before[relus[1]]]
    assert not any(writing[owner] for owner in writing if owner not in ("enc.2", "low.2"))
    functional = trace(small, (frames[0],), {}, functional=True)
    assert not any(writes_into(node) for node in functional.operations)


class Deciding(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


def test_a_model_that_cannot_be_recorded_names_the_module(frames):
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sequential(nn.ReLU(), Deciding())).eval()
    with pytest.raises(TraceError, match=r"Sequential cannot.*module '1.1' \(Deciding\).*depend"):
        trace(model, (frames[0],), {})
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_an_input_that_the_model_does_not_take_names_the_layer(frames):
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(4, 4, 1)).eval()
    with pytest.raises(TraceError, match=r"not run on these inputs.*module '1' \(Conv2d\): .*4"):
        trace(model, (frames[0],), {})


@pytest.mark.parametrize(
    "owner, module, part",
    [
        ("a.b", "a", True),
        ("a", "a", True),
        ("ab", "a", False),
        ("a", "a.b", False),
        ("a", "", True),
    ],
)
def test_parts_of_modules(owner, module, part):
    assert is_part_of(owner, module) == part


def test_a_decision_in_the_model_itself(frames):
    with pytest.raises(TraceError, match=r"Deciding cannot be cut.* in its own forward\(\)"):
        trace(Deciding().eval(), (frames[0],), {})
