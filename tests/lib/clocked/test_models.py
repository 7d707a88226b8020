"""Models that lib.clocked was not written for: exactness, stale features, streams, clocks."""

import importlib.util
from functools import partial

import pytest
import torch

from lib import schedule
from lib.clocked import Clocked
from tests.lib.clocked.models import MODELS, build, leaves

PACKAGES = {"U-Net": "segmentation_models_pytorch", "SegFormer": "transformers"}
ALL = ("shallow", "deep", "fuse")
pytestmark = pytest.mark.slow  # seconds to import and to record each


@pytest.fixture(scope="module", params=MODELS)
def named(request):
    """(model, what MODELS says of it)"""
    for package in ("torchvision", PACKAGES.get(request.param, "torchvision")):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    return build(request.param), MODELS[request.param]


@pytest.fixture(scope="module")
def frames():
    generator = torch.Generator().manual_seed(1)
    return list(torch.randn(4, 1, 3, 64, 96, generator=generator))


def same(ours, theirs):
    """Whether two outputs are equal bit for bit, in the same structure."""
    pairs = zip(leaves(ours), leaves(theirs), strict=True)
    return type(ours) is type(theirs) and all(torch.equal(a, b) for a, b in pairs)


def test_a_clock_that_always_fires_is_exact(named, frames):
    model, about = named
    clocked = Clocked(model, about.stages, schedule.per_frame)
    with torch.no_grad():
        for frame in frames:
            assert same(clocked(frame), model(frame)) and clocked.ran == ALL
        large = torch.cat([frames[0], frames[1]], 2).repeat(2, 1, 1, 1)
        assert same(clocked.stream()(large), model(large))


@pytest.mark.parametrize("n", [2, 4])
def test_stages_by_cost_are_exact(named, frames, n):
    model, _ = named
    clocked = Clocked(model, clock=schedule.per_frame, n=n)
    with torch.no_grad():
        assert same(clocked(frames[0]), model(frames[0])) and len(clocked.stages) == n


def test_a_stale_deep_stage_meets_fresh_shallow_features(named, frames, stale):
    model, about = named
    clocked = Clocked(model, about.stages)
    for t, frame in enumerate(frames):
        expected = stale(model, frames[t // 2 * 2], frame, about.crossing)
        assert same(clocked(frame), expected)
    assert clocked.fired == {"shallow": 1, "deep": 0.5, "fuse": 1}
    with torch.no_grad():
        assert not same(expected, model(frames[3]))


def test_a_pipeline(named, frames, stale):
    model, about = named
    clocked = Clocked(model, about.stages, partial(schedule.pipeline, cuts=("deep",)))
    for t, frame in enumerate(frames):
        assert same(clocked(frame), stale(model, frames[max(t - 1, 0)], frame, about.crossing))


def test_interleaved_streams_are_as_separate_ones(named, frames):
    model, about = named
    clocked = Clocked(model, about.stages, partial(schedule.fixed_rate, rates={"deep": 3}))
    clips = frames, frames[::-1]
    alone = [[stream(f) for f in clip] for clip in clips for stream in [clocked.stream()]]
    a, b = clocked.stream(), clocked.stream()
    for t, (one, other) in enumerate(zip(*clips, strict=True)):
        assert same(a(one), alone[0][t]) and same(b(other), alone[1][t])


def test_the_adaptive_clock(named, frames):
    model, about = named
    clock = partial(schedule.adaptive, threshold=0.1)
    still, moving = (Clocked(model, about.stages, clock).stream() for _ in range(2))
    for frame in frames:
        still(frames[0])
        moving(frame)
    assert still.fired["deep"] == 0.25 and moving.fired["deep"] == 1


def test_weights_go_round(named, frames, tmp_path):
    model, about = named
    clocked = Clocked(model, about.stages, schedule.per_frame)
    torch.save(clocked.state_dict(), tmp_path / "weights.pt")
    other = about.build().eval()  # with other random weights
    with torch.no_grad():
        assert not same(other(frames[0]), model(frames[0]))
        other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
        assert same(clocked(frames[0]), other(frames[0]))


def test_double_precision(named, frames):
    model, about = named
    clocked = Clocked(model, about.stages, schedule.per_frame)
    clocked(frames[0])
    with torch.no_grad():
        clocked.double()
        assert same(clocked(frames[0].double()), model(frames[0].double()))
        clocked.float()
        assert same(clocked(frames[0]), model(frames[0]))
