"""The files of a run: what is complete is kept, what is not is cut off."""

import json
import os

import pytest

from lib.video.errors import VideoError
from lib.video.outputs import Outputs

MADE_BY = {"net": "a", "size": (2, 3)}
STATE = {"pts": 40, "end": 48, "first": [0]}


def rows(*numbers):
    return [(number, number / 25, "deep", "", "", 1.5) for number in numbers]


@pytest.fixture
def outputs(tmp_path):
    made = Outputs(tmp_path / "out.mp4", MADE_BY)
    made.start()
    return made


def test_names(tmp_path):
    outputs = Outputs(tmp_path / "a.b.mp4", {})
    names = [p.name for p in (outputs.csv, outputs.journal, outputs.labels)]
    assert names == ["a.b.csv", "a.b.json", "a.b-labels"]


def test_blocks_are_appended(outputs):
    outputs.add_block(b"one", rows(0, 1), STATE)
    outputs.add_block(b"two", rows(2), STATE)
    outputs.write_label(2, b"png")
    outputs.finish()
    assert outputs.video.read_bytes() == b"onetwo"
    assert outputs.csv.read_text().splitlines() == [
        "frame,time_s,ran,then,change,latency_ms",
        "0,0.0,deep,,,1.5",
        "1,0.04,deep,,,1.5",
        "2,0.08,deep,,,1.5",
    ]
    assert os.listdir(outputs.labels) == ["000002.png"]


def test_what_is_beyond_the_journal_is_cut_off(outputs, tmp_path):
    outputs.add_block(b"one", rows(0, 1), STATE)
    before = outputs.csv.read_bytes()
    outputs.add_block(b"half", rows(2), STATE, whole=False)
    assert outputs.video.read_bytes() == b"onehalf" and len(outputs.csv.read_bytes()) > len(before)
    again = Outputs(tmp_path / "out.mp4", MADE_BY)
    assert again.resume()
    assert again.video.read_bytes() == b"one" and again.csv.read_bytes() == before
    assert (again.state["blocks"], again.state["frames"], again.state["frame"]) == (1, 2, 1)
    assert again.state["first"] == [0] and not again.state["done"]
    again.add_block(b"two", rows(2, 3), STATE)
    assert again.video.read_bytes() == b"onetwo"


def test_nothing_is_there_before_the_first_block(outputs, tmp_path):
    assert os.listdir(tmp_path) == []
    assert Outputs(tmp_path / "out.mp4", MADE_BY).resume() is False


def test_a_first_block_that_was_not_finished(outputs, tmp_path):
    outputs.add_block(b"one", rows(0), STATE, whole=False)
    again = Outputs(tmp_path / "out.mp4", MADE_BY)
    assert again.resume() and again.state["blocks"] == 0
    again.add_block(b"two", rows(0, 1), STATE)
    assert again.video.read_bytes() == b"two" and len(again.csv.read_text().splitlines()) == 3


def test_nothing_to_go_on_with(tmp_path):
    assert Outputs(tmp_path / "out.mp4", MADE_BY).resume() is False


def test_other_settings(outputs, tmp_path):
    outputs.add_block(b"one", rows(0), STATE)
    with pytest.raises(VideoError, match=r"other settings \(net, rate\)"):
        Outputs(tmp_path / "out.mp4", {**MADE_BY, "net": "b", "rate": 3}).resume()


@pytest.mark.parametrize(
    "journal",
    [
        "",
        "[]",
        "{}",
        '{"version": 1, "made by": {}, "state": {}}',
        "[" * 100_000,
        json.dumps({"version": 1, "made by": {}, "state": {"blocks": -1}}),
    ],
)
def test_a_damaged_journal(outputs, tmp_path, journal):
    outputs.journal.write_text(journal)
    with pytest.raises(VideoError, match="out.json is not the journal"):
        Outputs(tmp_path / "out.mp4", MADE_BY).resume()


def test_a_video_shorter_than_the_journal_says(outputs, tmp_path):
    outputs.add_block(b"one", rows(0), STATE)
    outputs.video.write_bytes(b"on")
    with pytest.raises(VideoError, match="out.mp4 is shorter than"):
        Outputs(tmp_path / "out.mp4", MADE_BY).resume()
    outputs.video.unlink()
    with pytest.raises(VideoError, match="out.mp4 cannot be continued"):
        Outputs(tmp_path / "out.mp4", MADE_BY).resume()


def test_files_that_are_there_are_kept(outputs, tmp_path):
    outputs.add_block(b"one", rows(0), STATE)
    with pytest.raises(VideoError, match="is there already"):
        Outputs(tmp_path / "out.mp4", MADE_BY).start()
    assert outputs.video.read_bytes() == b"one"
    Outputs(tmp_path / "out.mp4", MADE_BY).overwrite()
    assert not outputs.video.exists()


def test_no_mp4(tmp_path):
    with pytest.raises(VideoError, match="ends in .mp4"):
        Outputs(tmp_path / "out.avi", {})


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(VideoError, match="nowhere.*cannot be written: No such file"):
        Outputs(tmp_path / "nowhere" / "out.mp4", {}).start()
