"""The command: its outputs, what an interruption leaves, and bad input."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

caffe = pytest.importorskip("caffe")
from lib import schedule  # noqa: E402
from lib.segment import main  # noqa: E402
from lib.video.clip import open_clip  # noqa: E402
from tests.lib.video.movies import make_movie, packets_of, picture, times_of  # noqa: E402

ROOT = Path(__file__).parents[2]
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]


def moving(number, size):
    """A pattern that moves, so that clocks have something to do."""
    return np.roll(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8), number, 1)


@pytest.fixture
def street(tmp_path):
    return make_movie(tmp_path / "street.mp4", frames=60, audio=2, paint=moving)


def run(*words):
    return main([*map(str, words), "--quiet"])


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def labels(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_outputs(street, tmp_path, card, capsys):
    out = tmp_path / "out.mp4"
    assert run(street, "-o", out, "--net", card, "--threshold", 0.3) == 0
    assert times_of(out) == times_of(street)
    assert packets_of(out, "audio") == packets_of(street, "audio")
    with av.open(str(out)) as video, av.open(str(street)) as source:
        assert video.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert abs(video.duration - source.duration) / av.time_base <= 1 / 25
    table = rows(tmp_path / "out.csv")
    assert [int(row["frame"]) for row in table] == list(range(60))
    assert [float(row["time_s"]) for row in table] == pytest.approx([i / 25 for i in range(60)])
    for row in table:  # blocks of 24 begin with a full frame; the clock fires from its threshold
        full = row["change"] == "" or float(row["change"]) >= 0.3
        assert ("deep" in row["ran"].split()) == full
        assert (row["change"] == "") == (int(row["frame"]) % 24 == 0)
        assert float(row["latency_ms"]) > 0
    said = capsys.readouterr().out
    assert "60 frames, " in said and " a second end to end, " in said and "in the net alone" in said


def test_labels_are_those_of_the_net(street, tmp_path, card):
    assert run(street, "-o", tmp_path / "out.mp4", "--net", card, "--schedule", "per_frame") == 0
    net = caffe.Net(
        str(card.with_name("small.prototxt")), str(card.with_name("small.caffemodel")), caffe.TEST
    )
    clip = open_clip(street, (48, 64), (100, 110, 120))[:5]
    for number, step in enumerate(schedule.per_frame(net, [in_ for in_, _ in clip])):
        image = Image.open(tmp_path / "out-labels" / f"{number:06d}.png")
        np.testing.assert_array_equal(np.asarray(image), step.label)
        assert image.getpalette()[:12] == [value for colour in COLOURS for value in colour]


def test_the_outputs_are_a_source_and_labels(street, tmp_path, card):
    assert run(street, "-o", tmp_path / "out.mp4", "--net", card) == 0
    clip = open_clip(tmp_path / "out.mp4", (48, 64), (0, 0, 0), labels=tmp_path / "out-labels")
    assert len(clip) == 60 and all(label is not None for label in clip.labels())


def start(*words, cwd, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "lib.segment", *map(str, words), "--quiet"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **more,
    )


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("clock", [("--threshold", 0.3), ("--budget", 0.8)])
def test_going_on_with_any_clock(tmp_path, card, stop, clock):
    check_going_on(tmp_path, card, stop, clock, frames=200, after=60)


def test_going_on_after_a_kill(tmp_path, card):
    check_going_on(tmp_path, card, signal.SIGKILL, ("--threshold", 0.3), frames=80, after=30)


def check_going_on(tmp_path, card, stop, clock, frames, after):
    source = make_movie(tmp_path / "in.mp4", frames=frames, audio=1, paint=moving)
    assert run(source, "-o", tmp_path / "whole.mp4", "--net", card, *clock) == 0
    words = (source, "-o", tmp_path / "out.mp4", "--net", card, *clock)
    child = start(*words, cwd=tmp_path)
    end = time.monotonic() + 100
    while len(list(tmp_path.glob("out-labels/*.png"))) < after:
        assert child.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    child.send_signal(stop)
    text, _ = child.communicate(timeout=60)
    assert child.returncode == (130 if stop == signal.SIGINT else -signal.SIGKILL), text
    seen = len(list(tmp_path.glob("out-labels/*.png")))
    with av.open(str(tmp_path / "out.mp4")) as video:  # it can be played as it is
        shown = sum(1 for _ in video.decode(video=0))
    kept = json.loads((tmp_path / "out.json").read_text())["state"]["frames"]
    assert seen - 30 <= kept <= shown <= seen < frames
    assert kept % 24 == 0
    assert run(*words, "--resume") == 0
    assert labels(tmp_path / "out-labels") == labels(tmp_path / "whole-labels")
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    same = ("frame", "time_s", "ran", "then", "change")
    whole, out = (rows(tmp_path / f"{name}.csv") for name in ("whole", "out"))
    assert [[r[k] for k in same] for r in out] == [[r[k] for k in same] for r in whole]


def test_a_run_that_is_complete(street, tmp_path, card, capsys):
    words = (street, "-o", tmp_path / "out.mp4", "--net", card)
    assert run(*words) == 0
    assert run(*words, "--resume") == 0
    assert "is complete: 60 frames" in capsys.readouterr().out
    assert run(*words) == 1
    assert "is there already" in capsys.readouterr().err
    assert run(*words, "--resume", "--threshold", 0.5) == 1
    assert "other settings (threshold)" in capsys.readouterr().err
    assert run(*words, "--overwrite") == 0


def test_a_source_that_breaks_off(tmp_path, card, capsys):
    source = tmp_path / "cut.mp4"
    make_movie(source, frames=100, size=(96, 128), options={"movflags": "faststart"})
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    assert run(source, "-o", tmp_path / "out.mp4", "--net", card) == 1
    table, error = rows(tmp_path / "out.csv"), capsys.readouterr().err
    assert f"cut.mp4, frame {len(table)} (the first is 0)" in error and len(table) > 40
    assert len(times_of(tmp_path / "out.mp4")) == len(table) == len(labels(tmp_path / "out-labels"))


def test_a_full_disk(street, tmp_path, card):
    def limit():  # of the size of a file, with the same effect
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    words = (street, "-o", tmp_path / "out.mp4", "--net", card)
    child = start(*words, cwd=tmp_path, preexec_fn=limit)
    text, _ = child.communicate(timeout=100)
    assert child.returncode == 1 and "out.mp4, frame " in text
    assert "File too large: make room, then go on with --resume" in text
    assert run(*words, "--resume") == 0
    assert times_of(tmp_path / "out.mp4") == times_of(street)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere.mp4",), "nowhere.mp4: No such file"),
        (("in.mp4", "-o", "no/out.mp4"), "no/out"),
        (("in.mp4", "-o", "out.avi"), "ends in .mp4"),
        (("in.mp4", "-o", "in.mp4", "--overwrite"), "is the source"),
        (("in.mp4", "--net", "nothing"), "no such card"),
        (("in.mp4", "--budget", "2"), "the budget is 2"),
        (("in.mp4", "--budget", "half"), "neither a number nor a file"),
        (("in.mp4", "--threshold", "40"), "0.4 if 40 % is meant"),
        (("in.mp4", "--schedule", "every"), "needs the option 'period'"),
        (("in.mp4", "--seconds", "3"), "--seconds ends a live run"),
        (("in.mp4", "--rate", "-1"), "rate of -1"),
        (("in.mp4", "--live", "--resume"), "cannot be resumed"),
        (("in.mp4", "--mean", "0", "0", "256"), "0..255"),
    ],
)
def test_bad_words(tmp_path, card, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    make_movie(tmp_path / "in.mp4", frames=3)
    net = () if "--net" in words else ("--net", card)
    assert run(*words, *net) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_live_over_a_file(tmp_path, card, capsys):
    source = make_movie(tmp_path / "in.mp4", frames=60, rate=30)
    assert run(source, "--live", "-o", tmp_path / "out.mp4", "--net", card, "--seconds", 1.5) == 0
    said, table = capsys.readouterr().out, rows(tmp_path / "out.csv")
    arrived, dropped = _counts(said)
    assert 20 <= arrived <= 60 and len(table) == len(times_of(tmp_path / "out.mp4"))
    assert arrived - dropped - len(table) in (0, 1, 2)


def _counts(said):
    line = next(line for line in said.splitlines() if "frames arrived" in line)
    words = line.replace(",", "").split()
    return int(words[0]), int(words[3])


def test_the_net_of_the_clone(tmp_path, capsys):
    (tmp_path / "f").mkdir()
    Image.fromarray(picture(0, (90, 120))).save(tmp_path / "f" / "a.png")
    assert run(tmp_path / "f", "-o", tmp_path / "out.mp4", "--size", "90x120") == 0
    image = Image.open(tmp_path / "out-labels" / "000000.png")
    assert image.size == (120, 90) and image.getpalette()[:6] == [128, 128, 128, 128, 0, 0]
