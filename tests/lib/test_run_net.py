import numpy as np
import pytest

from lib import run_net


def test_feed_takes_the_size_of_the_frame(fake_net, fake):
    run_net.feed_net(fake_net, fake.frame(1, (3, 4, 6)).astype(np.float64))
    assert fake_net.blobs["data"].data.shape == (1, 3, 4, 6)
    assert (fake_net.blobs["data"].data == 2).all()
    assert fake_net.ranges == []


@pytest.mark.parametrize(
    "frame, message",
    [
        (np.zeros((1, 3, 4, 4)), "3 dimensions"),
        (np.zeros((3, 4, 4), np.uint8), "float, got uint8"),
        (np.zeros((4, 4, 3)), "3 channels"),
    ],
)
def test_feed_rejects_other_arrays(fake_net, frame, message):
    with pytest.raises(ValueError, match=f"{message}.*mean-subtracted"):
        run_net.feed_net(fake_net, frame)


def forwards(fake_net, fake, first, then, count=4):
    """Return the frames that (shallow, middle, deep) saw, for each output of a clip."""
    return [
        fake.seen_by_stages((first if t == 0 else then)(fake_net, fake.frame(t)))
        for t in range(count)
    ]


def test_segrun_is_fresh_throughout(fake_net, fake):
    seen = forwards(fake_net, fake, run_net.segrun, run_net.segrun)
    assert seen == [(t, t, t) for t in range(4)]


def test_clockwork_keeps_the_deep_stage(fake_net, fake):
    seen = forwards(fake_net, fake, run_net.segrun, run_net.clockwork_forward)
    assert seen == [(t, t, 0) for t in range(4)]
    assert fake_net.ranges[1:4] == [fake.stages[s] for s in ("shallow", "middle", "fuse")]


def test_pipelines_are_one_frame_late_a_stage(fake_net, fake):
    two = forwards(fake_net, fake, run_net.pipeline_fill_2stage, run_net.pipeline_2stage_forward)
    assert two == [(0, 0, 0), (1, 1, 0), (2, 2, 1), (3, 3, 2)]
    three = forwards(fake_net, fake, run_net.pipeline_fill_3stage, run_net.pipeline_3stage_forward)
    assert three == [(0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 2, 1)]


def test_three_stage_pipeline_is_filled_with_two_frames(fake_net, fake):
    label = run_net.pipeline_fill_3stage(fake_net, fake.frame(0), fake.frame(1))
    assert fake.seen_by_stages(label) == (1, 1, 0)
    assert [
        fake.seen_by_stages(run_net.pipeline_3stage_forward(fake_net, fake.frame(t)))
        for t in (2, 3)
    ] == [(2, 1, 1), (3, 2, 1)]


def test_adaptive_runs_the_deep_stage_when_the_clock_ticks(fake_net, fake):
    labels = [
        run_net.adaptive_clock_forward(fake_net, fake.frame(t), clock)
        for t, clock in enumerate([True, False, np.True_, 0])
    ]
    assert [fake.seen_by_stages(label) for label in labels] == [
        (0, 0, 0),
        (1, 1, 0),
        (2, 2, 2),
        (3, 3, 2),
    ]


def test_out_scoremap_is_the_label_map(fake_net, fake):
    label = run_net.segrun(fake_net, fake.frame(2))
    got = run_net.get_out_scoremap(fake_net)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, fake_net.blobs["score"].data[0].argmax(0))
    np.testing.assert_array_equal(got, label)


def test_a_net_needs_only_blobs_and_forward(fake_net, fake):
    for what in ("_layer_names", "top_names", "bottom_names", "layers", "params"):
        delattr(fake_net, what)
    run_net.segrun(fake_net, fake.frame(0))
    assert fake.seen_by_stages(run_net.clockwork_forward(fake_net, fake.frame(1))) == (1, 1, 0)
