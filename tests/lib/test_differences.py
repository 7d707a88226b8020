import numpy as np
import pytest

from lib import differences
from lib.differences import Differences, collect, summary, summary_rows, summary_table

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
