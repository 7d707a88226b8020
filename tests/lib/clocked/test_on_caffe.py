"""A trained FCN-8s as a PyTorch module does under each clock what the Caffe net does under it."""

from functools import partial

import numpy as np
import pytest
import torch

from lib import schedule
from lib.clocked import Clocked
from lib.cost import stage_cost
from lib.stages import FCN8S

caffe = pytest.importorskip("caffe")
CLOCKS = {
    "per_frame": schedule.per_frame,
    "every_other": schedule.every_other,
    "alternating": schedule.alternating,
    "fixed_rate": partial(schedule.fixed_rate, rates={"middle": 2, "deep": 3}),
    "adaptive": partial(schedule.adaptive, threshold=0.1),
    "pipeline_2stage": schedule.pipeline_2stage,
    "pipeline_3stage": schedule.pipeline_3stage,
}


@pytest.fixture(scope="module")
def net():
    from nets.weights import find_net, find_weights

    return caffe.Net(
        find_net("stage-camvid-fcn8s-light"), find_weights("camvid-fcn8s-light"), caffe.TEST
    )


@pytest.fixture(scope="module")
def frames():
    """A scene that stands still, moves, and is cut: 6 frames of 96 x 128, in steps of 8 pixels."""
    rng = np.random.default_rng(0)
    wide, other = (
        np.kron(rng.normal(0, 60, (3, 6, 12)), np.ones((16, 16))).astype(np.float32)
        for _ in range(2)
    )
    shown = [wide[..., x : x + 128] for x in (0, 0, 2, 16)] + [
        other[..., x : x + 128] for x in (0, 4)
    ]
    return [np.ascontiguousarray(frame) for frame in shown]


@pytest.fixture(scope="module")
def clocked(net):
    net.blobs["data"].reshape(1, 3, 96, 128)
    stages = {stage.name: stage.start for stage in FCN8S}
    return Clocked(net.to_module().eval(), stages)


@pytest.mark.parametrize("name", CLOCKS)
def test_all_clocks(net, clocked, frames, name):
    clock = CLOCKS[name]
    expected = list(clock(net, frames))
    if name == "adaptive":
        fired = ["deep" in step.ran for step in expected]
        assert fired[0] and fired[4] and not fired[1]  # so that it has something to decide
    staged = clocked.net(torch.from_numpy(frames[0])[None])
    stream = clocked.stream(clock)
    for frame, ours, theirs in zip(
        frames, clock(staged, frames, stages=staged.stages), expected, strict=True
    ):
        scores = stream(torch.from_numpy(frame)[None])
        assert ours.ran == theirs.ran == stream.ran and ours.then == theirs.then == stream.then
        np.testing.assert_array_equal(scores[0].argmax(0).numpy(), ours.label)
        # two engines round differently, so a pixel in thousands may go to another class
        assert (ours.label == theirs.label).mean() > 0.998


def test_multiply_adds(net, clocked, frames):
    list(schedule.per_frame(net, frames[:1]))
    staged = clocked.net(torch.from_numpy(frames[0])[None])
    assert stage_cost(staged, staged.stages) == stage_cost(net)
