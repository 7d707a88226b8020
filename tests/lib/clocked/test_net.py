"""A StagedNet is a net for all of lib: schedules, evaluate, cost, tuning."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lib import schedule
from lib.clocked import Clocked
from lib.clocked.net import as_scores
from lib.cost import multiply_adds, stage_cost
from lib.evaluate import evaluate
from lib.stages import Stage, check_stages
from lib.tuning import changes_over, record_signatures, tune_threshold


@pytest.fixture
def net(small, stages, frames):
    return Clocked(small, stages).net(frames[0])


def labels(scores):
    return scores[0].argmax(0).numpy().astype(np.uint8)


def test_layers_and_their_blobs(net, small, frames):
    assert net.stages == (
        Stage("shallow", "enc.0", "shallow end"),
        Stage("deep", "low.0", "deep end"),
        Stage("fuse", "upsample_bilinear2d", "fuse end"),
    )
    check_stages(net, net.stages)
    types = dict(zip(net._layer_names, [layer.type for layer in net.layers], strict=True))
    assert types["low.1"] == "Convolution" and types["low.2"] == "relu_"
    assert net.bottom_names["low.1"] == ["low.0"] and net.bottom_names["enc.0"] == ["data"]
    assert net.bottom_names["cat"] == ["enc.2", "upsample_bilinear2d"]
    np.testing.assert_array_equal(net.params["low.1"][0].data, small.low[1].weight.detach())
    assert net.blobs["low.1"].data.shape == (1, 6, 4, 6) and np.isnan(net.blobs["low.1"].data).all()


def test_multiply_adds_by_hand(net):
    macs = multiply_adds(net)
    assert macs["enc.0"] == 8 * 12 * 3 * 9 * 8
    assert macs["low.1"] == 4 * 6 * 8 * 9 * 6
    assert stage_cost(net, net.stages) == {
        "shallow": 8 * 12 * 3 * 9 * 8,
        "deep": 4 * 6 * 8 * 9 * 6,
        "fuse": 8 * 12 * 14 * 4,
    }


def test_multiply_adds_of_other_layers():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1, groups=1, bias=False)
            self.mix = nn.Linear(4, 5)

        def forward(self, x):
            return self.mix(self.up(x).flatten(2).transpose(1, 2))

    net = Clocked(Tokens().eval(), ["up", "mix"]).net(torch.zeros(1, 3, 6, 5))
    assert multiply_adds(net)["up"] == 6 * 5 * 3 * 4 * 16
    assert multiply_adds(net)["mix"] == 12 * 10 * 4 * 5


def test_evaluate_scores_the_labels_of_the_model(net, small, frames):
    with torch.no_grad():
        truth = [labels(small(frame)) for frame in frames]
    clip = [(frame[0].numpy(), label) for frame, label in zip(frames, truth, strict=True)]
    oracle = partial(schedule.per_frame, stages=net.stages)
    result = evaluate(oracle, net, [clip], 4, stages=net.stages, silent=True)
    assert result.scores.summary().acc == 1
    assert result.macs_per_frame == 8 * 12 * 3 * 9 * 8 + 4 * 6 * 8 * 9 * 6 + 8 * 12 * 14 * 4
    half = partial(schedule.alternating, stages=net.stages)
    result = evaluate(half, net, [clip], 4, stages=net.stages, silent=True)
    assert result.fired == {"shallow": 1, "deep": 0.5, "fuse": 1}
    assert result.scores.summary().acc < 1


def test_stale_scores_are_those_of_hooks(net, small, frames, stale):
    clock = schedule.fixed_rate(net, [f[0].numpy() for f in frames], {"deep": 3}, stages=net.stages)
    for t, step in enumerate(clock):
        expected = stale(small, frames[t // 3 * 3], frames[t], ["low"])
        np.testing.assert_array_equal(step.label, labels(expected))


def test_a_pipeline_runs_the_deep_stage_on_the_frame_before(net, small, frames, stale):
    steps = list(
        schedule.pipeline(net, [f[0].numpy() for f in frames], ("deep",), stages=net.stages)
    )
    for t, step in enumerate(steps):
        # the deep stage runs after the output, on the shallow features of the frame that was then
        expected = stale(small, frames[max(t - 1, 0)], frames[t], ["low"])
        np.testing.assert_array_equal(step.label, labels(expected))
    assert steps[1].ran == ("shallow", "fuse") and steps[1].then == ("deep",)


def test_tuning_finds_a_threshold(net, frames):
    clip = [(f[0].numpy(), None) for f in (frames[0], frames[0], frames[1], frames[1])]
    signatures = record_signatures(net, [clip], net.stages, "deep", silent=True)
    threshold, share = tune_threshold(signatures, 0.5)
    assert share == 0.5 and 0 < threshold < 1
    changes = changes_over(net, [clip], (1,), net.stages, silent=True)
    assert set(changes) == {"shallow", "deep"} and 0 < changes["shallow"][1] < 0.5


def test_clocks_see_the_strongest_channel(small, frames, net):
    schedule_ = schedule.per_frame(net, [frames[0][0].numpy()], stages=net.stages)
    next(schedule_)
    with torch.no_grad():
        np.testing.assert_array_equal(net.blobs["shallow end"].data, small.enc(frames[0]))
        np.testing.assert_array_equal(net.blobs["score"].data, small(frames[0]))
        np.testing.assert_array_equal(net.blobs["fuse end"].data, small(frames[0]))


def test_features_as_scores():
    maps = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    scores = as_scores(maps)
    assert scores.shape == (3, 8, 5)
    assert torch.equal(scores[:, :4], maps[0]) and torch.equal(scores[:, 4:], maps[1])
    tokens = torch.arange(6.0).view(1, 2, 3)
    assert as_scores(tokens)[:, :, 0].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert as_scores(torch.zeros(2, 7)).shape == (7, 2, 1)
    wide = torch.zeros(1, 600, 1, 2)  # in groups of three
    wide[0, 5, 0, 0] = wide[0, 599, 0, 1] = 1
    assert as_scores(wide).shape == (200, 1, 2)
    assert as_scores(wide).argmax(0).tolist() == [[1, 199]]


def test_frames_of_another_size(net, small):
    """As the blobs of a pycaffe net, those of this one take the size of the frame."""
    frame = torch.randn(1, 3, 16, 20)
    [step] = schedule.per_frame(net, [frame[0].numpy()], stages=net.stages)
    with torch.no_grad():
        np.testing.assert_array_equal(step.label, labels(small(frame)))
    assert net.blobs["low.1"].data.shape == (1, 6, 8, 10)


def test_stages_of_another_net(net):
    with pytest.raises(ValueError, match="no stage starts or ends with the layer 'low.1'"):
        net.forward(start="low.1", end="deep end")
    with pytest.raises(ValueError, match="stage 'deep' needs what 'enc.2' computes, which has not"):
        net.forward(start="low.0", end="deep end")


def test_a_model_without_scores(frames):
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.conv(x).mean((2, 3))

    net = Clocked(Flat().eval(), ["conv"]).net(frames[0])
    with pytest.raises(ValueError, match="returns no N x classes x H x W"):
        next(schedule.per_frame(net, [frames[0][0].numpy()], stages=net.stages))
