import numpy as np
import pytest

from lib import differences
from lib.differences import (
    Differences,
    collect,
    frame_differences,
    label_change,
    relative_change,
    summary,
    summary_rows,
    summary_table,
)

BLOBS = ("data", "score_pool4", "score")


class Shot(list):
    def __init__(self, name, items):
        super().__init__(items)
        self.name = name


@pytest.fixture
def clips(fake):
    return [Shot(f"boat/{i}", [(fake.frame(t % 4), None) for t in range(2 + i)]) for i in range(3)]


@pytest.fixture
def run(fake_net, tmp_path):
    """run(clips, ...) collects and returns (shots, number of frames the net ran on)."""

    def run(clips, key="weights", **options):
        before = len(fake_net.ranges)
        shots = collect(
            fake_net, clips, tmp_path / "store", key, silent=True, **{"blobs": BLOBS, **options}
        )
        return shots, len(fake_net.ranges) - before

    return run


def assert_same(shots, others):
    for shot, other in zip(shots, others, strict=True):
        assert shot.name == other.name
        for kind in ("argmax", "relative"):
            assert list(getattr(shot, kind)) == list(getattr(other, kind))
            for layer, changes in getattr(shot, kind).items():
                np.testing.assert_array_equal(changes, getattr(other, kind)[layer])


def test_finished_shots_are_not_run_again(run, clips, capsys):
    first, frames = run(clips)
    assert frames == 2 + 3 + 4
    again, frames = run(clips)
    assert frames == 0
    assert_same(first, again)
    assert [shot.argmax["score"].tolist() for shot in first] == [[1], [1, 1], [1, 1, 1]]
    assert capsys.readouterr() == ("", "")


def test_an_interruption_loses_the_shot_under_way_only(run, clips, fake_net, monkeypatch):
    def interrupted(net, clip, *args):
        if clip is clips[1]:
            raise KeyboardInterrupt
        return measure(net, clip, *args)

    measure = differences.frame_differences
    with monkeypatch.context() as patch:
        patch.setattr(differences, "frame_differences", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(clips)
    shots, frames = run(clips)
    assert frames == 3 + 4
    assert [shot.name for shot in shots] == ["boat/0", "boat/1", "boat/2"]


@pytest.mark.parametrize(
    "other", [{"key": "other weights"}, {"blobs": BLOBS[:2]}, {"relabel": np.zeros(256, np.uint8)}]
)
def test_shots_of_another_net_or_setting_are_redone_and_said(run, clips, other, capsys):
    run(clips[:2])
    shots, frames = run(clips, **other)
    assert frames == 9
    assert (
        "store: 2 of 3 shots are made by another net or other settings, and are run again"
        in capsys.readouterr().out
    )
    assert_same(shots, run(clips, **other)[0])


def test_a_shot_of_another_length_is_redone(run, clips):
    run(clips)
    longer = Shot(clips[0].name, clips[2])
    assert len(run([longer, *clips[1:]])[0][0].argmax["score"]) == 3


def test_a_shot_of_another_first_frame_is_redone(run, clips, fake):
    run(clips)
    other = Shot(clips[0].name, [(fake.frame(2), None), *clips[0][1:]])
    assert run([other, *clips[1:]])[1] == len(other)


def test_a_damaged_file_is_redone_and_said(run, clips, tmp_path, capsys):
    run(clips)
    (tmp_path / "store/boat%2F1.npz").write_bytes(b"damaged")
    assert run(clips)[1] == 3
    assert "1 of 3 shots are not readable" in capsys.readouterr().out


def test_names_and_keys_that_could_mix_up_shots(run, clips, fake):
    for wrong in ([clips[0], clips[0]], [[(fake.frame(0), None)] * 2]):
        with pytest.raises(ValueError, match="a name of its own"):
            run(wrong)
    for key in ("", None, 3):
        with pytest.raises(ValueError, match="the key is"):
            run(clips, key=key)


@pytest.fixture
def collected():
    nan = np.nan
    return [
        Differences(
            "a",
            {"score": np.array([0.1, 0.3]), "label": np.array([nan, 0.5])},
            {"data": np.array([1.0, 0]), "score": np.array([0.5, 0.5])},
        ),
        Differences(
            "b",
            {"score": np.array([0.2]), "label": np.array([nan])},
            {"data": np.array([0.5]), "score": np.array([0.5])},
        ),
    ]


def test_summary_is_over_frame_pairs_of_all_shots(collected):
    data, score, label = summary(collected)
    std = np.sqrt(1 / 6)
    np.testing.assert_allclose(data[1:], [np.nan, np.nan, 0.5, std, 3])
    np.testing.assert_allclose(score[1:], [0.2, 0.2 * std, 0.5, 0, 3])
    np.testing.assert_allclose(label[1:], [0.5, 0, np.nan, np.nan, 1])
    with pytest.raises(ValueError, match="at least one shot"):
        summary([])


def test_summary_of_shots_without_a_label(collected):
    for shot in collected:
        shot.argmax["label"][:] = np.nan
    assert summary(collected)[2].pairs == 0 and np.isnan(summary(collected)[2].argmax_mean)


def test_summary_as_rows_for_json(collected):
    assert summary_rows(summary(collected)[1:]) == [
        {
            "layer": "score",
            "frame pairs": 3,
            "argmax changed %": pytest.approx(20),
            "relative change": 0.5,
        },
        {"layer": "label", "frame pairs": 1, "argmax changed %": 50},
    ]


def test_summary_as_a_table(collected):
    lines = summary_table(summary(collected), "markdown").splitlines()
    assert lines[0] == "| layer | argmax changed % | std % | relative change | std | frame pairs |"
    assert lines[2:] == [
        "| data | - | - | 0.500 | 0.408 | 3 |",
        "| score | 20.00 | 8.16 | 0.500 | 0.000 | 3 |",
        "| label | 50.00 | 0.00 | - | - | 1 |",
    ]


def frame(number, bright=0):
    """2 x 5 pixels of the value number + 1; the first `bright` pixels are brighter in channel 2."""
    in_ = np.full((3, 2, 5), number + 1, np.float32)
    in_[2].flat[:bright] += 0.5
    return in_


def test_changes_between_consecutive_frames(fake_net):
    clip = [(frame(0), None), (frame(0, bright=4), None), (frame(2, bright=4), None)]
    shot = frame_differences(fake_net, clip, BLOBS)
    assert shot.name == "a clip without a name"
    np.testing.assert_allclose(shot.argmax["score_pool4"], [0.4, 0])
    np.testing.assert_allclose(shot.argmax["score"], [0, 1])  # the class is the frame's number
    # 4 of 30 values from 1 to 1.5; then 26 from 1 to 3 and 4 from 1.5 to 3.5
    np.testing.assert_allclose(
        shot.relative["data"], [4 * 0.5 / 1.25 / 30, (26 * 2 / 2 + 4 * 2 / 2.5) / 30], rtol=1e-6
    )
    np.testing.assert_allclose(shot.relative["score_pool4"], shot.relative["data"])
    # of 256 scores one falls from 1 to 0 and one rises: 2 each, the others stay at 0
    np.testing.assert_allclose(shot.relative["score"], [0, 2 * 2 / 256])
    assert list(shot.relative) == list(BLOBS)
    assert list(shot.argmax) == ["score_pool4", "score", "label"]
    assert np.isnan(shot.argmax["label"]).all()


def test_labels_change_where_both_frames_have_one(fake_net):
    first = np.zeros((1, 2, 5), np.uint8)
    second = first.copy()
    second.flat[:4] = 7, 7, 255, 255
    labels = [first, second, None, first]
    shot = frame_differences(fake_net, [(frame(0), label) for label in labels], BLOBS)
    np.testing.assert_allclose(shot.argmax["label"], [2 / 8, np.nan, np.nan])
    assert np.isnan(label_change(np.full((2, 2), 255), np.zeros((2, 2))))


def test_classes_mapped_to_one_do_not_count_as_a_change(fake_net):
    clip = [(frame(0), None), (frame(2), None)]
    same = frame_differences(fake_net, clip, BLOBS, relabel=np.zeros(256, np.uint8))
    assert same.argmax["score"] == [0]
    np.testing.assert_allclose(same.relative["score"], [2 * 2 / 256])


def test_relative_change_is_symmetric_and_bounded():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    assert relative_change(a, b) == relative_change(b, a)
    assert relative_change(a, a) == 0
    np.testing.assert_allclose([relative_change(a, -a), relative_change(0 * a, a)], 2, rtol=1e-6)
    assert relative_change(0 * a, 0 * a) == 0


def test_clips_that_cannot_be_measured(fake_net):
    with pytest.raises(ValueError, match="no blob 'score_pool5', its blobs are data, score_pool3"):
        frame_differences(fake_net, [], ("data", "score_pool5"))
    with pytest.raises(ValueError, match="no two frames to compare, got 1"):
        frame_differences(fake_net, [(frame(0), None)], BLOBS)
    clip = type("Clip", (list,), {"name": "boat/1"})([(frame(0), None), (frame(0), None)])
    clip.append((np.ones((3, 2, 4), np.float32), None))
    with pytest.raises(ValueError, match=r"boat/1, frame 2 .*\(3, 2, 4\) after \(3, 2, 5\)"):
        frame_differences(fake_net, clip, BLOBS)
    labels = [np.zeros((2, 5), np.uint8), np.zeros((2, 4), np.uint8)]
    with pytest.raises(ValueError, match=r"frame 1 .*\(2, 4\) after \(2, 5\)"):
        frame_differences(fake_net, [(frame(0), label) for label in labels], BLOBS)
    with pytest.raises(ValueError, match="256 uint8"):
        frame_differences(fake_net, clip, BLOBS, relabel=[0, 1])
