"""The schedules on our engine: against recorded scores of Caffe, and against full passes."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lib import run_net, schedule
from lib.cost import multiply_adds, stage_cost
from lib.differences import BLOBS, frame_differences
from lib.evaluate import evaluate
from lib.layer_maps import STRIDES, to_frame
from lib.stages import FCN8S
from lib.tuning import changes_over

caffe = pytest.importorskip("caffe")
GOLDEN = Path(__file__).parents[3] / "shared/golden/nets/fcn8s_mini"
recorded = pytest.mark.skipif(not GOLDEN.exists(), reason="the recorded frames are not here")
HELD = partial(schedule.fixed_rate, rates={"deep": 100})


@pytest.fixture(scope="module")
def net(tmp_path_factory, frames):
    """An FCN-8s of 4 classes with a few channels and random weights."""
    from nets.fcn8s import fcn8s

    path = tmp_path_factory.mktemp("net") / "fcn8s.prototxt"
    path.write_text(str(fcn8s(4, width=1 / 16, fc_width=32, size=(96, 128))))
    net, rng = caffe.Net(str(path), caffe.TEST), np.random.default_rng(0)
    for name, (weight, *_) in net.params.items():
        spread = np.sqrt(2 / np.prod(weight.data.shape[1:]))
        weight.data[...] = (
            1 / 4 if name.startswith("up") else rng.normal(0, spread, weight.data.shape)
        )
    run_net.segrun(net, frames[0])
    for name in ("score_pool3", "score_pool4", "score_fr"):
        # no class and no stage dominates
        scores = net.blobs[name].data[0]
        spread = scores.std((1, 2))
        net.params[name][1].data[...] = -scores.mean((1, 2)) / spread
        net.params[name][0].data[...] /= spread[:, None, None, None]
    return net


@pytest.fixture(scope="module")
def frames():
    blocks = np.random.default_rng(1).normal(0, 60, (4, 3, 12, 16)).astype(np.float32)
    return list(np.kron(blocks, np.ones((8, 8), np.float32)))


@pytest.fixture(scope="module")
def oracle(net, frames):
    """The scores that are fused, of each frame, from full passes only."""
    kept = []
    for in_ in frames:
        run_net.segrun(net, in_)
        kept.append(
            {
                name: net.blobs[name].data.copy()
                for name in ("score_pool3", "score_pool4", "upscore2")
            }
        )
    return kept


def fused(net, frames, oracle, shallow, middle, deep):
    """Return the label map of fusing the scores of full passes on these frames."""
    run_net.segrun(net, frames[0])
    for name, t in zip(
        ("score_pool3", "score_pool4", "upscore2"), (shallow, middle, deep), strict=True
    ):
        net.blobs[name].data[...] = oracle[t][name]
    net.forward(start="score_pool4c")
    return net.blobs["score"].data[0].argmax(0)


@pytest.mark.parametrize(
    "clock, ages",
    [
        (schedule.per_frame, [(t, t, t) for t in range(4)]),
        (schedule.alternating, [(0, 0, 0), (1, 1, 0), (2, 2, 2), (3, 3, 2)]),
        (schedule.pipeline_2stage, [(0, 0, 0), (1, 1, 0), (2, 2, 1), (3, 3, 2)]),
        (schedule.pipeline_3stage, [(0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 2, 1)]),
        (
            partial(schedule.fixed_rate, rates={"middle": 2, "deep": 3}),
            [(0, 0, 0), (1, 0, 0), (2, 2, 0), (3, 2, 2)],
        ),
    ],
)
def test_output_is_the_fusion_of_the_frames_that_stages_saw(net, frames, oracle, clock, ages):
    labels = [step.label for step in clock(net, frames)]
    wanted = [fused(net, frames, oracle, *age) for age in ages]
    assert len(np.unique(wanted)) > 1
    assert (wanted[3] != fused(net, frames, oracle, 0, 0, 0)).any()
    np.testing.assert_array_equal(labels, wanted)


def test_stages_make_up_the_full_pass(net, frames):
    steps = schedule.per_frame(net, frames)
    for step, in_ in zip(list(steps), frames, strict=True):
        np.testing.assert_array_equal(step.label, run_net.segrun(net, in_))


def test_clips_of_different_sizes(net, frames):
    small = [in_[:, :, :100].copy() for in_ in frames]
    clips = [[(in_, in_[0] > 0) for in_ in clip] for clip in (frames, small, frames)]
    clips = [[(in_, label.astype(np.uint8)) for in_, label in clip] for clip in clips]
    for clock in (
        schedule.alternating,
        schedule.pipeline_3stage,
        partial(schedule.adaptive, threshold=0.5),
    ):
        result = evaluate(clock, net, clips, 4, silent=True, keep=True)
        assert result.n_labelled == 12
        assert [clip[3].shape for clip in result.labels] == [(96, 128), (96, 100), (96, 128)]
        np.testing.assert_array_equal(result.labels[0], result.labels[2])


def test_cost_of_the_stages(net, frames):
    result = evaluate(schedule.alternating, net, [[(in_, None) for in_ in frames]], 4, silent=True)
    cost = stage_cost(net)
    assert result.macs_per_frame == sum(cost.values()) - cost["deep"] / 2
    macs = multiply_adds(net)
    positions = (96 + 2 * 100 - 2) * (128 + 2 * 100 - 2)
    assert macs["conv1_1"] == positions * 4 * 3 * 3 * 3
    side = np.prod(net.blobs["fuse_pool3"].data.shape[2:])
    assert macs["upscore8"] == side * 4 * 16 * 16  # one group per class
    assert sum(cost.values()) == sum(macs.values())


def test_changes_of_every_layer(net, frames):
    clip = [(frames[0], None), (frames[0], None), (frames[1], None)]
    shot = frame_differences(net, clip)
    assert list(shot.relative) == list(BLOBS)
    for changes in (*shot.relative.values(), *(shot.argmax[blob] for blob in BLOBS[1:])):
        assert changes[0] == 0 < changes[1]
    changes = changes_over(net, [clip], (1,), silent=True)
    assert changes["middle"][1] == shot.argmax["score_pool4"].mean()


@pytest.mark.parametrize("layer", ["score_pool3", "score_pool4", "score_fr"])
def test_cells_of_a_layer_lie_where_the_net_puts_them(net, frames, layer):
    run_net.segrun(net, frames[0])
    blobs = {name: net.blobs[name].data for name in ("score_pool3", "score_pool4", "score_fr")}
    row, column = (side // 2 for side in blobs[layer].shape[2:])
    for scores in blobs.values():
        scores[...] = 0
    blobs[layer][0, 1, row, column] = 1
    net.forward(start="upscore2")
    peak = net.blobs["score"].data[0, 1]
    cell = to_frame(blobs[layer][0, 1], peak.shape, STRIDES[layer]) > 0
    for found, put in zip(np.nonzero(cell), np.nonzero(peak == peak.max()), strict=True):
        assert abs(found.mean() - put.mean()) <= STRIDES[layer] / 2


def golden_net():
    net = caffe.Net(str(GOLDEN / "net.prototxt"), str(GOLDEN / "net.caffemodel"), caffe.TEST)
    return net, np.load(GOLDEN / "frames_in.npy")


def scores_of(net):
    return net.blobs["score"].data[0]


@recorded
@pytest.mark.parametrize(
    "name, first, then",
    [
        ("full", run_net.segrun, run_net.segrun),
        ("clockwork", run_net.segrun, run_net.clockwork_forward),
        ("pipeline2", run_net.pipeline_fill_2stage, run_net.pipeline_2stage_forward),
        ("pipeline3", run_net.pipeline_fill_3stage, run_net.pipeline_3stage_forward),
    ],
)
def test_forwards_give_the_recorded_scores(name, first, then):
    net, frames = golden_net()
    for t, (in_, want) in enumerate(
        zip(frames, np.load(GOLDEN / f"frames_score__{name}.npy"), strict=True)
    ):
        label = (then if t else first)(net, in_)
        np.testing.assert_allclose(scores_of(net), want, atol=1e-5 * np.ptp(want))
        np.testing.assert_array_equal(label, want.argmax(0))


@recorded
@pytest.mark.parametrize(
    "name, clock",
    [
        ("full", schedule.per_frame),
        ("full", partial(schedule.adaptive, threshold=0)),
        ("clockwork", HELD),
        ("clockwork", partial(schedule.adaptive, threshold=1.1)),
        ("pipeline2", schedule.pipeline_2stage),
        ("pipeline3", schedule.pipeline_3stage),
    ],
)
def test_schedules_give_the_recorded_scores(name, clock):
    net, frames = golden_net()
    scores = [scores_of(net).copy() for _ in clock(net, frames)]
    want = np.load(GOLDEN / f"frames_score__{name}.npy")
    np.testing.assert_allclose(scores, want, atol=1e-5 * np.ptp(want))


def test_stages_name_layers_of_the_nets(net):
    assert {s.start for s in FCN8S} | {s.end for s in FCN8S} <= set(net._layer_names)
